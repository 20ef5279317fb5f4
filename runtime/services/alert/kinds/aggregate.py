"""The handler that combines many events into one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from runtime.alert.types import Event, EventData, EventState
from runtime.errors import DeliveryError, OptionsError, StoreError
from runtime.golang.templates import Struct, TemplateError, text
from runtime.golang.values import Int
from runtime.outbound.idempotency import idempotency_key
from runtime.services.alert.kinds.topics import TopicService, check_hops, collect
from runtime.trouble import Trouble
from runtime.units import SECOND, Duration

# Limit of gathered events: more would fill the memory, and no service would accept the
# combined event.
MAX_MEMBERS = 10_000
_MESSAGE = "Received {{ .Count }} events in the last {{.Interval}}."
_log = logging.getLogger("kapacitor.alert")


@dataclass(frozen=True, slots=True)
class AggregateHandlerConfig:
    """Options of one handler.

    Attributes:
        id: id of the combined events.
        interval: time for which events are gathered, in ns.
        topic: topic of the combined events.
        message: template of the combined message, over `.Count` and `.Interval`.
    """

    id: str = ""
    interval: Duration = Duration(0)
    topic: str = ""
    message: str = _MESSAGE


class _Member(msgspec.Struct):
    """A gathered event.

    Attributes:
        key: key of the delivery, the same for each attempt.
        event: the event.
    """

    key: str
    event: Event


class AggregateHandler:
    """Gathers events and combines those of each interval into one.

    Gathered events are in the database, so a restart loses none. All methods except
    `handle` are for the compute thread.
    """

    def __init__(
        self, options: AggregateHandlerConfig, topics: TopicService, name: str
    ) -> None:
        """Check the options.

        Args:
            options: options of the handler.
            topics: topics of the server.
            name: key in the database: topic and handler id.

        Raises:
            OptionsError: an option is invalid.
        """
        if options.interval <= 0:
            raise OptionsError("aggregate interval must be greater than zero")
        if not options.topic:
            raise OptionsError("aggregate handler must specify topic")
        self.options = options
        self._targets = (options.topic,)
        self._topics = topics
        self._bucket = f"aggregate/{name}"
        self._members: dict[int, _Member] = {}
        self._keys: set[str] = set()
        self._newest = 0
        self._is_armed = False
        self._is_closed = False
        self._trouble = Trouble(
            _log, "failed to collect aggregate", "collecting aggregates succeeds again"
        )
        try:
            self._template = text(options.message, "message")
            self._message(0)
        except TemplateError as error:
            raise OptionsError(
                "failed to evaluate message template with aggregate message data: "
                f"{error}"
            ) from None

    def open(self) -> None:
        """Continue with the events gathered before a restart."""
        for key, stored in self._topics.store.values.items(self._bucket):
            try:
                member = msgspec.msgpack.decode(stored, type=_Member)
            except msgspec.MsgspecError as error:
                _log.error(
                    "skipped an unreadable event of an aggregate",
                    extra={"err": str(error)},
                )
                continue
            self._add(int(key), member)
        if self._members:
            self._arm()

    def close(self) -> None:
        """Publish the combined event now; later events are published one by one."""
        self._is_closed = True
        try:
            self._publish()
        except DeliveryError as error:
            _log.error("failed to collect aggregate", extra={"err": str(error)})

    async def handle(self, event: Event) -> None:
        """Gather `event`.

        Raises:
            DeliveryError: the event passed too many topics, or too many events are
                pending.
            StoreError: the event could not be stored.
        """
        check_hops(event)
        member = _Member(idempotency_key.get(), event)
        try:
            await self._topics.loop.call(self._take, member)
        except StoreError as error:
            raise DeliveryError(str(error), retry=True) from error

    def _take(self, member: _Member) -> None:
        if member.key and member.key in self._keys:
            return
        number = self._newest + 1
        stored = msgspec.msgpack.encode(member)
        self._topics.store.values.put(self._bucket, f"{number:020d}", stored)
        self._add(number, member)
        if self._is_closed or len(self._members) >= MAX_MEMBERS:
            self._publish()
        else:
            self._arm()

    def _add(self, number: int, member: _Member) -> None:
        self._newest = number
        self._members[number] = member
        self._keys.add(member.key)

    def _arm(self) -> None:
        if not self._is_armed:
            self._is_armed = True
            self._topics.loop.later(self.options.interval / SECOND, self._due)

    def _due(self) -> None:
        self._is_armed = False
        if self._is_closed:
            return
        try:
            self._publish()
        except (DeliveryError, StoreError) as error:
            self._trouble.failed(error)
            self._arm()
        else:
            self._trouble.ended()

    def _publish(self) -> None:
        if not self._members:
            return
        members = [member.event for member in self._members.values()]
        store = self._topics.store
        with store.transaction():
            for number in self._members:
                store.values.delete(self._bucket, f"{number:020d}")
            collect(self._topics, self._event(members), self._targets)
        self._members.clear()
        self._keys.clear()

    def _event(self, members: Sequence[Event]) -> Event:
        states = [event.state for event in members]
        state = EventState(
            self.options.id,
            self._message(len(members)),
            "\n".join(state.message for state in states),
            max(state.time for state in states),
            max(state.duration for state in states),
            max(state.level for state in states),
        )
        rows = tuple(row for event in members for row in event.data.result)
        return Event(
            self.options.topic,
            state,
            EventData(recoverable=False, result=rows),
            no_external=all(event.no_external for event in members),
            hops=max(event.hops for event in members),
        )

    def _message(self, count: int) -> str:
        data = {"Count": Int(count), "Interval": Duration(self.options.interval)}
        return self._template.render(Struct("alert.aggregateMessageData", data))
