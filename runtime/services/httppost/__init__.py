"""HTTP endpoints that alerts are posted to."""
