"""Services: the integrations and the parts of the API."""
