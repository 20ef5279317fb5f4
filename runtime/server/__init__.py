"""The `kapacitord` command: configuration, assembly and life cycle of the server."""
