"""Rows of the table of deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from runtime.alert.types import Event, EventState
from runtime.delivery.messages import Address, Message
from runtime.store.database import Store

COLUMNS = (
    "id, topic, handler, event_id, event, state, attempts, created, due, error,"
    " maybe_duplicate"
)
# ended messages; the partial index needs this wording
ENDED = "state <> 'pending'"
PENDING = "topic = ? AND handler = ? AND state = 'pending'"
# Rows that one transaction examines: others use the database in between.
SLICE = 250
_INT64_MAX = 2**63 - 1


def ranges(
    store: Store,
    condition: str,
    size: Callable[[], int],
    *,
    after: int = 0,
    last: int = _INT64_MAX,
) -> Iterator[tuple[int, int]]:
    """Ranges of ids with a slice of rows each, as (greater than, up to).

    Args:
        store: database of the rows.
        condition: SQL condition that an index serves in order.
        size: returns the number of rows of the next slice.
        after: id after which the first slice begins.
        last: last id.
    """
    # by the last id of a slice: an OFFSET would read all earlier rows again, and a
    # fixed range of ids, which have gaps, may be empty or full
    while True:
        [[high]] = store.query(
            f"SELECT max(id) FROM (SELECT id FROM deliveries WHERE {condition}"
            " AND id > ? AND id <= ? ORDER BY id LIMIT ?)",
            (after, last, size()),
        )
        if high is None:
            return
        yield after, high
        after = high


def values_of(message: Message, event: bytes) -> tuple[Any, ...]:
    """The row of a message, in the order of the columns; `event` is encoded."""
    return (
        message.id,
        message.address.topic,
        message.address.handler,
        message.event.state.id,
        event,
        message.state,
        message.attempts,
        message.created,
        message.due,
        message.error,
        message.maybe_duplicate,
    )


def message_of(row: Sequence[Any]) -> Message:
    """The message of a row; one that is damaged is a dead letter."""
    number, topic, handler, event_id, blob, state, *rest = row
    attempts, created, due, error, maybe_duplicate = rest
    try:
        event = msgspec.msgpack.decode(blob, type=Event)
        if event.topic != topic:
            # the topic was renamed
            event = replace(event, topic=topic)
    except msgspec.MsgspecError:
        # a dead letter that can be seen and discarded, rather than a handler that stops
        event = Event(topic, EventState(event_id))
        state, error = "dead", "the stored event is damaged"
    return Message(
        number,
        Address(topic, handler),
        event,
        state,
        attempts,
        created,
        due,
        error,
        bool(maybe_duplicate),
    )
