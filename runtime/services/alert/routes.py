"""Where handlers send events inside this server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from runtime.alert.types import Handler
from runtime.errors import OptionsError
from runtime.golang.quoting import quote


class CircleError(OptionsError):
    """Handlers would give a topic its own events."""

    def __init__(self, way: Sequence[str]) -> None:
        text = "events would go round in circles: "
        super().__init__(text + " -> ".join(map(quote, way)))


@runtime_checkable
class Lasting(Protocol):
    """A handler that holds something between events."""

    def open(self) -> None:
        """Begin; on the compute thread, as it is attached to its topic."""

    def close(self) -> None:
        """Let go of what it holds; on the compute thread, as it is detached."""


def targets_of(handler: Handler) -> Sequence[str]:
    """The topics that a handler gives events to."""
    targets: Sequence[str] = getattr(handler, "targets", ())
    return targets


def way_back(
    topic: str, first: Sequence[str], targets: Mapping[str, Sequence[str]]
) -> list[str]:
    """The way on which events of a topic come back to it; empty if they do not.

    Args:
        topic: where they start.
        first: where its new handler gives them.
        targets: where the handlers of each topic give its events.
    """
    ways = [[topic, target] for target in first]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] == topic:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, target] for target in targets.get(way[-1], ())]
    return []
