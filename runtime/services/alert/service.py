"""The alert service: topics, their handlers, and what survives a restart.

Everything here runs on the compute thread.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import itemgetter

from runtime.alert.inhibition import Inhibitors
from runtime.alert.recovered import Retention
from runtime.alert.topics import Topics
from runtime.alert.types import Event, EventState, Recipient
from runtime.compute.worker import paced
from runtime.delivery import Address, Backlog
from runtime.errors import ForbiddenError, NotFoundError, OptionsError
from runtime.golang.glob import match as glob_match
from runtime.golang.quoting import quote
from runtime.integration import HandlerServices
from runtime.outbound.dialing import Dialer
from runtime.services.alert.event_states import EventStates
from runtime.services.alert.handlers import HandlerContext, check_definition, made
from runtime.services.alert.loop import Loop
from runtime.services.alert.match import Match
from runtime.services.alert.policy import OPEN, ForbiddenHandler, Policy
from runtime.services.alert.specs import (
    HandlerSpec,
    HandlerSpecs,
    check_secrets,
    restored,
)
from runtime.services.alert.state import ANONYMOUS, is_anonymous
from runtime.services.alert.subscriptions import Subscription, Subscriptions
from runtime.store.database import Store
from runtime.units import Clock

DEFAULT_RETENTION = Retention()
# the key of the numbering of nodes in the database's topics
_NUMBERS = ("numbering", "nodes")
# Handlers that a list looks at between two pauses.
_TURN = 500

_log = logging.getLogger("kapacitor.alert")


class UnknownHandlerError(NotFoundError):
    """The topic has no handler of that id."""

    def __init__(self, handler: str) -> None:
        super().__init__(f"unknown handler: {quote(handler)}")


class AlertService:
    """Collects events into topics and offers them to the topics' handlers.

    Attributes:
        inhibitors: shared by the alert nodes of all tasks.
        loop: runs handlers on the event loop and their results on the compute thread.
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
        """Make a service; `open` restores what was stored.

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
        self._services = services
        self._dialer = dialer or Dialer()
        self._disabled = disabled
        self._store = store
        self._states = EventStates(
            store, persist=persist, retention=retention, clock=clock
        )
        self._stored_specs = HandlerSpecs(store)
        self._specs: dict[str, dict[str, HandlerSpec]] = {}
        self._subscriptions = Subscriptions()
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
        """Restore topics and handlers. A handler that fails is logged and absent.

        Args:
            policy: limits for stored handlers that only a list of the configuration
                allowed; handlers beyond these limits are suspended and their events
                wait.

        Raises:
            StoreError: the database cannot be read.
        """
        self._states.restore()
        for spec in self._stored_specs.all():
            self._specs.setdefault(spec.topic, {})[spec.id] = spec
            try:
                found = self._permitted(spec, self._made(spec), policy)
            # the server starts with any stored spec, however damaged
            except Exception as error:
                self._stored_specs.reject(spec, str(error))
                _log.error(
                    "failed to load handler on startup",
                    extra={
                        "topic": spec.topic,
                        "handler": spec.id,
                        "err": str(error),
                    },
                )
            else:
                self._subscribe(spec, found)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything collected inside in one transaction, then deliver it.

        Raises:
            StoreError: it could not be kept; it will be with the next transaction. Or
                what is left of an earlier one still cannot be: then nothing was done.
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
        """Collect without waiting for the database; the next transaction keeps it.

        Yields:
            False if another thread uses the database: then nothing must be done.
        """
        with self._store.unless_busy() as is_free:
            if not is_free:
                yield False
                return
            with self._collecting():
                yield True

    @property
    def has_staged(self) -> bool:
        """True if something was collected that is not kept yet."""
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
            DeliveryError: it cannot be stored; then nothing was done.
            StoreError: outside a transaction: the state could not be kept.
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

    def update_event(self, topic: str, state: EventState) -> None:
        """Record a state that no handler is to hear of."""
        self._states.put(topic, state)
        if not self._depth:
            self._flush()

    def open_anonymous_topic(
        self, topic: str, handlers: Mapping[str, Subscription], *, task: str
    ) -> None:
        """Open the topic of an alert node, with what was stored of it."""
        # memory and database must agree
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
        """Close the topic of an alert node; what is stored of it stays.

        Events that wait for its handlers are still delivered.
        """
        self._states.close(topic)
        self._subscriptions.forget(topic)

    def delete_topic(self, topic: str) -> None:
        """Forget a topic's events; its handlers get those to come.

        Raises:
            StoreError: the database cannot be written; the topic is as it was.
        """
        self._states.delete(topic)

    def sweep(self) -> Iterator[None]:
        """Forget states that have long been OK, and the rest of deleted topics.

        To be called now and then. Yields after each slice.

        Raises:
            StoreError: the database cannot be written; it is done with the next write.
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
        """Forget the topics of a task that is deleted."""
        waiting = self._backlog.topics(f"{ANONYMOUS}{task}:")
        for topic in self._states.anonymous_of(task).union(waiting):
            self._backlog.retire_topic(topic)
            self.close_topic(topic)
            self.delete_topic(topic)

    def adopt_numbers(self, renames: Iterable[tuple[str, str]]) -> None:
        """Give the topics of alert nodes their names of today, once for each database.

        Until schema 6 a join or union took one number, whatever its parents.

        Args:
            renames: old and new names; a new one may be the old one of an earlier pair.

        Raises:
            StoreError: the database cannot be written.
        """
        if self._store.get(*_NUMBERS) is not None:
            return
        with self._store.transaction():
            for old, new in renames:
                self._states.rename(old, new)
                self._backlog.rename_topic(old, new)
                for handler in self._specs.get(old, {}):
                    _log.warning(
                        "the topic of an alert node was renamed: move its handler to "
                        "the new topic",
                        extra={"topic": old, "handler": handler, "topic_now": new},
                    )
            self._store.put(*_NUMBERS, b"a number for each parent")

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
            return address.handler in self._specs.get(address.topic, {})

        self._backlog.cancel_orphans(is_expected)

    def handlers(self, topic: str, pattern: str = "") -> list[HandlerSpec]:
        """The handlers of a topic whose id matches, by id; any thread may ask.

        Raises:
            PatternError: the pattern is malformed.
        """
        glob_match(pattern, "")  # a topic without handlers must not hide a bad one
        specs = self._specs.get(topic, {})
        # of a copy: another thread may ask
        ordered = sorted([*specs.items()], key=itemgetter(0))
        return [spec for key, spec in paced(ordered, _TURN) if glob_match(pattern, key)]

    def handler(self, topic: str, handler: str) -> HandlerSpec:
        """One handler.

        Raises:
            UnknownHandlerError: there is none.
        """
        try:
            return self._specs[topic][handler]
        except KeyError:
            raise UnknownHandlerError(handler) from None

    def running(self, spec: HandlerSpec) -> Subscription | None:
        """The running handler of a spec; None if it is disabled or failed."""
        return self._subscriptions.get(spec.topic, spec.id)

    def register(self, spec: HandlerSpec, policy: Policy = OPEN) -> None:
        """Add a handler to its topic.

        Args:
            spec: requested handler.
            policy: limits for the client that sent the request.

        Raises:
            ForbiddenError: the policy is against it.
            PlaceholderError: `***` is in place of a secret.
            OptionsError: its kind, options or match are wrong, or its id is taken.
        """
        restored(spec.options, None)
        made = self._made(spec, policy)
        _check(made)
        spec = replace(spec, is_listed=policy.lists(spec.kind, spec.options))
        if spec.id in self._specs.get(spec.topic, {}):
            raise OptionsError(
                "cannot register handler, handler with ID "
                f"{quote(spec.id)} already exists"
            )
        if made is not None:
            self._subscriptions.check_cycles(spec.topic, made.targets, None)
        self._stored_specs.put(spec)
        self._run(spec, made)

    def update(
        self, before: HandlerSpec, spec: HandlerSpec, policy: Policy = OPEN
    ) -> HandlerSpec:
        """Put `spec` in the place of `before`; what is in force then.

        Secrets that a client sent back as it was shown them stay what they were.
        Events that wait for the former handler are delivered by the new one.

        Raises:
            ForbiddenError: the policy is against it.
            OptionsError: its kind, options or match are wrong.
        """
        if spec.topic != before.topic:
            raise OptionsError("cannot change topic in update")
        options = restored(spec.options, before.options)
        listed = policy.lists(spec.kind, options)
        spec = replace(spec, options=options, is_listed=listed)
        made = self._made(spec, policy)
        _check(made)
        if made is not None:
            instead = before.topic, before.id
            self._subscriptions.check_cycles(spec.topic, made.targets, instead)
        # what runs is what is stored: nothing changes before that is
        with self._store.transaction():
            if spec.id != before.id:
                self._stored_specs.delete(before.topic, before.id)
            self._stored_specs.put(spec)
        if spec.id != before.id:
            self._drop(before.topic, before.id)
        self._run(spec, made)
        return spec

    def deregister(self, topic: str, handler: str) -> None:
        """Drop a handler, if there is one; what waits for it is tried once more.

        Raises:
            StoreError: the database cannot be written; the handler is as it was.
        """
        self._stored_specs.delete(topic, handler)
        self._drop(topic, handler)

    def _drop(self, topic: str, handler: str) -> None:
        self._backlog.retire(Address(topic, handler))
        self._specs.get(topic, {}).pop(handler, None)
        self._subscriptions.remove(topic, handler)

    def _run(self, spec: HandlerSpec, made: Subscription | None) -> None:
        self._specs.setdefault(spec.topic, {})[spec.id] = spec
        self._subscribe(spec, made)

    def _subscribe(self, spec: HandlerSpec, made: Subscription | None) -> None:
        self._subscriptions.remove(spec.topic, spec.id)
        if made is None:
            return
        self._subscriptions.add(spec.topic, spec.id, made)
        self.topics.opened(spec.topic)
        self._backlog.resume(Address(spec.topic, spec.id), made.recipient)

    def _made(self, spec: HandlerSpec, policy: Policy = OPEN) -> Subscription | None:
        """The running handler of a spec; None where its kind is disabled."""
        if spec.kind in self._disabled:
            _log.error(f"handler '{spec.kind}' is disabled")
            return None
        policy.check_references(spec.options)
        context = HandlerContext(spec.topic, spec.id, self, self._dialer)
        found = made(spec.kind, spec.options or {}, self._services, context)
        policy.check(spec.kind, found.options)
        match = Match.compile(spec.match) if spec.match else None
        return replace(found, match=match)

    def _permitted(
        self, spec: HandlerSpec, made: Subscription | None, policy: Policy
    ) -> Subscription | None:
        """The handler for a spec of an earlier run."""
        if made is None or not spec.is_listed:
            return made
        try:
            policy.check_references(spec.options)
            policy.check(spec.kind, made.options)
        except ForbiddenError as error:
            _log.error(
                "handler is no longer allowed: its events stay pending",
                extra={"topic": spec.topic, "handler": spec.id, "err": str(error)},
            )
            recipient = Recipient(ForbiddenHandler(str(error)))
            return Subscription(recipient, made.options, made.match, made.external)
        return made

    def _flush(self) -> None:
        with self._store.transaction():
            self._states.write()
            self._backlog.keep()
            # not before an outer transaction is committed, if there is one
            self._store.after_commit(self._kept)

    def _kept(self) -> None:
        self._states.written()
        self._backlog.release()


def _check(made: Subscription | None) -> None:
    """Refuse what is wrong with a handler that is being defined, and not only there."""
    if made is not None:
        check_secrets(made.options)
        check_definition(made.recipient.handler)
