"""The steps by which a handler's spec comes into force.

    received → permitted → built → routed → stored → attached

Requests, files of the load directory and specs of an earlier run take the same steps.
Each step takes the type that the one before returns, so no caller can leave one out.
Nothing changes before the spec is stored: a refusal leaves everything as it was.

Permission comes before decoding and building, as both open the files and endpoints in a
spec: secrets are read from their files, and handlers resolve their endpoints.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import NewType

from runtime.alert.types import Recipient
from runtime.errors import ForbiddenError, OptionsError
from runtime.integration import HandlerServices
from runtime.outbound.dialing import Dialer
from runtime.services.alert.handlers import (
    Decoded,
    HandlerContext,
    check_definition,
    decoded,
)
from runtime.services.alert.kinds.topics import TopicService
from runtime.services.alert.match import Match
from runtime.services.alert.policy import OPEN, ForbiddenHandler, Policy
from runtime.services.alert.specs import HandlerSpec, check_secrets, restored
from runtime.services.alert.subscriptions import Subscription
from runtime.services.alert.topic_handlers import TopicHandlers

_log = logging.getLogger("kapacitor.alert")


@dataclass(frozen=True, slots=True)
class Received:
    """A requested spec.

    Attributes:
        spec: requested handler, its names checked.
        policy: limits of the client that requests it.
        before: handler on the same topic that it replaces, or None.
    """

    spec: HandlerSpec
    policy: Policy
    before: HandlerSpec | None = None


@dataclass(frozen=True, slots=True)
class Permitted:
    """A spec whose options are known and, unless it is suspended, allowed.

    Attributes:
        spec: the spec with its secrets; it is marked if only a list allows it.
        before: handler that it replaces, or None.
        decoded: its decoded options, which can make the handler; None if its kind is
            disabled.
        suspended: reason why the handler of an earlier run is no longer allowed; "" if
            it is still allowed.
    """

    spec: HandlerSpec
    before: HandlerSpec | None = None
    decoded: Decoded | None = None
    suspended: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """A spec and its handler, which receives no events yet.

    Attributes:
        spec: spec of the handler.
        before: handler that it replaces, or None.
        subscription: the handler; None if its kind is disabled.
    """

    spec: HandlerSpec
    before: HandlerSpec | None
    subscription: Subscription | None


Routed = NewType("Routed", Built)
"""A spec whose ID is free, whose endpoint exists, and which closes no cycle."""

Stored = NewType("Stored", Routed)
"""A spec that is in the database."""


class Admission:
    """Brings specs of handlers into force, on the compute thread."""

    def __init__(
        self,
        handlers: TopicHandlers,
        services: HandlerServices,
        topics: TopicService,
        dialer: Dialer,
        disabled: frozenset[str],
    ) -> None:
        """Prepare to admit specs.

        Args:
            handlers: handlers in force.
            services: services that deliver events.
            topics: topics that handlers may publish to.
            dialer: opens connections of handlers without a service.
            disabled: kinds whose handlers are stored but do not run.
        """
        self._handlers = handlers
        self._services = services
        self._topics = topics
        self._dialer = dialer
        self._disabled = disabled

    def create(self, spec: HandlerSpec, policy: Policy = OPEN) -> HandlerSpec:
        """Add a handler to its topic; return its spec in force.

        Args:
            spec: requested handler.
            policy: limits of the client that requests it.

        Raises:
            CycleError: a topic would receive its own events.
            ForbiddenError: the policy does not allow it.
            OptionsError: its kind, options or match are wrong, or its id is taken.
            PlaceholderError: `***` is in place of a secret.
            StoreError: the database cannot be written.
        """
        return self._admitted(Received(spec, policy))

    def update(
        self, before: HandlerSpec, spec: HandlerSpec, policy: Policy = OPEN
    ) -> HandlerSpec:
        """Replace `before` with `spec` and return the stored spec.

        Placeholders that a client sent back keep their secrets. Events that are pending
        for the former handler are delivered by the new one.

        Raises:
            OptionsError: its kind, options or match are wrong, or its topic differs.
                Otherwise the same errors as in `create`.
        """
        if spec.topic != before.topic:
            raise OptionsError("cannot change topic in update")
        return self._admitted(Received(spec, policy, before))

    def recall(self, policy: Policy) -> None:
        """Bring the specs of an earlier run into force, and log those that fail.

        Args:
            policy: limits of handlers that only a list of the configuration allowed;
                those beyond these limits are suspended, and their events wait.

        Raises:
            StoreError: the database cannot be read.
        """
        for spec in self._handlers.stored():
            try:
                built = self._built(self._recalled(spec, policy))
            # any error: the server starts even if a stored spec is damaged
            except Exception as error:
                self._handlers.reject(spec, str(error))
                _log.error(
                    "failed to load handler on startup", extra=_extra(spec, error)
                )
            else:
                # not checked again: a missing endpoint may appear later, and cycles of
                # old databases are cut when events pass them
                self._attach(Stored(Routed(built)))

    def _admitted(self, received: Received) -> HandlerSpec:
        permitted = self._permitted(received)
        built = self._built(permitted)
        routed = self._routed(built)
        stored = self._stored(routed)
        self._attach(stored)
        return stored.spec

    def _permitted(self, received: Received) -> Permitted:
        spec, policy, before = received.spec, received.policy, received.before
        known = None if before is None else before.options
        options = restored(spec.options, known)
        listed = policy.lists(spec.kind, options)
        spec = replace(spec, options=options, is_listed=listed)
        if self._is_disabled(spec):
            return Permitted(spec, before)
        policy.check_references(options)
        found = self._decoded(spec)
        policy.check(spec.kind, found.options)
        check_secrets(found.options)
        return Permitted(spec, before, found)

    def _recalled(self, spec: HandlerSpec, policy: Policy) -> Permitted:
        """The permission of a spec that an earlier run has stored."""
        if self._is_disabled(spec):
            return Permitted(spec)
        # also for a suspended handler: the types of its options determine its secrets
        found = self._decoded(spec)
        suspended = ""
        # handlers that were allowed by name stay allowed on open servers
        if spec.is_listed:
            try:
                policy.check_references(spec.options)
                policy.check(spec.kind, found.options)
            except ForbiddenError as error:
                suspended = str(error)
                _log.error(
                    "handler is no longer allowed: its events stay pending",
                    extra=_extra(spec, error),
                )
        return Permitted(spec, None, found, suspended)

    def _decoded(self, spec: HandlerSpec) -> Decoded:
        found = decoded(spec.kind, spec.options or {}, self._services)
        for each in found.former_names:
            extra = {"topic": spec.topic, "handler": spec.id}
            _log.warning(f"option {each.deprecation}", extra=extra)
        return found

    def _built(self, permitted: Permitted) -> Built:
        spec, found = permitted.spec, permitted.decoded
        if found is None:
            return Built(spec, permitted.before, None)
        if permitted.suspended:
            recipient = Recipient(ForbiddenHandler(permitted.suspended))
            subscription = Subscription(recipient, found.options)
        else:
            context = HandlerContext(spec.topic, spec.id, self._topics, self._dialer)
            subscription = found.make(context)
        match = Match.compile(spec.match) if spec.match else None
        return Built(spec, permitted.before, replace(subscription, match=match))

    def _routed(self, built: Built) -> Routed:
        subscription = built.subscription
        if subscription is not None:
            check_definition(subscription.recipient.handler)
        targets = () if subscription is None else subscription.targets
        self._handlers.check(built.spec, targets, built.before)
        return Routed(built)

    def _stored(self, routed: Routed) -> Stored:
        self._handlers.put(routed.spec, routed.before)
        return Stored(routed)

    def _attach(self, stored: Stored) -> None:
        self._handlers.attach(stored.spec, stored.subscription, stored.before)

    def _is_disabled(self, spec: HandlerSpec) -> bool:
        if spec.kind not in self._disabled:
            return False
        _log.error(f"handler '{spec.kind}' is disabled")
        return True


def _extra(spec: HandlerSpec, error: Exception) -> dict[str, str]:
    return {"topic": spec.topic, "handler": spec.id, "err": str(error)}
