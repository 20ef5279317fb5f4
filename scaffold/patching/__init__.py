"""Registrations in existing files: found by syntax, inserted as text."""
