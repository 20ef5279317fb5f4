"""The Teams integration."""
