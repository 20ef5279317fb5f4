"""The PagerDuty2 integration."""
