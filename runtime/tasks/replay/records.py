"""Recordings and replays as they are stored and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import msgspec

from runtime.services.httpd.messages import BASE, self_link
from runtime.units import ZERO_TIME, Nanoseconds, rfc3339

T = TypeVar("T")
Status = Literal["running", "finished", "failed"]


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of points, or of answers to queries.

    Attributes:
        id: name, also of the file.
        type: `stream` or `batch`.
        size: size of the file, in bytes.
        date: end of the run, or its start while it runs.
        error: reason of a failure, or "".
        status: `running`, `finished` or `failed`.
        progress: completed share, from 0 to 1.
    """

    id: str
    type: str = "stream"
    size: int = 0
    date: Nanoseconds = ZERO_TIME
    error: str = ""
    status: Status = "running"
    progress: float = 0.0

    @property
    def tree(self) -> dict[str, Any]:
        """The recording as JSON shows it."""
        return {
            "link": self_link(f"{BASE}/recordings/{self.id}"),
            "id": self.id,
            "type": self.type,
            "size": self.size,
            "date": rfc3339(self.date),
            "error": self.error,
            "status": self.status,
            "progress": self.progress,
        }

    def encode(self) -> bytes:
        """Encode for the store."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, stored: bytes) -> Recording:
        """Decode the output of `encode`."""
        return _decoded(stored, cls)


@dataclass(frozen=True, slots=True)
class Replay:
    """A recording that is fed to a task.

    Attributes:
        id: its name.
        task: the task's id.
        recording: the recording's id.
        recording_time: True to keep the times of the points.
        clock: `fast`, or `real` to keep the intervals between points.
        date: end of the run, or its start while it runs.
        error: reason of a failure, or "".
        status: `running`, `finished` or `failed`.
        progress: completed share, from 0 to 1.
        stats: the task's counters at the end.
    """

    id: str
    task: str = ""
    recording: str = ""
    recording_time: bool = False
    clock: str = "fast"
    date: Nanoseconds = ZERO_TIME
    error: str = ""
    status: Status = "running"
    progress: float = 0.0
    stats: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tree(self) -> dict[str, Any]:
        """The replay as JSON shows it."""
        return {
            "link": self_link(f"{BASE}/replays/{self.id}"),
            "id": self.id,
            "task": self.task,
            "recording": self.recording,
            "recording-time": self.recording_time,
            "clock": self.clock,
            "date": rfc3339(self.date),
            "error": self.error,
            "status": self.status,
            "progress": self.progress,
            "stats": self.stats or {"task-stats": None, "node-stats": None},
        }

    def encode(self) -> bytes:
        """Encode for the store."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, stored: bytes) -> Replay:
        """Decode the output of `encode`."""
        return _decoded(stored, cls)


def _decoded(stored: bytes, cls: type[T]) -> T:
    try:
        return msgspec.json.decode(stored, type=cls)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
