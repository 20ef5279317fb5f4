"""Tasks, templates and handlers from the files of a directory."""
