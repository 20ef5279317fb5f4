"""The OpsGenie integration."""
