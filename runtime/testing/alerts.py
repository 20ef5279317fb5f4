"""Tools for tests of alert nodes: tasks from scripts, topics that record events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runtime.alert.inhibition import Inhibitors
from runtime.alert.topics import Topic, Topics
from runtime.alert.types import Event, EventState, Level
from runtime.errors import DeliveryError
from runtime.integration import HandlerServices
from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes.environment import Environment
from runtime.outbound.network import Network
from runtime.pipeline.evaluate import evaluate
from runtime.services.alert.subscriptions import Subscription
from runtime.tasks.task import ExecutingTask
from runtime.testing.clock import ManualClock
from runtime.tick.parser import parse
from runtime.units import SECOND


class RecordingTopics:
    """Topics without handlers and without a database.

    Attributes:
        topics: the topics.
        events: collected events in order, with previous levels.
        handlers: handlers of each open anonymous topic.
        full: True to make collecting fail.
    """

    def __init__(self) -> None:
        self.topics = Topics()
        self.inhibitors = Inhibitors()
        self.events: list[Event] = []
        self.handlers: dict[str, Mapping[str, Subscription]] = {}
        self.full = False
        self._stored: dict[str, list[EventState]] = {}

    def collect(self, event: Event) -> None:
        """Note an event."""
        self.events.append(self.topics.collect(event))
        if self.full:
            raise DeliveryError("failed to deliver event")

    def event_state(self, topic: str, event_id: str) -> EventState | None:
        """The last state of an event id on a topic."""
        found = self.topics.get(topic)
        return None if found is None else found.events.get(event_id)

    def level(self, topic: str) -> Level:
        """The highest level of a topic's events; OK for an unknown topic."""
        return self.topics.level(topic)

    def update_event(self, topic: str, state: EventState) -> None:
        """Record a state without notifying handlers."""
        self.topics.opened(topic).put(state)

    def open_anonymous_topic(
        self, topic: str, handlers: Mapping[str, Subscription], *, task: str
    ) -> None:
        """Open a topic with its stored events."""
        self.handlers[topic] = handlers
        self.topics.restore(Topic(topic, self._stored.get(topic, ())))

    def close_topic(self, topic: str) -> None:
        """Close a topic, keeping its state."""
        found = self.topics.get(topic)
        self._stored[topic] = [] if found is None else list(found.events.values())
        self.topics.remove(topic)
        del self.handlers[topic]


class NoClient:
    """A client that must not be used."""

    network = Network()

    async def send(self, request: Any) -> Any:
        """Fail."""
        raise AssertionError("unexpected request")


def services(**tables: Any) -> HandlerServices:
    """Services that are configured but cannot send, by the names of their sections."""
    return INTEGRATIONS.started(tables, NoClient())


def task(
    script: str,
    topics: RecordingTopics | None = None,
    available: HandlerServices | None = None,
    id: str = "TASK",
) -> ExecutingTask:
    """A running stream task."""
    environment = Environment(
        id,
        clock=ManualClock(),
        services=available or services(),
        topics=topics or RecordingTopics(),
    )
    properties = INTEGRATIONS.handler_properties
    made = evaluate(parse(script), "stream", handlers=properties)
    return ExecutingTask(id, made, environment)


def summaries(events: Iterable[Event]) -> list[str]:
    """Events in short: `CRITICAL@3 OK 1s` is level, time, previous level, duration."""
    return [
        f"{event.state.level}@{_seconds(event.state.time)} {event.previous_level} "
        f"{_seconds(event.state.duration)}s"
        for event in events
    ]


def _seconds(time: int) -> str:
    return f"{time / SECOND:g}"
