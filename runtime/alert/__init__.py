"""Alert events, their levels and their topics."""
