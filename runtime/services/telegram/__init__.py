"""The Telegram integration."""
