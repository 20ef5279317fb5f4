"""The SMTP integration."""
