"""The database over HTTP: its stores and backups."""
