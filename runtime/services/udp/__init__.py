"""Points over UDP."""
