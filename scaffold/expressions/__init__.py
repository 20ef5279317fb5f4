"""The expressions of specs, compiled to plain Python."""
