"""Bundled alert handlers, with one module for each registration table."""
