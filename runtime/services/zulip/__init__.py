"""The Zulip integration."""
