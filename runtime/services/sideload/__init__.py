"""Values that `sideload` nodes look up in files."""
