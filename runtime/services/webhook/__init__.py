"""The Webhook integration."""
