"""The database over HTTP: its stores, and a copy of it."""
