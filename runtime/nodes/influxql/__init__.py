"""InfluxQL functions: aggregates, selectors, transformations."""
