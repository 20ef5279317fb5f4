"""Events of the topic `_internal` about tasks."""

from __future__ import annotations

import logging
from typing import Protocol

from runtime.alert.types import Event, EventData, EventState, Level
from runtime.errors import DeliveryError
from runtime.services.deliveries.health import TASK, TOPIC
from runtime.units import Clock

log = logging.getLogger("kapacitor.task_store")


class Alerts(Protocol):
    """The part of the alert service that takes events of the server itself."""

    def collect(self, event: Event) -> None:
        """Collect an event in its topic."""

    def event_state(self, topic: str, event_id: str) -> EventState | None:
        """The last state of an event id on a topic."""


class TaskEvents:
    """Creates events about a task or one of its nodes, on the compute thread."""

    def __init__(self, alerts: Alerts, clock: Clock) -> None:
        """Create events.

        Args:
            alerts: alert service, which receives them.
            clock: wall clock, in ns since 1970 UTC.
        """
        self._alerts = alerts
        self._clock = clock

    def state(self, task: str, node: str = "") -> EventState | None:
        """The state of the last event."""
        return self._alerts.event_state(TOPIC, _id(task, node))

    def settle(self, task: str, message: str, node: str = "") -> None:
        """Create an OK event, unless the state is OK already."""
        state = self.state(task, node)
        if state is not None and state.level is not Level.OK:
            self.report(task, Level.OK, message, node)

    def report(self, task: str, level: Level, message: str, node: str = "") -> None:
        """Create an event."""
        event_id, now = _id(task, node), self._clock()
        before = self.state(task, node)
        duration = 0
        if before is not None and before.level is not Level.OK:
            duration = before.duration + max(0, now - before.time)
        state = EventState(event_id, message, "", now, duration, level)
        tags = {"task": task, "node": node} if node else {"task": task}
        data = EventData(name=TOPIC, task_name=task, tags=tags)
        try:
            self._alerts.collect(Event(TOPIC, state, data))
        except DeliveryError as error:
            log.error("failed to report the state of a task", extra={"err": str(error)})


def _id(task: str, node: str) -> str:
    return f"{TASK}{task}/{node}" if node else TASK + task
