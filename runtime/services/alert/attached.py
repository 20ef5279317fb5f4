"""Which handlers get the events of which topic."""

from __future__ import annotations

from collections.abc import ItemsView, Mapping
from dataclasses import dataclass, field

from runtime.alert.types import Event, Handler
from runtime.services.alert.match import Match
from runtime.services.alert.routes import CircleError, Lasting, Routes, targets_of

_NONE: Mapping[str, Attached] = {}


@dataclass(frozen=True, slots=True)
class Attached:
    """A handler that gets the events of a topic.

    Attributes:
        handler: who delivers.
        match: decides about each event; None takes all.
        external: whether it skips events that external handlers must skip.
        context: what log lines say about it.
    """

    handler: Handler
    match: Match | None = None
    external: bool = True
    context: Mapping[str, str] = field(default_factory=dict)

    def wants(self, event: Event) -> bool:
        """True if it gets `event`."""
        if event.no_external and self.external:
            return False
        return self.match is None or self.match.accepts(event)


class Attachments:
    """The handlers of every topic, by their ids."""

    def __init__(self) -> None:
        self._topics: dict[str, dict[str, Attached]] = {}
        self._routes = Routes()

    def of(self, topic: str) -> ItemsView[str, Attached]:
        """The handlers of a topic with their ids."""
        return self._topics.get(topic, _NONE).items()

    def get(self, topic: str, handler: str) -> Attached | None:
        """One handler, or None."""
        return self._topics.get(topic, _NONE).get(handler)

    def attach(self, topic: str, handler: str, attached: Attached) -> None:
        """Let a handler have a topic's events, and begin what it holds."""
        self._topics.setdefault(topic, {})[handler] = attached
        self._routes.add(topic, handler, targets_of(attached.handler))
        if isinstance(attached.handler, Lasting):
            attached.handler.open()

    def detach(self, topic: str, handler: str) -> None:
        """Let a handler have no more events, if it is there, and let go what it holds."""
        attached = self._topics.get(topic, {}).pop(handler, None)
        self._routes.remove(topic, handler)
        if attached is not None and isinstance(attached.handler, Lasting):
            attached.handler.close()

    def replace_all(self, topic: str, handlers: Mapping[str, Attached]) -> None:
        """Let only these handlers, which hold nothing, have a topic's events."""
        self._topics[topic] = dict(handlers)

    def forget(self, topic: str) -> None:
        """Let nobody have a topic's events; its handlers hold nothing."""
        self._topics.pop(topic, None)

    def check_circles(
        self, topic: str, handler: Handler, instead: tuple[str, str] | None
    ) -> None:
        """Refuse a handler that would give a topic its own events.

        Args:
            topic: whose events it is to get.
            handler: what is to be attached.
            instead: topic and id of the one that it replaces, if it replaces one.

        Raises:
            CircleError: it would.
        """
        removed = self._routes.remove(*instead) if instead else ()
        way = self._routes.way_back(topic, targets_of(handler))
        if instead:
            self._routes.add(*instead, removed)
        if way:
            raise CircleError(way)
