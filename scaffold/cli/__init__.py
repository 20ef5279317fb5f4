"""The command line: options, how a command runs, how the process ends."""

from scaffold.cli.application import main

__all__ = ["main"]
