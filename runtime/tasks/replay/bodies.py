"""The bodies of requests for recordings and replays."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from runtime.errors import InvalidError
from runtime.golang.json_decode import JsonError, boolean, decode, string, struct
from runtime.golang.quoting import quote
from runtime.units import SECOND, Nanoseconds

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_RECORDING = struct(
    "client.RecordStreamOptions", {"id": string, "task": string, "stop": string}
)
_RECORDING_OF_BATCHES = struct(
    "client.RecordBatchOptions",
    {"id": string, "task": string, "start": string, "stop": string},
)
_RECORDING_OF_QUERY = struct(
    "client.RecordQueryOptions",
    {"id": string, "query": string, "type": string, "cluster": string},
)
_REPLAY = struct(
    "client.CreateReplayOptions",
    {
        "id": string,
        "task": string,
        "recording": string,
        "recording-time": boolean,
        "clock": string,
    },
)


_REPLAY_OF_BATCHES = struct(
    "client.ReplayBatchOptions",
    {
        **{"id": string, "task": string, "start": string, "stop": string},
        **{"recording-time": boolean, "clock": string},
    },
)
_REPLAY_OF_QUERY = struct(
    "client.ReplayQueryOptions",
    {
        **{"id": string, "task": string, "query": string, "cluster": string},
        **{"recording-time": boolean, "clock": string},
    },
)
_TYPES = ("stream", "batch")


class Period(NamedTuple):
    """Times between which the queries of a task are due, in ns since 1970 UTC."""

    start: Nanoseconds
    stop: Nanoseconds

    @classmethod
    def of(cls, body: Mapping[str, str], now: Nanoseconds) -> Period:
        """The period of a request; it ends now if the request has no stop time.

        Raises:
            RefusedError: the start is missing, or a time is invalid.
        """
        if not body.get("start"):
            raise InvalidError("must provide start time")
        stop = body.get("stop")
        return cls(parsed_time(body["start"]), parsed_time(stop) if stop else now)


def recording_body(body: bytes) -> dict[str, Any]:
    """Decode a request for a recording.

    Raises:
        RefusedError: it is not JSON of the right shape.
    """
    return _read(body, _RECORDING)


def batch_recording_body(body: bytes) -> dict[str, Any]:
    """Decode a request for a recording of a task's queries.

    Raises:
        RefusedError: it is not JSON of the right shape.
    """
    return _read(body, _RECORDING_OF_BATCHES)


def query_recording_body(body: bytes) -> dict[str, Any]:
    """Decode a request for a recording of a query.

    Raises:
        RefusedError: it is not JSON of the right shape, or the type is unknown.
    """
    found = _read(body, _RECORDING_OF_QUERY)
    if found.get("type", "") not in _TYPES:
        raise InvalidError(
            f"unknown TaskType {found['type']}"
            if found.get("type")
            else "must provide type, 'stream' or 'batch'"
        )
    return found


def replay_body(body: bytes) -> dict[str, Any]:
    """Decode a request for a replay.

    Raises:
        RefusedError: the JSON is invalid or has the wrong shape, or the clock is unknown.
    """
    return _with_clock(_read(body, _REPLAY))


def batch_replay_body(body: bytes) -> dict[str, Any]:
    """Decode a request for a replay of a task's queries.

    Raises:
        RefusedError: the JSON is invalid or has the wrong shape, or the clock is unknown.
    """
    return _with_clock(_read(body, _REPLAY_OF_BATCHES))


def query_replay_body(body: bytes) -> dict[str, Any]:
    """Decode a request for a replay of a query.

    Raises:
        RefusedError: the JSON is invalid or has the wrong shape, or the clock is unknown.
    """
    return _with_clock(_read(body, _REPLAY_OF_QUERY))


def _with_clock(found: dict[str, Any]) -> dict[str, Any]:
    clock = found.setdefault("clock", "fast") or "fast"
    if clock not in ("fast", "real"):
        raise InvalidError(f"unknown Clock {clock}")
    return found | {"clock": clock}


def parsed_time(text: str) -> Nanoseconds:
    """A time as RFC 3339 writes it, in ns since 1970 UTC.

    Raises:
        RefusedError: `text` is not a time.
    """
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        day, clock, fraction, zone = found.groups()
        offset = "+00:00" if zone in "Zz" else zone
        moment = datetime.datetime.fromisoformat(f"{day}T{clock}{offset}")
    except ValueError:
        raise InvalidError(f"invalid time {quote(text)}, must be RFC 3339") from None
    seconds = int((moment - _EPOCH).total_seconds())
    return seconds * SECOND + int((fraction or "0").ljust(9, "0"))


def _read(body: bytes, reader: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = decode(body, reader, {})
    except JsonError as error:
        raise InvalidError(str(error)) from None
    return found
