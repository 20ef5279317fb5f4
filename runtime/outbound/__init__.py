"""Connections to other servers: where to, with which headers and certificates."""
