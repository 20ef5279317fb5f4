"""Clusters of InfluxDB: subscriptions, queries and writes."""
