"""`record`, `replay` and `replay-live`."""

from __future__ import annotations

import datetime
import time
from typing import Any

from runtime.client.api import Api
from runtime.client.errors import CommandError, MissingError, UsageError
from runtime.client.flags import Flags
from runtime.client.tables import byte_count, rfc822, row, width
from runtime.golang.quoting import quote

USAGE = {
    "record": """Usage: kapacitor record stream -task <task ID> -duration <duration>
                                [-recording-id <ID>] [-no-wait]

    Record the points of a task and print the ID of the recording. The command waits for
    the end: the first point with a later time, or a minute without points.

    record batch and record query require InfluxDB and are not supported.
""",
    "replay": """Usage: kapacitor replay -recording <ID> -task <task ID>
                        [-replay-id <ID>] [-real-clock] [-rec-time] [-no-wait]

    Replay a recording to a task and print the ID of the replay.

    -real-clock  replay at the speed of the recording, not as fast as possible
    -rec-time    keep the times of the points, do not shift them to the present
    -no-wait     return without waiting for the end
""",
    "replay-live": """Usage: kapacitor replay-live (batch|query) ...

    Replay InfluxDB data to a task. This requires InfluxDB and is not supported.
""",
}
_POLL_S = 0.1
_LIVE = ("batch", "query")


def record(api: Api, arguments: list[str]) -> None:
    """Record, and print the recording's id.

    Raises:
        CommandError: the server refuses, or the recording fails.
    """
    if not arguments:
        raise UsageError("Must specify what to record: 'stream', 'batch' or 'query'")
    kind, *rest = arguments
    if kind in _LIVE:
        api.post(f"/recordings/{kind}", {})
        return
    if kind != "stream":
        raise CommandError(
            f"Unknown record type {quote(kind)}, expected 'stream', 'batch' or 'query'"
        )
    flags = _flags(rest, ("task", "duration", "recording-id"), ("no-wait",))
    if not flags.text("task") or not flags.text("duration"):
        raise MissingError("both task and duration are required")
    body = {
        "id": flags.text("recording-id"),
        "task": flags.text("task"),
        "stop": _in(flags.text("duration")),
    }
    _begin(api, "/recordings/stream", "/recordings", body, flags)


def replay(api: Api, arguments: list[str]) -> None:
    """Replay a recording, and print the replay's id.

    Raises:
        CommandError: the server refuses, or the replay fails.
    """
    flags = _flags(
        arguments,
        ("recording", "task", "replay-id"),
        ("real-clock", "rec-time", "no-wait"),
    )
    if not flags.text("recording"):
        raise MissingError("must pass recording ID")
    if not flags.text("task"):
        raise MissingError("must pass task ID")
    body = {
        "id": flags.text("replay-id"),
        "task": flags.text("task"),
        "recording": flags.text("recording"),
        "recording-time": flags.is_set("rec-time"),
        "clock": "real" if flags.is_set("real-clock") else "fast",
    }
    _begin(api, "/replays", "/replays", body, flags)


def replay_live(api: Api, arguments: list[str]) -> None:
    """Send a request that the server refuses, to print its reason.

    Raises:
        CommandError: the server refuses.
    """
    if not arguments:
        raise UsageError("Must specify what to replay: 'batch' or 'query'")
    if arguments[0] not in _LIVE:
        raise CommandError(
            f"Unknown replay-live type {quote(arguments[0])}, expected 'batch' or 'query'"
        )
    api.post(f"/replays/{arguments[0]}", {})


def list_recordings(api: Api, patterns: list[str]) -> None:
    """Print a table of recordings."""
    found = _all(api, "recordings", patterns)
    widths = (width(2, (each["id"] for each in found)), 8, 10, 10, 23)
    print(row(widths, ("ID", "Type", "Status", "Size", "Date")))
    for each in found:
        size, date = byte_count(each["size"]), rfc822(each["date"], local=True)
        print(row(widths, (each["id"], each["type"], each["status"], size, date)))


def list_replays(api: Api, patterns: list[str]) -> None:
    """Print a table of replays."""
    found = _all(api, "replays", patterns)
    names = {"id": 2, "task": 4, "recording": 9}
    widths = [
        width(least, (each[name] for each in found)) for name, least in names.items()
    ]
    widths += [9, 8, 23]
    print(row(widths, ("ID", "Task", "Recording", "Status", "Clock", "Date")))
    for each in found:
        cells = [each[name] for name in (*names, "status", "clock")]
        print(row(widths, (*cells, rfc822(each["date"], local=True))))


def _all(api: Api, kind: str, patterns: list[str]) -> list[dict[str, Any]]:
    return [
        each
        for pattern in patterns
        for each in api.all_pages(f"/{kind}", kind, {"pattern": pattern})
    ]


def _flags(
    arguments: list[str], texts: tuple[str, ...], bools: tuple[str, ...]
) -> Flags:
    flags = Flags(arguments, texts=texts, bools=bools)
    if flags.rest:
        raise UsageError(f"Unexpected argument {flags.rest[0]}")
    return flags


def _in(duration: str) -> str:
    """The time after a duration such as `10s` or `1d`, in RFC 3339."""
    from runtime.golang.durations import parse_influx

    try:
        passed = datetime.timedelta(microseconds=parse_influx(duration) // 1000)
        return (datetime.datetime.now(datetime.UTC) + passed).isoformat()
    except (ValueError, OverflowError) as fault:
        raise CommandError(str(fault)) from fault


def _begin(
    api: Api, path: str, listed: str, body: dict[str, Any], flags: Flags
) -> None:
    found = api.post(path, body)
    if not flags.is_set("no-wait"):
        while found["status"] == "running":
            time.sleep(_POLL_S)
            found = api.get(f"{listed}/{found['id']}")
    print(found["id"])
    if found["status"] == "failed":
        raise CommandError(found["error"])


COMMANDS = {"record": record, "replay": replay, "replay-live": replay_live}
