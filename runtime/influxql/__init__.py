"""InfluxQL: the `SELECT` statements of batch queries, read to a tree and written back."""
