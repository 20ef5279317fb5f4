"""`alert`: decides how bad things are and tells topics and handlers."""
