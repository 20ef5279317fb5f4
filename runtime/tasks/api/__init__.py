"""Tasks and templates: their API, their storage."""
