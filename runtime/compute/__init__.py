"""The compute thread, and slow work beside it."""
