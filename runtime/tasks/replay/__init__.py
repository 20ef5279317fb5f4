"""Recordings of points and of answers to queries, and replays of them."""
