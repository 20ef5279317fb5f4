"""Recordings of what was written, and replays of them."""
