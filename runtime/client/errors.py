"""Errors that end a command, with their exit codes.

CommandError
├── UsageError        wrong arguments or flags   (exit 2, with the command's usage)
│   └── HelpRequested     `-h`                   (exit 0, with the command's usage)
├── MissingError      something was not passed   (exit 3, after the command's usage)
└── AddressError      the server's URL is wrong  (exit 4)
"""

from __future__ import annotations


class CommandError(Exception):
    """The command failed; the text follows `Error: ` on stderr."""

    exit_code = 3


class UsageError(CommandError):
    """Arguments are missing or flags are wrong; the text is printed above the usage."""

    exit_code = 2


class HelpRequested(UsageError):  # noqa: N818 — in Go it is not a failure either
    """The usage is requested by `-h`, `-help` or `--help`."""

    exit_code = 0


class MissingError(CommandError):
    """An argument or a flag is missing, and Kapacitor exits with 3."""


class AddressError(CommandError):
    """The server's URL cannot be used."""

    exit_code = 4
