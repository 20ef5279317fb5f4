"""The API that tests integrations."""
