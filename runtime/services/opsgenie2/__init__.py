"""The OpsGenie2 integration."""
