"""The bodies of requests for recordings and replays."""

from __future__ import annotations

import datetime
import re
from typing import Any

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


def recording_body(body: bytes) -> dict[str, Any]:
    """Decode a request for a recording.

    Raises:
        RefusedError: it is not JSON of the right shape.
    """
    return _read(body, _RECORDING)


def replay_body(body: bytes) -> dict[str, Any]:
    """Decode a request for a replay.

    Raises:
        RefusedError: the JSON is invalid or has the wrong shape, or the clock is unknown.
    """
    found = _read(body, _REPLAY)
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
