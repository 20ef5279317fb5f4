"""The `kapacitord` command.

The modules of a command are imported when it is used: only `run` needs the server.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runtime.errors import KapacitorError
from runtime.server.flags import CONFIG_FLAGS, RUN_FLAGS, UsageError, flags
from runtime.server.process_environment import ProcessEnvironment
from runtime.version import BUILD, VERSION

if TYPE_CHECKING:
    from runtime.server.plugins import Found

USAGE = """\
Run an alert server that is compatible with Kapacitor.

Usage: kapacitord [[command] [arguments]]

Commands:

    config      show the effective configuration as TOML
    help        show this help
    run         run the server (the default)
    version     show the version

Arguments of run:

    -config PATH             read the configuration from PATH; /dev/null for none
    -hostname NAME           override the hostname of the configuration
    -pidfile PATH            write the process ID to PATH
    -log-file PATH           write the log to PATH
    -log-level LEVEL         log at LEVEL: DEBUG, INFO, WARN, ERROR or OFF
    -disable-handlers KINDS  disable these kinds of topic handlers, such as a,b
    -blacklist-cidrs CIDRS   deny connections to these networks too, such as a,b
    -lenient                 start even if an enabled service is missing
    -no-project              ignore the project in the current folder

Arguments of config:

    -config PATH             read the configuration from PATH; /dev/null for none
    -hostname NAME           override the hostname of the configuration
    -lenient                 as above
    -no-project              as above
    -show-secrets            print secrets in plain text
"""
_HELP = frozenset(("h", "help"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    given = sys.argv[1:] if arguments is None else arguments
    # pathlib is slow to load
    home = os.path.expanduser("~")  # noqa: PTH111
    sys.exit(
        run_command(
            given, ProcessEnvironment(os.environ, home, folder=_current_folder())
        )
    )


def _current_folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - the same
    except FileNotFoundError:
        return ""


def run_command(arguments: Sequence[str], environment: ProcessEnvironment) -> int:
    """Run one command; return the exit code."""
    command, rest = "run", list(arguments)
    if rest and not rest[0].startswith("-"):
        command, rest = rest[0], rest[1:]
    if command == "help" or (rest and rest[0].lstrip("-") in _HELP):
        print(USAGE, end="")
        return 0
    if command == "version":
        print(f"Kapacitor OSS version {VERSION} {BUILD}")
        return 0
    if command not in ("run", "config"):
        print(
            f"unknown command \"{command}\"\nRun 'kapacitord help' for usage\n\n",
            file=sys.stderr,
        )
        return 1
    try:
        _execute(command, rest, environment)
    except KapacitorError as error:
        if isinstance(error, UsageError):
            print(USAGE, file=sys.stderr)
        print(f"{command}: {error}", file=sys.stderr)
        return 1
    return 0


def _execute(
    command: str, arguments: Sequence[str], environment: ProcessEnvironment
) -> None:
    if command == "config":
        given = flags(arguments, CONFIG_FLAGS)
        from runtime.server.config import effective

        handlers = _found(given, environment)
        effective.show(given, environment, handlers.integrations, handlers.warnings)
    else:
        given = flags(arguments, RUN_FLAGS)
        from runtime.server import process

        process.tune_memory()
        process.run(given, environment, _found(given, environment))


def _found(given: Mapping[str, str], environment: ProcessEnvironment) -> Found:
    """The bundled handlers and those of plugins.

    Raises:
        ConfigError: a plugin cannot be used.
    """
    from runtime.integrations.bundled import INTEGRATIONS
    from runtime.server import plugins

    folder = "" if "no-project" in given else environment.folder
    return plugins.found(INTEGRATIONS, folder)


if __name__ == "__main__":
    main()
