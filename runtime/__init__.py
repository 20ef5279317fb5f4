"""A Kapacitor-compatible alert runtime."""
