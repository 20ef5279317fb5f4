"""Go's conventions for text that clients see: JSON, printing, globs, templates."""
