"""Recordings of written points, and replays of recordings."""
