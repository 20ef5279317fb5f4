"""The model of a spec: plain values that the readers make and templates read."""
