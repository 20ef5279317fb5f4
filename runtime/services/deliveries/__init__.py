"""Deliveries: pending, dead, and the health of their handlers."""
