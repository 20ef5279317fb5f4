"""Queries of batch tasks: their schedule, their statements, and the answers as batches."""
