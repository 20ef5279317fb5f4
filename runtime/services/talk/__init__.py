"""The Talk integration."""
