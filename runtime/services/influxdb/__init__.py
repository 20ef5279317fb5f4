"""Clusters of InfluxDB: where points come from, are asked for and written to."""
