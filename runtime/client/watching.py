"""`logs` and `watch`: follow the server's log."""

from __future__ import annotations

from runtime.client.api import Api
from runtime.client.errors import CommandError

USAGE = {
    "logs": """Usage: kapacitor logs [<tag>=<value>]...

    Follow the log of the server until interrupted.

    Show only lines with these tags, such as service, task, node or lvl. A + after a
    level includes more severe levels:

        kapacitor logs service=http lvl=info+
""",
    "watch": """Usage: kapacitor watch <task ID> [<tag>=<value>]...

    Follow the log of a task until interrupted.

        kapacitor watch cpu node=alert2 lvl=error
""",
}


def logs(api: Api, arguments: list[str]) -> None:
    """Print the lines that have all the tags."""
    _follow(api, _tags(arguments))


def watch(api: Api, arguments: list[str]) -> None:
    """Print the lines about a task."""
    if not arguments:
        raise CommandError("must provide task ID.")
    _follow(api, {**_tags(arguments[1:]), "task": arguments[0]})


def _follow(api: Api, tags: dict[str, str]) -> None:
    for line in api.lines("/logs", tags):
        print(line, flush=True)


def _tags(arguments: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not name or not equals:
            raise CommandError(
                f"bad keyvalue pair: '{argument}', must be of the form tag=value"
            )
        found[name] = value
    return found


COMMANDS = {"logs": logs, "watch": watch}
