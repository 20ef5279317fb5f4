"""`window`: makes batches of a stream."""
