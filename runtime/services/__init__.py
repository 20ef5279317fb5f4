"""Services: the integrations, and what serves the API."""
