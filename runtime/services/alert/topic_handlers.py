"""The handlers that are defined on topics."""

from __future__ import annotations

from operator import itemgetter

from runtime.alert.topics import Topics
from runtime.compute.worker import paced
from runtime.delivery import Address, Backlog
from runtime.errors import NotFoundError, OptionsError
from runtime.golang.glob import match as glob_match
from runtime.golang.quoting import quote
from runtime.services.alert.specs import HandlerSpec, HandlerSpecs
from runtime.services.alert.subscriptions import Subscription, Subscriptions
from runtime.store.database import Store

# Number of handlers that a list reads between two pauses.
_TURN = 500


class UnknownHandlerError(NotFoundError):
    """The topic has no handler of that id."""

    def __init__(self, handler: str) -> None:
        super().__init__(f"unknown handler: {quote(handler)}")


class TopicHandlers:
    """The specs of all topic handlers, and the running handlers.

    Changed on the compute thread only; any thread may read.
    """

    def __init__(
        self,
        store: Store,
        topics: Topics,
        subscriptions: Subscriptions,
        backlog: Backlog,
    ) -> None:
        """Begin without handlers; `admission` adds the stored ones.

        Args:
            store: database of the specs.
            topics: topics in memory, with all topics that have a handler.
            subscriptions: running handlers of all topics.
            backlog: pending deliveries.
        """
        self._store = store
        self._stored = HandlerSpecs(store)
        self._topics = topics
        self._subscriptions = subscriptions
        self._backlog = backlog
        self._specs: dict[str, dict[str, HandlerSpec]] = {}

    def matching(self, topic: str, pattern: str = "") -> list[HandlerSpec]:
        """The handlers of a topic whose id matches, by id.

        Raises:
            PatternError: the pattern is malformed.
        """
        glob_match(pattern, "")  # a topic without handlers must not hide a bad one
        specs = self._specs.get(topic, {})
        # from a copy: another thread may call this
        ordered = sorted([*specs.items()], key=itemgetter(0))
        return [spec for key, spec in paced(ordered, _TURN) if glob_match(pattern, key)]

    def get(self, topic: str, handler: str) -> HandlerSpec:
        """One handler.

        Raises:
            UnknownHandlerError: the topic has no handler of that id.
        """
        try:
            return self._specs[topic][handler]
        except KeyError:
            raise UnknownHandlerError(handler) from None

    def has(self, topic: str, handler: str) -> bool:
        """True if the topic has a handler of that id."""
        return handler in self._specs.get(topic, {})

    def running(self, spec: HandlerSpec) -> Subscription | None:
        """The running handler of a spec; None if it is disabled or failed."""
        return self._subscriptions.get(spec.topic, spec.id)

    def stored(self) -> list[HandlerSpec]:
        """Read the specs of an earlier run, without starting their handlers.

        Raises:
            StoreError: the database cannot be read.
        """
        found = self._stored.all()
        for spec in found:
            self._note(spec)
        return found

    def reject(self, spec: HandlerSpec, reason: str) -> None:
        """Note that a stored spec cannot be used."""
        self._stored.reject(spec, reason)

    def check(
        self, spec: HandlerSpec, targets: tuple[str, ...], before: HandlerSpec | None
    ) -> None:
        """Refuse a handler whose id is taken, or which would close a cycle of topics.

        Args:
            spec: requested handler.
            targets: topics that it publishes to.
            before: handler that it replaces, or None.

        Raises:
            CycleError: a topic would receive its own events.
            OptionsError: the id is taken by a handler other than `before`.
        """
        if before is None and self.has(spec.topic, spec.id):
            raise OptionsError(
                "cannot register handler, handler with ID "
                f"{quote(spec.id)} already exists"
            )
        instead = None if before is None else (before.topic, before.id)
        self._subscriptions.check_cycles(spec.topic, targets, instead)

    def put(self, spec: HandlerSpec, before: HandlerSpec | None) -> None:
        """Store a spec, replacing `before` if given.

        Raises:
            StoreError: the database cannot be written; nothing has changed.
        """
        with self._store.transaction():
            if before is not None and spec.id != before.id:
                self._stored.delete(before.topic, before.id)
            self._stored.put(spec)

    def attach(
        self,
        spec: HandlerSpec,
        subscription: Subscription | None,
        before: HandlerSpec | None,
    ) -> None:
        """Pass the events of a topic to a handler from now on.

        Args:
            spec: stored spec.
            subscription: its handler; None if the kind is disabled.
            before: handler that it replaces, or None.
        """
        if before is not None and spec.id != before.id:
            self._detach(before.topic, before.id)
        self._note(spec)
        self._subscriptions.remove(spec.topic, spec.id)
        if subscription is None:
            return
        self._subscriptions.add(spec.topic, spec.id, subscription)
        self._topics.opened(spec.topic)
        self._backlog.resume(Address(spec.topic, spec.id), subscription.recipient)

    def delete(self, topic: str, handler: str) -> None:
        """Delete a handler, if it exists; its pending events are tried once more.

        Raises:
            StoreError: the database cannot be written; the handler stays.
        """
        self._stored.delete(topic, handler)
        self._detach(topic, handler)

    def _note(self, spec: HandlerSpec) -> None:
        self._specs.setdefault(spec.topic, {})[spec.id] = spec

    def _detach(self, topic: str, handler: str) -> None:
        self._backlog.retire(Address(topic, handler))
        self._specs.get(topic, {}).pop(handler, None)
        self._subscriptions.remove(topic, handler)
