"""The command line: options, runs of commands, exit codes."""

from scaffold.cli.application import main

__all__ = ["main"]
