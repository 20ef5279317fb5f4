"""Tools for tests: loopback servers, clocks, frames."""
