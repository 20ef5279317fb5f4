"""The PagerDuty integration."""
