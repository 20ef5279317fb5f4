"""Tasks that run: which writes they get, and what they share."""
