"""The Slack integration."""
