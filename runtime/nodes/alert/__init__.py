"""`alert`: determines levels and sends events to topics and handlers."""
