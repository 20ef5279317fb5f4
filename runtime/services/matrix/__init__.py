"""The Matrix integration."""
