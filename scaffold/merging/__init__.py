"""Merges a person's edits of a generated text with what is generated now."""
