"""Generates alert integrations and registers them in a runtime."""
