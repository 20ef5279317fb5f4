"""The configuration: read, decoded, checked, and shown."""
