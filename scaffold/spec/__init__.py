"""The language of specs: read, checked, and compiled to plain Python."""
