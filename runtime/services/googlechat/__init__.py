"""The Google Chat integration."""
