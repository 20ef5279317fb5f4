"""Routes of events between topics."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import chain

from runtime.errors import InvalidError
from runtime.golang.quoting import quote


class CycleError(InvalidError):
    """Handlers would publish events in a cycle."""

    def __init__(self, way: Sequence[str]) -> None:
        text = "handlers would publish events in a cycle: "
        super().__init__(text + " -> ".join(map(quote, way)))


class TopicRoutes:
    """The topics to which the handlers of each topic publish."""

    def __init__(self) -> None:
        # topic → the target topics of its publishing handlers, by their ids
        self._targets: dict[str, dict[str, Sequence[str]]] = {}
        # topic → the topics with handlers that publish to it, and their number
        self._sources: dict[str, Counter[str]] = {}

    def add(self, topic: str, handler: str, targets: Sequence[str]) -> None:
        """Add a handler that publishes a topic's events to other topics."""
        if not targets:
            return
        self._targets.setdefault(topic, {})[handler] = targets
        for target in targets:
            self._sources.setdefault(target, Counter())[topic] += 1

    def remove(self, topic: str, handler: str) -> Sequence[str]:
        """Remove a handler; return its former targets."""
        handlers = self._targets.get(topic, {})
        targets = handlers.pop(handler, ())
        if not handlers:
            self._targets.pop(topic, None)
        for target in targets:
            sources = self._sources[target]
            sources[topic] -= 1
            if not sources[topic]:
                del sources[topic]
            if not sources:
                del self._sources[target]
        return targets

    def way_back(self, topic: str, first: Sequence[str]) -> list[str]:
        """The path on which events of a topic would return to it; empty without one.

        The search runs from both ends and stops when the shorter one is exhausted:
        there may be many connected topics, and most new handlers are at the edge.

        Args:
            topic: topic where the search begins.
            first: target topics of its new handler.
        """
        # for each topic that was reached, the topic before it
        ahead: dict[str, str] = dict.fromkeys(first, topic)
        behind: dict[str, str] = {topic: ""}
        forth, back = deque(ahead), deque(behind)
        while forth and back:
            here = forth.popleft()
            if here in behind:
                return _joined(topic, here, ahead, behind)
            for target in self._targets_of(here):
                if target not in ahead:
                    ahead[target] = here
                    forth.append(target)
            here = back.popleft()
            if here in ahead:
                return _joined(topic, here, ahead, behind)
            for source in self._sources.get(here, ()):
                if source not in behind:
                    behind[source] = here
                    back.append(source)
        return []

    def _targets_of(self, topic: str) -> Iterator[str]:
        return chain.from_iterable(self._targets.get(topic, {}).values())


def _joined(
    topic: str, middle: str, ahead: dict[str, str], behind: dict[str, str]
) -> list[str]:
    """The path from a topic through a meeting point and back."""
    way = [middle]
    while len(way) == 1 or way[0] != topic:
        way.insert(0, ahead[way[0]])
    while way[-1] != topic:
        way.append(behind[way[-1]])
    return way
