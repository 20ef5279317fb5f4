"""The `kapacitor` command: talks to a running server over HTTP."""
