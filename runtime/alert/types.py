"""Alerts: levels, event state, event data, events."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from runtime.units import Nanoseconds

FieldValue = float | int | str | bool


class Level(enum.IntEnum):
    """The severity of an alert; ordered. `str()` gives Kapacitor's word."""

    OK = 0
    INFO = 1
    WARNING = 2
    CRITICAL = 3

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, text: str) -> Level:
        """The level that `text` names, in any case and perhaps abbreviated (`warn`).

        An empty string is OK.

        Raises:
            ValueError: the level is unknown.
        """
        upper = text.upper()
        for level in cls:
            if level.name.startswith(upper):
                return level
        raise ValueError(f"unknown alert level '{upper}'")


@dataclass(frozen=True, slots=True)
class Row:
    """The points behind an event, as Kapacitor's JSON shows them.

    Attributes:
        name: the measurement.
        tags: tags common to all points.
        columns: `time`, then the other columns sorted.
        values: one sequence per point in column order; times are ns since 1970 UTC,
            None where a point lacks the column.
    """

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] = ("time",)
    values: Sequence[Sequence[FieldValue | None]] = ()


@dataclass(frozen=True, slots=True)
class EventState:
    """The state of one event id on a topic.

    Attributes:
        id: event id, unique within its topic.
        message: rendered message.
        details: rendered details (HTML).
        time: time of the point that caused it, in ns since 1970 UTC.
        duration: time since the alert left OK, in ns.
        level: the new level.
    """

    id: str
    message: str = ""
    details: str = ""
    time: Nanoseconds = 0
    duration: Nanoseconds = 0
    level: Level = Level.OK


@dataclass(frozen=True, slots=True)
class EventData:
    """The data from which an event was computed.

    Attributes:
        name: measurement.
        task_name: id of the task.
        category: the alert node's category, or "".
        group: group id; "" without grouping.
        tags: tags of the point, or of the group for batches.
        fields: fields of the point that decided.
        recoverable: True if a recovery will follow.
        result: the rows behind the event.
    """

    name: str = ""
    task_name: str = ""
    category: str = ""
    group: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    recoverable: bool = True
    result: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One change or repetition of an alert, on its way to handlers.

    Attributes:
        topic: topic that collected it.
        state: its state now.
        data: data of the event.
        previous_level: level of the last event with this id on this topic.
        no_external: set on events that external handlers must skip.
        hops: number of topics that it passed through before this one.
    """

    topic: str
    state: EventState
    data: EventData = field(default_factory=EventData)
    previous_level: Level = Level.OK
    no_external: bool = False
    hops: int = 0


TEMPLATE_NAMES = (
    *("ID", "Message", "Level", "Time", "Duration", "Details", "Name", "TaskName"),
    *("Group", "Tags", "Fields"),
)
"""The names of an event in templates, unless their scope says otherwise.

Source: Kapacitor alert.TemplateData.
"""
SCOPE_NAMES = (
    *TEMPLATE_NAMES,
    *("Category", "PreviousLevel", "Recoverable", "Data", "Result"),
)
"""The names that the scope of a template may have."""


class Handler(Protocol):
    """Takes events, one at a time and in order."""

    async def handle(self, event: Event) -> None:
        """Deliver `event`.

        Raises:
            DeliveryError: it was not delivered.
        """


@dataclass(frozen=True, slots=True)
class Recipient:
    """A handler and its delivery settings.

    Attributes:
        handler: handler that delivers.
        is_serial: True for one event at a time, in the order of all events, as required
            by readers of the output. Otherwise only events of one id are ordered.
        context: values for log lines, in addition to topic and handler: `task`.
    """

    handler: Handler
    is_serial: bool = False
    context: Mapping[str, str] = field(default_factory=dict)
