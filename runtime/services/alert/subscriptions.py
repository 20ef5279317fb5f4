"""Subscriptions of handlers to topics."""

from __future__ import annotations

from collections.abc import ItemsView, Mapping
from dataclasses import dataclass
from typing import Protocol

from runtime.alert.types import Event, Recipient
from runtime.services.alert.match import Match
from runtime.services.alert.routes import CycleError, TopicRoutes

_NONE: Mapping[str, Subscription] = {}


class Stateful(Protocol):
    """A handler that keeps state between events."""

    def open(self) -> None:
        """Start; called on the compute thread when the handler subscribes."""

    def close(self) -> None:
        """Stop; called on the compute thread when the handler unsubscribes."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A handler subscribed to a topic, with its settings.

    Attributes:
        recipient: handler that delivers the events, and its limits.
        options: decoded options, an object with the fields of its kind.
        match: predicate that selects events; None for all.
        external: True to skip events that are not for external handlers.
        targets: topics of this server that it publishes to.
        stateful: the handler, if it keeps data between events, or None.
    """

    recipient: Recipient
    options: object = None
    match: Match | None = None
    external: bool = True
    targets: tuple[str, ...] = ()
    stateful: Stateful | None = None

    def wants(self, event: Event) -> bool:
        """True if the handler receives `event`."""
        if event.no_external and self.external:
            return False
        return self.match is None or self.match.accepts(event)


class Subscriptions:
    """The handlers of every topic, by their ids."""

    def __init__(self) -> None:
        self._topics: dict[str, dict[str, Subscription]] = {}
        self._routes = TopicRoutes()

    def of(self, topic: str) -> ItemsView[str, Subscription]:
        """The handlers of a topic with their ids."""
        return self._topics.get(topic, _NONE).items()

    def get(self, topic: str, handler: str) -> Subscription | None:
        """One handler, or None."""
        return self._topics.get(topic, _NONE).get(handler)

    def add(self, topic: str, handler: str, added: Subscription) -> None:
        """Subscribe a handler to a topic, and start it."""
        self._topics.setdefault(topic, {})[handler] = added
        self._routes.add(topic, handler, added.targets)
        if added.stateful is not None:
            added.stateful.open()

    def remove(self, topic: str, handler: str) -> None:
        """Unsubscribe a handler, if it exists, and stop it."""
        removed = self._topics.get(topic, {}).pop(handler, None)
        self._routes.remove(topic, handler)
        if removed is not None and removed.stateful is not None:
            removed.stateful.close()

    def replace_all(self, topic: str, handlers: Mapping[str, Subscription]) -> None:
        """Replace a topic's subscriptions with these stateless handlers."""
        self._topics[topic] = dict(handlers)

    def forget(self, topic: str) -> None:
        """Remove all handlers of a topic, and stop them."""
        self._topics.pop(topic, None)

    def check_cycles(
        self, topic: str, targets: tuple[str, ...], instead: tuple[str, str] | None
    ) -> None:
        """Refuse a handler that would create a cycle of topics.

        Args:
            topic: topic that the handler listens to.
            targets: topics that it publishes to.
            instead: topic and id of the handler that it replaces, or None.

        Raises:
            CycleError: the handler would create a cycle.
        """
        removed = self._routes.remove(*instead) if instead else ()
        way = self._routes.way_back(topic, targets)
        if instead:
            self._routes.add(*instead, removed)
        if way:
            raise CycleError(way)
