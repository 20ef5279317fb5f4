"""The alert service: topics, their handlers, and their stored state.

Everything here runs on the compute thread.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from runtime.alert.inhibition import Inhibitors
from runtime.alert.recovered import Retention
from runtime.alert.topics import Topics
from runtime.alert.types import Event, EventState, Level
from runtime.delivery import Address, Backlog
from runtime.integration import HandlerServices
from runtime.outbound.dialing import Dialer
from runtime.services.alert.admission import Admission
from runtime.services.alert.event_states import EventStates
from runtime.services.alert.loop import Loop
from runtime.services.alert.policy import OPEN, Policy
from runtime.services.alert.state import ANONYMOUS, is_anonymous
from runtime.services.alert.subscriptions import Subscription, Subscriptions
from runtime.services.alert.topic_handlers import TopicHandlers
from runtime.store.database import Store
from runtime.units import Clock

DEFAULT_RETENTION = Retention()
# the key of the numbering of nodes in names of topics
_NUMBERS = ("numbering", "nodes")

_log = logging.getLogger("kapacitor.alert")


class AlertService:
    """Collects events into topics and queues them for the topics' handlers.

    Attributes:
        inhibitors: shared by the alert nodes of all tasks.
        loop: runs handlers on the event loop and their results on the compute thread.
        handlers: handlers that are defined on topics.
        admission: brings new and changed handlers into force.
    """

    def __init__(
        self,
        store: Store,
        backlog: Backlog,
        services: HandlerServices,
        *,
        dialer: Dialer | None = None,
        persist: bool = True,
        disabled: frozenset[str] = frozenset(),
        retention: Retention = DEFAULT_RETENTION,
        clock: Clock = time.time_ns,
    ) -> None:
        """Create a service; `open` restores its stored state.

        Args:
            store: database of states and handlers.
            backlog: pending deliveries.
            services: services that deliver events.
            dialer: opens connections of handlers without a service.
            persist: True to store topic states.
            disabled: kinds whose handlers are stored but do not run.
            retention: time after which states that are OK are deleted, in ns.
            clock: wall clock, in ns since 1970 UTC.
        """
        self.inhibitors = Inhibitors()
        self.loop = Loop()
        self._backlog = backlog
        self._store = store
        self._states = EventStates(
            store, persist=persist, retention=retention, clock=clock
        )
        self._subscriptions = Subscriptions()
        self.handlers = TopicHandlers(
            store, self._states.topics, self._subscriptions, backlog
        )
        self.admission = Admission(
            self.handlers, services, self, dialer or Dialer(), disabled
        )
        self._depth = 0

    @property
    def topics(self) -> Topics:
        """The topics in memory."""
        return self._states.topics

    @property
    def store(self) -> Store:
        """The database."""
        return self._store

    def open(self, policy: Policy = OPEN) -> None:
        """Restore topics and handlers. A handler that fails is logged and skipped.

        Args:
            policy: limits for stored handlers that only a list of the configuration
                allowed; handlers beyond these limits are suspended and their events
                wait.

        Raises:
            StoreError: the database cannot be read.
        """
        self._states.restore()
        self.admission.recall(policy)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Store everything collected inside in one transaction, then deliver it.

        Raises:
            StoreError: it could not be stored; the next transaction will store it too.
                Or the rest of an earlier one still cannot be stored: then nothing was
                collected.
        """
        if not self._depth and self._backlog.has_staged:
            self._flush()
        try:
            with self._collecting():
                yield
        finally:
            if not self._depth:
                self._flush()

    @contextlib.contextmanager
    def staging(self) -> Iterator[bool]:
        """Collect without waiting for the database; the next transaction stores it.

        Yields:
            False if another thread uses the database: then nothing may be collected.
        """
        with self._store.unless_busy() as is_free:
            if not is_free:
                yield False
                return
            with self._collecting():
                yield True

    @property
    def in_transaction(self) -> bool:
        """True inside `transaction`, or inside one of the database."""
        return self._depth > 0 or self._store.in_transaction

    @property
    def has_staged(self) -> bool:
        """True if collected events are not stored yet."""
        return self._backlog.has_staged or self._states.has_changes

    @contextlib.contextmanager
    def _collecting(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            if self._depth == 1:
                self.inhibitors.settle()
            self._depth -= 1

    def collect(self, event: Event) -> None:
        """Record `event` on its topic and offer it to the topic's handlers.

        Raises:
            DeliveryError: it cannot be stored; then nothing has changed.
            StoreError: outside a transaction: the state could not be stored.
        """
        event = self._states.collect(event)
        for name, each in self._subscriptions.of(event.topic):
            if each.wants(event):
                self._backlog.offer(Address(event.topic, name), event, each.recipient)
        if not self._depth:
            self._flush()

    def event_state(self, topic: str, event_id: str) -> EventState | None:
        """The last state of an event id on a topic."""
        found = self.topics.get(topic)
        return None if found is None else found.events.get(event_id)

    def level(self, topic: str) -> Level:
        """The highest level of a topic's events; OK for an unknown topic."""
        return self.topics.level(topic)

    def update_event(self, topic: str, state: EventState) -> None:
        """Record a state without notifying handlers."""
        self._states.put(topic, state)
        if not self._depth:
            self._flush()

    def open_anonymous_topic(
        self, topic: str, handlers: Mapping[str, Subscription], *, task: str
    ) -> None:
        """Open the topic of an alert node, with its stored states."""
        # first store all changes, as the topic is read from the database
        self._flush()
        self._states.restore_topic(topic)
        context = {"task": task}
        opened = {
            name: replace(each, recipient=replace(each.recipient, context=context))
            for name, each in handlers.items()
        }
        self._subscriptions.replace_all(topic, opened)
        for name, each in opened.items():
            self._backlog.resume(Address(topic, name), each.recipient)

    def close_topic(self, topic: str) -> None:
        """Close the topic of an alert node; its stored states stay.

        Pending events are still delivered.
        """
        self._states.close(topic)
        self._subscriptions.forget(topic)

    def delete_topic(self, topic: str) -> None:
        """Delete a topic's events; its handlers stay attached.

        Raises:
            StoreError: the database cannot be written; the topic stays unchanged.
        """
        self._states.delete(topic)

    def sweep(self) -> Iterator[None]:
        """Delete expired OK states and the remains of deleted topics.

        Call this periodically. It yields after each slice.

        Raises:
            StoreError: the database cannot be written; the next write has the changes.
        """
        is_left = True
        while is_left:
            is_left = self._states.forget_recovered()
            if self._states.has_changes and not self._depth:
                self._flush()
            yield
        while self._states.sweep():
            yield

    def delete_anonymous_topics(self, task: str) -> None:
        """Delete the topics of a deleted task."""
        prefix = f"{ANONYMOUS}{task}:"
        waiting = {each.topic for each in self._backlog.queues.addresses()}
        waiting = {topic for topic in waiting if topic.startswith(prefix)}
        for topic in self._states.anonymous_of(task).union(waiting):
            self._backlog.retire_topic(topic)
            self.close_topic(topic)
            self.delete_topic(topic)

    def adopt_numbers(self, renames: Iterable[tuple[str, str]]) -> None:
        """Rename the topics of alert nodes to the current scheme, once per database.

        Until schema 6 a join or union took only one number, not one for each parent.

        Args:
            renames: old and new names; a new name may be the old name of an earlier
                pair.

        Raises:
            StoreError: the database cannot be written.
        """
        if self._store.values.get(*_NUMBERS) is not None:
            return
        with self._store.transaction():
            for old, new in renames:
                self._states.rename(old, new)
                self._backlog.orphans.rename_topic(old, new)
                for spec in self.handlers.matching(old):
                    _log.warning(
                        "the topic of an alert node was renamed: move its handler to "
                        "the new topic",
                        extra={"topic": old, "handler": spec.id, "topic_now": new},
                    )
            self._store.values.put(*_NUMBERS, b"a number for each parent")

    def cancel_orphans(self, is_stopped: Callable[[str], bool]) -> None:
        """Cancel deliveries that an earlier run left for handlers that no longer exist.

        Args:
            is_stopped: returns True if a task of this id exists and does not run.

        Raises:
            StoreError: the database cannot be written.
        """

        def is_expected(address: Address) -> bool:
            if is_anonymous(address.topic):
                return is_stopped(address.topic.split(":")[1])
            return self.handlers.has(*address)

        self._backlog.orphans.cancel_unless(is_expected)

    def _flush(self) -> None:
        with self._store.transaction():
            self._states.write()
            self._backlog.keep()
            # if there is an outer transaction, only after its commit
            self._store.after_commit(self._kept)

    def _kept(self) -> None:
        self._states.written()
        self._backlog.release()
