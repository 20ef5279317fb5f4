"""Running tasks: routing of writes, and paths that tasks share."""
