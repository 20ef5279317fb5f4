"""Views: the names, values and compiled expressions for each template."""
