"""`delete`."""

from __future__ import annotations

from runtime.client.api import Api
from runtime.client.errors import CommandError, UsageError
from runtime.client.tasks import matched, task_ids

USAGE = {
    "delete": """Usage: kapacitor delete (tasks|templates|recordings|replays|topics) <ID or pattern>...
       kapacitor delete topic-handlers <topic ID> <handler ID or pattern>...

    A pattern is a shell glob. One without a match is reported and skipped.
"""
}
_KINDS = "'tasks', 'templates', 'recordings', 'replays', 'topics' or 'topic-handlers'"


def delete(api: Api, arguments: list[str]) -> None:
    """Delete the matching objects.

    Raises:
        CommandError: the kind cannot be deleted, or the server refuses.
    """
    if len(arguments) < 2:
        raise UsageError(f"Must pass at least one ID or pattern, after {_KINDS}")
    kind, *names = arguments
    if kind == "tasks":
        paths = [f"/tasks/{task}" for task in task_ids(api, names)]
    elif kind in ("templates", "recordings", "replays"):
        paths = [path for name in names for path in _paged(api, kind, name)]
    elif kind == "topics":
        paths = [path for name in names for path in _topics(api, name)]
    elif kind == "topic-handlers":
        topic, *patterns = names
        paths = [path for name in patterns for path in _handlers(api, topic, name)]
    else:
        raise CommandError(f"cannot delete '{kind}' did you mean {_KINDS}?")
    for path in paths:
        api.delete(path)


def _paged(api: Api, kind: str, pattern: str) -> list[str]:
    query = {"pattern": pattern, "fields": ["link"]}
    found = api.all_pages(f"/{kind}", kind, query)
    noun = kind.removesuffix("s")
    return [f"/{kind}/{each['id']}" for each in matched(found, noun, pattern)]


def _topics(api: Api, pattern: str) -> list[str]:
    found = api.all_pages("/alerts/topics", "topics", {"pattern": pattern})
    topics = matched(found, "topic", pattern)
    return [f"/alerts/topics/{each['id']}" for each in topics]


def _handlers(api: Api, topic: str, pattern: str) -> list[str]:
    base = f"/alerts/topics/{topic}/handlers"
    found = api.all_pages(base, "handlers", {"pattern": pattern})
    return [f"{base}/{each['id']}" for each in matched(found, "handler", pattern)]


COMMANDS = {"delete": delete}
