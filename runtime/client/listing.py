"""`list`."""

from __future__ import annotations

import sys

from runtime.client import deliveries, replays
from runtime.client.api import Api
from runtime.client.errors import CommandError, UsageError
from runtime.client.tables import dbrps, row, width, yes

USAGE = {
    "list": """Usage: kapacitor list (tasks|templates|recordings|replays|topics|service-tests) [ID or pattern]...
       kapacitor list topic-handlers [topic ID or pattern [handler ID or pattern]...]
       kapacitor list rejected
       kapacitor list deliveries [-state pending|dead|cancelled] [topic ID or pattern [handler ID or pattern]]

    A pattern is a shell glob. Without one everything is listed. Rejected entries are
    files of the load directory that cannot be loaded, and stored values that cannot be
    used.
"""
}


def listing(api: Api, arguments: list[str]) -> None:
    """Print a table of the matching objects.

    Raises:
        CommandError: the kind cannot be listed, or the server refuses.
    """
    if not arguments:
        raise UsageError(
            "Must specify 'tasks', 'recordings', 'replays', 'topics', or 'topic-handlers'"
        )
    kind, *patterns = arguments
    if kind == "deliveries":
        deliveries.show(api, patterns)
        return
    if kind not in _LISTS:
        raise CommandError(
            f"cannot list '{kind}' did you mean 'tasks', 'recordings', 'replays', "
            "'topics', 'topic-handlers' or 'service-tests'?"
        )
    _LISTS[kind](api, patterns or [""])


def _tasks(api: Api, patterns: list[str]) -> None:
    fields = ["type", "status", "executing", "dbrps", "error"]
    view = {"dot-view": "attributes", "replay-id": "", "script-format": "formatted"}
    tasks = [
        task
        for pattern in patterns
        for task in api.all_pages(
            "/tasks", "tasks", {**view, "fields": fields, "pattern": pattern}
        )
    ]
    widths = (width(2, (task["id"] for task in tasks)), 10, 10, 10, 0)
    head = ("ID", "Type", "Status", "Executing", "Databases and Retention Policies")
    print(row(widths, head))
    for task in tasks:
        running = yes(task["executing"])
        pairs = dbrps(task["dbrps"] or [])
        print(row(widths, (task["id"], task["type"], task["status"], running, pairs)))
    for task in tasks:
        if task["status"] == "enabled" and task["error"]:
            print(f"{task['id']}: {task['error']}", file=sys.stderr)


def _templates(api: Api, patterns: list[str]) -> None:
    query = {"fields": ["type", "vars"]}
    found = [
        template
        for pattern in patterns
        for template in api.all_pages(
            "/templates", "templates", {**query, "pattern": pattern}
        )
    ]
    widths = (width(2, (each["id"] for each in found)), 10, 40)
    print(row(widths, ("ID", "Type", "Vars")))
    for each in found:
        names = ",".join(sorted(each["vars"] or {}))
        print(row(widths, (each["id"], each["type"], names)))


def _topics(api: Api, patterns: list[str]) -> None:
    topics = [
        topic
        for pattern in patterns
        for topic in api.all_pages("/alerts/topics", "topics", {"pattern": pattern})
    ]
    widths = (width(2, (topic["id"] for topic in topics)), 9, 0)
    print(row(widths, ("ID", "Level", f"{'Collected':>10}")))
    for topic in topics:
        count = f"{topic['collected']:>10}"
        print(row(widths, (topic["id"], topic["level"], count)))


def _handlers(api: Api, patterns: list[str]) -> None:
    topic_pattern, *handler_patterns = patterns
    rows: list[tuple[str, str, str]] = []
    for topic in api.all_pages("/alerts/topics", "topics", {"pattern": topic_pattern}):
        for pattern in handler_patterns or [""]:
            path = f"/alerts/topics/{topic['id']}/handlers"
            for each in api.all_pages(path, "handlers", {"pattern": pattern}):
                rows.append((topic["id"], each["id"], each["kind"]))
    widths = [width(10, (each[column] for each in rows)) for column in range(3)]
    print(row(widths, ("Topic", "ID", "Kind")))
    for each in rows:
        print(row(widths, each))


def _service_tests(api: Api, patterns: list[str]) -> None:
    print("Service Name")
    for pattern in patterns:
        for service in (
            api.get("/service-tests", {"pattern": pattern})["services"] or []
        ):
            print(service["name"])


def _rejected(api: Api, patterns: list[str]) -> None:
    found = api.get("/storage/rejected")["rejected"]
    widths = [
        width(len(head), (each[key] for each in found))
        for head, key in (("Store", "store"), ("ID", "id"))
    ]
    print(row([*widths, 0], ("Store", "ID", "Error")))
    for each in found:
        print(row([*widths, 0], (each["store"], each["id"], each["error"])))


_LISTS = {
    "rejected": _rejected,
    "tasks": _tasks,
    "templates": _templates,
    "recordings": replays.list_recordings,
    "replays": replays.list_replays,
    "topics": _topics,
    "topic-handlers": _handlers,
    "service-tests": _service_tests,
}
COMMANDS = {"list": listing}
