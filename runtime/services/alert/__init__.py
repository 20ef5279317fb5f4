"""Topics, their handlers and the API for both."""
