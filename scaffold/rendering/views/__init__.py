"""What each template sees of a spec: names, values and compiled expressions."""
