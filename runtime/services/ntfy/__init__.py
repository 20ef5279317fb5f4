"""The ntfy integration."""
