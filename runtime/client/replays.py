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
       kapacitor record batch  -task <task ID> (-start <time> | -past <duration>)
                               [-stop <time>]
       kapacitor record query  -query <InfluxQL> -type (stream|batch)
                               [-cluster <name>]
       each with [-recording-id <ID>] [-no-wait]

    Record points and print the ID of the recording.

    stream  points that are written to a task's databases from now on. The command waits
            for the end: the first point with a later time, or a minute without points
    batch   answers of InfluxDB to the queries of a batch task, as if it had run between
            the two times
    query   the answer of InfluxDB to one query, whose measurements name their database
            and retention policy

    -start, -stop  times of the first and the last query; -stop is now by default
    -past          start this long before -stop: 10h, 7d
    -no-wait       return without waiting for the end

    kapacitor record batch -task cpu_idle -past 10h
    kapacitor record query -type stream -query 'SELECT idle FROM telegraf.autogen.cpu'
""",
    "replay": """Usage: kapacitor replay -recording <ID> -task <task ID>
                        [-replay-id <ID>] [-real-clock] [-rec-time] [-no-wait]

    Replay a recording to a task and print the ID of the replay.

    -real-clock  replay at the speed of the recording, not as fast as possible
    -rec-time    keep the times of the points, do not shift them to the present
    -no-wait     return without waiting for the end
""",
    "replay-live": """Usage: kapacitor replay-live batch -task <task ID>
                                   (-start <time> | -past <duration>) [-stop <time>]
       kapacitor replay-live query -task <task ID> -query <InfluxQL>
                                   [-cluster <name>]
       each with [-replay-id <ID>] [-real-clock] [-rec-time] [-no-wait]

    Replay answers of InfluxDB to a task, without keeping a recording: those to its own
    queries, or to one query. See `kapacitor help record` and `kapacitor help replay`.

    kapacitor replay-live batch -task cpu_idle -past 10h -rec-time
""",
}
_POLL_S = 0.1
_PERIOD = ("start", "stop", "past")
_REPLAYING = ("real-clock", "rec-time", "no-wait")


def record(api: Api, arguments: list[str]) -> None:
    """Record, and print the recording's id.

    Raises:
        CommandError: the server refuses, or the recording fails.
    """
    if not arguments:
        raise UsageError("Must specify what to record: 'stream', 'batch' or 'query'")
    kind, *rest = arguments
    match kind:
        case "stream":
            flags = _flags(rest, ("task", "duration", "recording-id"), ("no-wait",))
            body = _stream(flags)
        case "batch":
            flags = _flags(rest, ("task", *_PERIOD, "recording-id"), ("no-wait",))
            body = _batch(flags)
        case "query":
            flags = _flags(
                rest, ("query", "type", "cluster", "recording-id"), ("no-wait",)
            )
            body = _query(flags, "type")
        case _:
            raise CommandError(
                f"Unknown record type {quote(kind)},"
                " expected 'stream', 'batch' or 'query'"
            )
    body["id"] = flags.text("recording-id")
    _begin(api, f"/recordings/{kind}", "/recordings", body, flags)


def _stream(flags: Flags) -> dict[str, Any]:
    if not flags.text("task") or not flags.text("duration"):
        raise MissingError("both task and duration are required")
    return {"task": flags.text("task"), "stop": _in(flags.text("duration"))}


def _batch(flags: Flags) -> dict[str, Any]:
    """The options for a task and a period."""
    if not flags.text("task"):
        raise MissingError("task is required")
    start, past = flags.text("start"), flags.text("past")
    if not start and not past:
        raise MissingError("must set one of start or past flags.")
    if start and past:
        raise CommandError("cannot set both start and past flags.")
    stop = flags.text("stop") or datetime.datetime.now(datetime.UTC).isoformat()
    start = start or _before(stop, past)
    return {"task": flags.text("task"), "start": start, "stop": stop}


def _query(flags: Flags, with_: str) -> dict[str, Any]:
    """The options for a query, with another required flag."""
    if not flags.text("query") or not flags.text(with_):
        raise MissingError(f"both query and {with_} are required")
    return {name: flags.text(name) for name in ("query", with_, "cluster")}


def replay(api: Api, arguments: list[str]) -> None:
    """Replay a recording, and print the replay's id.

    Raises:
        CommandError: the server refuses, or the replay fails.
    """
    flags = _flags(
        arguments,
        ("recording", "task", "replay-id"),
        _REPLAYING,
    )
    if not flags.text("recording"):
        raise MissingError("must pass recording ID")
    if not flags.text("task"):
        raise MissingError("must pass task ID")
    body = {
        "id": flags.text("replay-id"),
        "task": flags.text("task"),
        "recording": flags.text("recording"),
        **_pace(flags),
    }
    _begin(api, "/replays", "/replays", body, flags)


def replay_live(api: Api, arguments: list[str]) -> None:
    """Replay answers of InfluxDB, and print the replay's id.

    Raises:
        CommandError: the server refuses, or the replay fails.
    """
    if not arguments:
        raise UsageError("Must specify what to replay: 'batch' or 'query'")
    kind, *rest = arguments
    match kind:
        case "batch":
            flags = _flags(rest, ("task", *_PERIOD, "replay-id"), _REPLAYING)
            body = _batch(flags)
        case "query":
            flags = _flags(rest, ("task", "query", "cluster", "replay-id"), _REPLAYING)
            body = _query(flags, "task")
        case _:
            raise CommandError(
                f"Unknown replay-live type {quote(kind)}, expected 'batch' or 'query'"
            )
    body |= {"id": flags.text("replay-id"), **_pace(flags)}
    _begin(api, f"/replays/{kind}", "/replays", body, flags)


def _pace(flags: Flags) -> dict[str, Any]:
    """The options of all replays."""
    return {
        "recording-time": flags.is_set("rec-time"),
        "clock": "real" if flags.is_set("real-clock") else "fast",
    }


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
    return _moved(datetime.datetime.now(datetime.UTC), duration, 1)


def _before(time: str, duration: str) -> str:
    """A time minus a duration, in RFC 3339."""
    try:
        moment = datetime.datetime.fromisoformat(time)
    except ValueError:
        raise CommandError(f"invalid time {quote(time)}, must be RFC 3339") from None
    return _moved(moment, duration, -1)


def _moved(moment: datetime.datetime, duration: str, sign: int) -> str:
    from runtime.golang.durations import parse_influx

    try:
        step = datetime.timedelta(microseconds=parse_influx(duration) // 1000)
        return (moment + sign * step).isoformat()
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
