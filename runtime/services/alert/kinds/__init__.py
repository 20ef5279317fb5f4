"""The kinds of handlers that need no integration, a module for each."""
