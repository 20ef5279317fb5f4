"""The Gotify integration."""
