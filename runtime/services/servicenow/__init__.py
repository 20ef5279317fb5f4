"""The ServiceNow integration."""
