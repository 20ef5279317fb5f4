"""Layout of generated Python: printing, line breaks, imports."""
