"""TICKscript: the language scripts are written in, and its lambda expressions."""
