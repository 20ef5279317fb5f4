"""`window`: cuts a stream into batches."""
