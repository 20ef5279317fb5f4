"""Events on their way to handlers, and selections of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from runtime.alert.types import Event
from runtime.units import Nanoseconds

State = Literal["pending", "dead", "cancelled"]
# characters that make an id of a filter a shell pattern
_WILDCARDS = "*?["


class Address(NamedTuple):
    """The destination of events: one handler of one topic.

    Attributes:
        topic: the topic's id.
        handler: the handler's id, unique on its topic and the same after a restart.
    """

    topic: str
    handler: str


@dataclass(frozen=True, slots=True)
class Message:
    """One event for one handler.

    Attributes:
        id: increasing number, in the order of events.
        address: topic and handler of the delivery.
        event: event to deliver.
        state: `pending`, `dead` for a dead letter, or `cancelled` if its handler was
            deleted.
        attempts: number of failed attempts.
        created: time at which the event was collected, on the outbox's timeline.
        due: earliest time of the next attempt, on the same timeline.
        error: the last failure, without secrets.
        maybe_duplicate: True if the endpoint may have received it already.
    """

    id: int
    address: Address
    event: Event
    state: State = "pending"
    attempts: int = 0
    created: Nanoseconds = 0
    due: Nanoseconds = 0
    error: str = ""
    maybe_duplicate: bool = False


class Note(NamedTuple):
    """The progress of a running attempt.

    Attributes:
        message: the message being delivered.
        progress: its progress, as its handler writes it.
        memory: new memory of the handler for the event's ID; b"" for none, None if it
            stays as it is.
    """

    message: Message
    progress: bytes
    memory: bytes | None = None


class Waiting(NamedTuple):
    """Messages that wait for one handler.

    Attributes:
        address: topic and handler of the messages.
        size: number of messages.
        newest: greatest id of these messages.
    """

    address: Address
    size: int
    newest: int


class DeliveryFilter(NamedTuple):
    """A selection of deliveries; empty fields select everything.

    Attributes:
        state: state of the messages.
        topic: the id of their topic, or a shell pattern for it.
        handler: the id of their handler, or a shell pattern for it.
    """

    state: str = ""
    topic: str = ""
    handler: str = ""

    @property
    def condition(self) -> tuple[str, list[Any]]:
        """The filter as an SQL condition, with its parameters."""
        parts, values = ["1"], list[Any]()
        if self.state:
            # the partial index has the messages that no longer wait
            parts.append("state <> 'pending'" if self.state != "pending" else "1")
            parts.append("state = ?")
            values.append(self.state)
        for column, value in (("topic", self.topic), ("handler", self.handler)):
            if value:
                is_pattern = any(char in value for char in _WILDCARDS)
                parts.append(f"{column} {'GLOB' if is_pattern else '='} ?")
                values.append(value)
        return " AND ".join(parts), values


def exactly(id: str) -> str:
    """The shell pattern that matches only `id`."""
    return "".join(f"[{char}]" if char in _WILDCARDS else char for char in id)
