"""The work of each command, whose result is a report."""
