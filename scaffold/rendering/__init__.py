"""From a spec to the text of files, through the templates."""
