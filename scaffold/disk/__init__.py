"""The disk: the only package that writes files."""
