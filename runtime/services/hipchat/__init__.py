"""The HipChat integration."""
