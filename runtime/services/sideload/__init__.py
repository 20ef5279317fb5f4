"""Values in files for `sideload` nodes."""
