"""Merges hand edits of a generated text with the newly generated text."""
