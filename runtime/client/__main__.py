"""The `kapacitor` command line.

Source: Kapacitor cmd/kapacitor/main.go.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from runtime.client.errors import CommandError, HelpRequested, MissingError, UsageError

USAGE = """
Usage: kapacitor [options] [command] [args]

Commands:

    define                create or update a task.
    define-template       create or update a template.
    define-topic-handler  create or update an alert handler for a topic.
    enable                enable a task and start running it with live data.
    disable               stop running a task.
    reload                reload a running task with an updated definition.
    delete                delete tasks, templates, recordings, replays, topics or topic-handlers.
    list                  list tasks, templates, recordings, replays, topics, topic-handlers,
                          deliveries, rejected or service-tests.
    show                  display detailed information about a task.
    show-template         display detailed information about a template.
    show-topic-handler    display detailed information about an alert handler for a topic.
    show-topic            display detailed information about an alert topic.
    record                record points of a task, or answers of InfluxDB.
    replay                replay a recording to a task.
    replay-live           replay answers of InfluxDB to a task.
    resend                resend dead and cancelled deliveries.
    discard               delete deliveries for good.
    backup                back up the database of the server.
    level                 set the logging level on the server.
    logs                  follow the log of the server.
    watch                 follow the log of a task.
    stats                 display server statistics.
    vars                  display debug variables of the server.
    service-tests         test a service.
    completion            print a shell completion script.
    version               display the version of this command.
    help                  display help for a command.

Options:

    -url string     the URL of the server (default http://localhost:9092, or KAPACITOR_URL)
    -skipVerify     disable verification of the server's certificate (KAPACITOR_UNSAFE_SSL)
"""

_HELP = "Usage: kapacitor help [command]\n\n    Show help for a command.\n"
# command → module below runtime.client, imported when the command is used
MODULES = {
    "define": "definitions",
    "define-template": "definitions",
    "define-topic-handler": "handler_files",
    "enable": "tasks",
    "disable": "tasks",
    "reload": "tasks",
    "delete": "deletion",
    "list": "listing",
    "show": "showing",
    "show-template": "showing",
    "show-topic": "showing",
    "show-topic-handler": "showing",
    "record": "replays",
    "replay": "replays",
    "replay-live": "replays",
    "resend": "deliveries",
    "discard": "deliveries",
    "backup": "server",
    "completion": "completion",
    "level": "server",
    "logs": "watching",
    "stats": "server",
    "vars": "server",
    "service-tests": "server",
    "version": "server",
    "watch": "watching",
}


def main() -> None:
    """Run the command line and exit with its code."""
    from runtime.client.terminal import Shown

    sys.stdout, sys.stderr = Shown(sys.stdout), Shown(sys.stderr)
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        # the reader has closed the pipe; the interpreter must not flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; return the exit code."""
    try:
        return _run(arguments)
    except UsageError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_code
    except CommandError as fault:
        lead = "" if fault.exit_code == 4 else "Error: "
        print(f"{lead}{fault}", file=sys.stderr)
        return fault.exit_code


def _run(arguments: Sequence[str]) -> int:
    from runtime.client.flags import Flags, environment_bool

    try:
        flags = Flags(arguments, texts=("url",), bools=("skipVerify",))
        unverified = flags.is_set("skipVerify")
    except HelpRequested:
        print(USAGE)
        return 0
    except UsageError as fault:
        print(f"{fault}{USAGE}", file=sys.stderr)
        return 2
    try:
        unverified = unverified or environment_bool(os.environ, "KAPACITOR_UNSAFE_SSL")
    except ValueError as fault:
        print(f"KAPACITOR_UNSAFE_SSL: {fault}", file=sys.stderr)
        return 1
    if not flags.rest:
        print(f"Error: Must pass a command.\n{USAGE}", file=sys.stderr)
        return 1
    command, *rest = flags.rest
    url = flags.text("url") or os.environ.get("KAPACITOR_URL", "")
    url = url or "http://localhost:9092"
    if command == "__complete":
        from runtime.client.completion import answer

        answer(rest, url, verify=not unverified)
        return 0
    if command == "help":
        return _help(rest)
    if command not in MODULES:
        print(f"Unknown command {command}\n{USAGE}", file=sys.stderr)
        return 1
    return _command(command, rest, url, not unverified)


def _command(command: str, arguments: list[str], url: str, verify: bool) -> int:
    import importlib

    module = importlib.import_module(f"runtime.client.{MODULES[command]}")
    if arguments[:1] and arguments[0] in ("-h", "-help", "--help"):
        return _help([command])
    from runtime.client.api import Api

    try:
        module.COMMANDS[command](Api(url, verify=verify), arguments)
    except HelpRequested:
        print(module.USAGE[command])
    except UsageError as fault:
        raise UsageError(f"{fault}\n{module.USAGE[command]}") from fault
    except MissingError:
        print(module.USAGE[command], file=sys.stderr)
        raise
    return 0


def _help(words: Sequence[str]) -> int:
    import importlib

    if len(words) != 1:
        print(USAGE)
        return 1
    if words[0] == "help":
        print(_HELP)
        return 0
    if words[0] not in MODULES:
        print(f"Unknown command {words[0]}\n{USAGE}", file=sys.stderr)
        return 1
    module = importlib.import_module(f"runtime.client.{MODULES[words[0]]}")
    print(module.USAGE[words[0]])
    return 0


if __name__ == "__main__":
    main()
