"""Queries of batch tasks: when they run, what is asked, and the answers as batches."""
