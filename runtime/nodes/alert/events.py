"""The events of an alert node: created, counted, and sent to its topics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite

from runtime.alert.inhibition import Held
from runtime.alert.types import Event, EventData, EventState, Level, Row
from runtime.errors import DeliveryError
from runtime.frames import Value
from runtime.golang.numbers import special
from runtime.golang.quoting import quote
from runtime.nodes.alert.group import Group
from runtime.nodes.alert.templates import AlertTemplates, Occurrence, Origin
from runtime.nodes.environment import Environment
from runtime.nodes.rows import encodable
from runtime.nodes.sizes import VALUE
from runtime.pipeline.alert import AlertNode
from runtime.services.alert.subscriptions import Subscription
from runtime.units import Nanoseconds

Report = Callable[[str, object], None]

# by level, as Kapacitor's statistics call them
_COUNTERS = ("oks", "infos", "warns", "crits")


class Events:
    """The events that an alert node sends.

    Attributes:
        has_topic: True if the events can reach a topic.
    """

    def __init__(
        self,
        node: AlertNode,
        environment: Environment,
        handlers: Mapping[str, Subscription],
        report: Report,
    ) -> None:
        """Parse the templates and open the node's own topic, if it has handlers.

        Args:
            node: the node of the script.
            environment: environment of the task.
            handlers: handlers of the node itself, by a stable name.
            report: called with message and error for events that a topic refuses.

        Raises:
            TaskError: a template does not parse.
        """
        self._node = node
        self._task = environment.task_id
        self._budget = environment.budget
        self._report = report
        self._service = environment.topics
        self._anonymous = ""
        self._named = "" if self._service is None else node.topic
        if handlers and self._service is not None:
            owner = f"{environment.task_master_id}:{environment.task_id}"
            self._anonymous = f"{owner}:{node.name}"
        self._topics = [topic for topic in (self._anonymous, self._named) if topic]
        self.has_topic = bool(self._topics)
        self._templates = AlertTemplates(
            node, environment, has_topic=self.has_topic, report=report
        )
        self._counts = [0] * len(Level)
        self._inhibited = 0
        if self._service is not None and self._anonymous:
            self._service.open_anonymous_topic(
                self._anonymous, handlers, task=self._task
            )

    @property
    def may_restore(self) -> bool:
        """True if the event ID of a new group has to be rendered and looked up.

        While the topics have no alert there is no state to restore. The ID is rendered
        nevertheless if that may fail: failures are reported when the group appears.
        """
        return self._templates.may_lack_id or any(
            self._service is not None and self._service.level(topic) is not Level.OK
            for topic in self._topics
        )

    def restored(self, origin: Origin) -> EventState | None:
        """The state of an event ID in the topics; None if unknown or OK.

        The node's own topic takes precedence, and topics that differ are made equal.

        Source: Kapacitor AlertNode.restoreEvent.
        """
        if not self.may_restore:
            return None
        event_id = self._templates.id(origin)
        service = self._service
        if service is None or not self.has_topic:
            return None
        own = service.event_state(self._anonymous, event_id)
        named = service.event_state(self._named, event_id)
        levels = [state.level if state else Level.OK for state in (own, named)]
        if levels[0] != levels[1]:
            if own is not None and named is not None:
                service.update_event(self._named, own)
            elif named is not None and self._anonymous:
                service.update_event(self._anonymous, named)
        found = own or named
        return found if found is not None and found.level is not Level.OK else None

    def make(
        self,
        origin: Origin,
        fields: Mapping[str, Value],
        group: Group,
        time: Nanoseconds,
    ) -> Event:
        """The event of a group at its present level; it has no topic and no rows yet."""
        level = Level(group.level)
        duration = group.duration
        event_id = self._templates.id(origin)
        occurrence = Occurrence(event_id, fields, level, time, duration)
        message, details = self._templates.texts(origin, occurrence)
        state = EventState(event_id, message, details, time, int(duration), level)
        # a field without a value comes from an outer join
        known = {n: v for n in fields if (v := encodable(fields[n])) is not None}
        data = EventData(
            name=origin.name,
            task_name=self._task,
            category=self._node.category,
            group=origin.group,
            tags=origin.tags,
            fields=known,
            recoverable=not self._node.no_recoveries,
        )
        return Event("", state, data)

    def send(self, event: Event, group: Group, row: Callable[[], Row]) -> None:
        """Send an event to the topics, unless another alert inhibits it.

        An inhibited event is sent when the inhibition ends, unless its level is the last
        that the topics received.

        Args:
            event: event from `make`.
            group: group of the event.
            row: returns the data of the event; called only if the event can reach a
                topic.
        """
        service = self._service
        if service is not None and service.inhibitors.is_inhibited(event):
            self._inhibited += 1
            self._hold(event, group, row)
            return
        self.forget(group)
        self._give(self._with_row(event, row()) if self._topics else event, group)

    def skip(self, group: Group) -> None:
        """Skip the recovery of a group as if it had been sent."""
        self.forget(group)
        group.sent_level = group.level

    def forget(self, group: Group) -> None:
        """Drop the held event of a group, if it has one."""
        if self._service is not None:
            self._service.inhibitors.drop(group, self._node.category)

    def _hold(self, event: Event, group: Group, row: Callable[[], Row]) -> None:
        if self._service is None or not self._topics:
            return
        if group.level == group.sent_level:
            self.forget(group)
            return

        def release(event: Event) -> None:
            if group.is_flapping:
                # an event with the level of that time is sent when flapping ends
                group.event_level = group.sent_level
            else:
                self._give(event, group)

        held = Held(self._with_row(event, row()), release)
        self._service.inhibitors.hold(group, held)

    def _give(self, event: Event, group: Group) -> None:
        group.sent_level = group.event_level
        self._counts[event.state.level] += 1
        for topic in self._topics:
            assert self._service is not None  # without it there are no topics
            try:
                self._service.collect(Event(topic, event.state, event.data))
            except DeliveryError as error:
                self._report("encountered error collecting event", error)

    def close(self) -> None:
        """Close the node's own topic."""
        if self._service is not None and self._anonymous:
            self._service.close_topic(self._anonymous)

    def stats(self) -> dict[str, int]:
        """The number of events by level, and separately of inhibited ones."""
        named: Sequence[tuple[str, int]] = tuple(
            zip(_COUNTERS, self._counts, strict=True)
        )
        return {
            "alerts_inhibited": self._inhibited,
            "alerts_triggered": sum(self._counts),
            **{f"{name}_triggered": count for name, count in named},
        }

    def _with_row(self, event: Event, row: Row) -> Event:
        state = event.state
        # all events of a write are in memory until the write is done
        size = VALUE * len(row.values) * len(row.columns)
        self._budget.make(len(state.message) + len(state.details) + size)
        nulls = [*_unencodable(row)]
        if nulls:
            self._report("values of an event are null in JSON", ", ".join(nulls[:3]))
        # dataclasses.replace takes several times as long
        known = event.data
        data = EventData(
            known.name,
            known.task_name,
            known.category,
            known.group,
            known.tags,
            known.fields,
            known.recoverable,
            (row,),
        )
        return Event("", event.state, data)


def _unencodable(row: Row) -> Iterator[str]:
    """Values that JSON cannot represent: infinities and NaN."""
    for values in row.values:
        for column, value in zip(row.columns, values, strict=True):
            if type(value) is float and not isfinite(value):
                yield f"{special(value)} in {quote(column)}"
