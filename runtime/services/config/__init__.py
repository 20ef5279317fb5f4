"""The API that overrides configuration while the server runs."""
