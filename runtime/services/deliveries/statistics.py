"""Statistics of deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.delivery import Backlog
from runtime.delivery.queue import NUMBERS, Counters


@dataclass(frozen=True, slots=True)
class HandlerStatistics:
    """The statistics of one handler.

    Attributes:
        topic: the id of its topic.
        handler: its id.
        task: id of the task with the alert node, or "".
        values: counters since the start, by name: `delivered`, `failed`, `retried`,
            `dead`, `cancelled`, `discarded`, `dropped` (always 0); `pending` events and
            the `oldest_age_s` of those in memory.
        reasons: failed attempts by reason: `auth`, `deferred`, `failed`, `limited`,
            `rejected`, `unreachable`.
        trouble: reason why the handler is only probed, or "".
    """

    topic: str
    handler: str
    task: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""


def delivery_statistics(backlog: Backlog) -> list[HandlerStatistics]:
    """The statistics of each handler; from any thread.

    Deleted handlers share an empty topic and handler.
    """
    found = [
        HandlerStatistics(
            queue.address.topic,
            queue.address.handler,
            queue.recipient.context.get("task", ""),
            {
                **_values(queue.counters),
                "pending": queue.pending,
                "oldest_age_s": backlog.queues.age_s(queue, backlog.now()),
            },
            dict(queue.counters.reasons),
            queue.trouble or "",
        )
        for queue in backlog.queues.all()
    ]
    found += [
        HandlerStatistics(
            *waiting.address, "", {**_values(Counters()), "pending": waiting.size}
        )
        for waiting in backlog.orphans.all()
    ]
    former = backlog.queues.former
    found.append(HandlerStatistics("", "", "", _values(former), dict(former.reasons)))
    return found


def delivery_variables(backlog: Backlog) -> dict[str, dict[str, Any]]:
    """The same statistics in the form of `/debug/vars`."""
    return {
        f"delivery:{each.topic}:{each.handler}": {
            "name": "delivery",
            "tags": {
                name: value
                for name, value in (
                    ("topic", each.topic),
                    ("handler", each.handler),
                    ("task", each.task),
                )
                if value
            },
            "values": {
                **each.values,
                **{f"failed_{name}": count for name, count in each.reasons.items()},
            },
        }
        for each in delivery_statistics(backlog)
    }


def _values(counters: Counters) -> dict[str, float]:
    values: dict[str, float] = {name: getattr(counters, name) for name in NUMBERS}
    values["dropped"] = 0
    return values
