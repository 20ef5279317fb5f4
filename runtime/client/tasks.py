"""`enable`, `disable` and `reload`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from runtime.client.api import Api
from runtime.client.errors import UsageError

T = TypeVar("T")


def _usage(command: str, does: str) -> str:
    return (
        f"Usage: kapacitor {command} <task ID or pattern>...\n\n    {does}\n"
        "    A pattern is a shell glob. One without a match is reported and skipped.\n"
    )


USAGE = {
    "enable": _usage("enable", "Enable tasks and start them."),
    "disable": _usage("disable", "Disable tasks and stop them."),
    "reload": _usage("reload", "Disable tasks, then enable them."),
}


def task_ids(api: Api, arguments: list[str]) -> Iterator[str]:
    """The ids of the tasks that match the patterns, pattern by pattern.

    Raises:
        UsageError: the pattern is missing.
    """
    if not arguments:
        raise UsageError("Must pass at least one task ID")
    for pattern in arguments:
        query = {"pattern": pattern, "fields": ["link"]}
        found = api.all_pages("/tasks", "tasks", query)
        yield from (task["id"] for task in matched(found, "task", pattern))


def matched(found: Iterable[T], noun: str, pattern: str) -> Iterator[T]:
    """The objects that match a pattern; if there are none, standard error says so.

    Not an error, as in Kapacitor: scripts delete and disable what may be gone.
    """
    is_empty = True
    for each in found:
        is_empty = False
        yield each
    if is_empty:
        print(f"no {noun} matches '{pattern}'", file=sys.stderr)


def _set(api: Api, arguments: list[str], *statuses: str) -> None:
    ids = list(task_ids(api, arguments))
    for status in statuses:
        for task in ids:
            api.send("PATCH", f"/tasks/{task}", {"status": status})


COMMANDS = {
    "enable": lambda api, arguments: _set(api, arguments, "enabled"),
    "disable": lambda api, arguments: _set(api, arguments, "disabled"),
    "reload": lambda api, arguments: _set(api, arguments, "disabled", "enabled"),
}
