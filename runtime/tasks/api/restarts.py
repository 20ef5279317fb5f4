"""Restarts of tasks that stop with an error, and their events of `_internal`."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from runtime.alert.types import Level
from runtime.nodes.timers import Timer, Timers
from runtime.tasks.api.health import TaskEvents
from runtime.units import MINUTE, SECOND, Nanoseconds, go_duration

log = logging.getLogger("kapacitor.task_store")

# Delay after a task's first error; each further error doubles it.
FIRST_DELAY: Nanoseconds = SECOND
# Maximum of the delay. A task that has run for this long starts over with the first
# delay.
LONGEST_DELAY: Nanoseconds = 5 * MINUTE


@dataclass(slots=True)
class _Failure:
    """State of a task that has stopped with an error.

    Attributes:
        number: number of errors in short succession.
        started: time of the last start, on the clock of the timers.
        timer: timer of the next start; None while the task runs.
    """

    number: int = 0
    started: Nanoseconds = 0
    timer: Timer | None = None


class Restarts:
    """Restarts tasks that an error has stopped. For the compute thread only.

    The delays between the attempts grow, with jitter. The state of a task's nodes is
    lost; the states of its alerts are restored from their topics. A task that fails to
    start is not restarted: its definition is the cause, not a point.

    Attributes:
        stops: number of times that an error has stopped a task, by its id.
    """

    def __init__(
        self,
        events: TaskEvents,
        timers: Timers,
        start: Callable[[str], None],
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Watch over tasks.

        Args:
            events: creates events of the topic `_internal`.
            timers: timers of the restarts.
            start: starts a task, and calls `started` or `failed`.
            jitter: returns a number from 0 to 1.
        """
        self.stops: Counter[str] = Counter()
        self._events = events
        self._timers = timers
        self._start = start
        self._jitter = jitter
        self._failures: dict[str, _Failure] = {}

    def stopped(self, task: str, reason: str) -> None:
        """Schedule the restart of a task that an error has stopped."""
        self.stops[task] += 1
        failure = self._failures.setdefault(task, _Failure())
        self._cancel(failure)
        now = self._timers.clock()
        if now - failure.started >= LONGEST_DELAY:
            failure.number = 0
        failure.number += 1
        delay = min(FIRST_DELAY << min(failure.number - 1, 30), LONGEST_DELAY)
        # at least half of the delay: tasks that stop together do not restart together
        delay = delay // 2 + int(delay // 2 * self._jitter())
        failure.timer = self._timers.after(delay, lambda: self._again(task))
        shown = go_duration(delay // 10_000_000 * 10_000_000 or delay)
        text = f"task {task} has stopped: {reason}; it starts again in {shown}"
        self._events.report(task, Level.CRITICAL, text)

    def failed(self, task: str, reason: str) -> None:
        """Report a task that should run but does not start."""
        self.forget(task)
        text = f"task {task} does not start: {reason}"
        state = self._events.state(task)
        # not reported again after each restart of the server
        if state is None or (state.level, state.message) != (Level.CRITICAL, text):
            self._events.report(task, Level.CRITICAL, text)

    def started(self, task: str) -> None:
        """Report that a task runs."""
        failure = self._failures.get(task)
        if failure is not None:
            self._cancel(failure)
            failure.started = self._timers.clock()
        self._events.settle(task, f"task {task} runs")

    def ended(self, task: str) -> None:
        """Do not restart a task that was disabled, renamed or deleted."""
        self.forget(task)
        self.stops.pop(task, None)
        self._events.settle(task, f"task {task} was disabled or deleted")

    def forget(self, task: str) -> None:
        """Cancel the restart of a task."""
        failure = self._failures.pop(task, None)
        if failure is not None:
            self._cancel(failure)

    def _again(self, task: str) -> None:
        log.info("restarting a task", extra={"task": task})
        self._start(task)

    def _cancel(self, failure: _Failure) -> None:
        if failure.timer is not None:
            self._timers.cancel(failure.timer)
            failure.timer = None
