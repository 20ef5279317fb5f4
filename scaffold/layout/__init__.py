"""Layout of generated Python: how it is printed, broken into lines, and what it imports."""
