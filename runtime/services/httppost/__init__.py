"""HTTP endpoints for alerts."""
