"""The HTTP API's server: routing, headers, error shapes."""
