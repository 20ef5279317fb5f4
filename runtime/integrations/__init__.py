"""The alert handlers that come with the server, registered in one module for each table."""
