"""Go's text conventions, where clients see them: JSON, printing, globs, templates."""
