"""`barrier`: marks groups as complete up to a time, for the nodes below."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from runtime.frames import (
    Batch,
    Point,
)
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier, GroupedNode
from runtime.nodes.timers import Timer, next_multiple
from runtime.pipeline import transform
from runtime.units import (
    Nanoseconds,
    saturated,
)


@dataclass(slots=True)
class _Watch:
    """The state of one group.

    Attributes:
        seen: time of the last activity of the group, by the clock of the timers.
        time: the time of the group's last point, or of a barrier after it.
        timer: timer of the next barrier.
        barrier: the time of the last barrier; older points are dropped.
    """

    seen: Nanoseconds
    time: Nanoseconds
    timer: Timer
    barrier: Nanoseconds | None = None


class BarrierNode(GroupedNode):
    """Informs the nodes below that groups are complete up to a time.

    Source: Kapacitor barrier.go.
    """

    is_timed = True

    def __init__(self, spec: transform.BarrierNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._idle = int(spec.idle)
        self._wait = int(spec.idle) or int(spec.period)
        self._delete = spec.delete
        self._watches: dict[str, _Watch] = {}

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        if self._hear(self._watch(point.group, point.time), point.time):
            self.emit_point(point)

    def batch(self, batch: Batch) -> None:
        """Take a batch; its points that are older than the last barrier are dropped."""
        watch = self._watch(batch.group, batch.tmax)
        points = [point for point in batch.points if self._hear(watch, point.time)]
        self.emit_batch(batch.with_points(points))

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier of another node."""
        watch = self._watch(barrier.group, barrier.time)
        is_news = self._hear(watch, barrier.time)
        # a barrier of another node replaces the node's own: older points are late
        if is_news and self._idle:
            watch.barrier = barrier.time
        # an old barrier is passed on if it deletes the group, which is gone above
        if is_news or barrier.delete:
            super().barrier(barrier)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        watch = self._watches.pop(group, None)
        if watch is not None:
            self.environment.timers.cancel(watch.timer)

    def close(self) -> None:
        """Send no more barriers."""
        for watch in self._watches.values():
            self.environment.timers.cancel(watch.timer)

    def _watch(self, group: str, time: Nanoseconds) -> _Watch:
        watch = self._watches.get(group)
        if watch is None:
            self._met.add(group)
            timers = self.environment.timers
            # one timer for each group, until the group is deleted
            timer = timers.after(self._wait, partial(self._wake, group))
            watch = self._watches[group] = _Watch(timers.clock(), time, timer)
        return watch

    def _hear(self, watch: _Watch, time: Nanoseconds) -> bool:
        """Note a point or barrier; True if it is not older than the last barrier."""
        if watch.barrier is not None and time < watch.barrier:
            return False
        watch.time = time
        if self._idle:
            watch.seen = self.environment.timers.clock()
        return True

    def _wake(self, group: str) -> None:
        """Send a barrier if it is due, and schedule the next one."""
        timers, watch = self.environment.timers, self._watches[group]
        now, due = timers.clock(), watch.timer.due
        wake = partial(self._wake, group)
        if self._idle and watch.seen + self._wait > now:
            # points do not move the timer; it is moved when it is due
            watch.timer = timers.at(watch.seen + self._wait, wake)
            return
        if self._idle:
            # in the time of the points: an idle group is complete up to the time of its
            # last point plus the wait
            watch.time = saturated(watch.time + self._wait)
        else:
            watch.time = self.environment.clock()
        watch.barrier = watch.time
        # before sending, as a point that arrives meanwhile starts the group again
        if self._delete:
            self.forget(group)
        else:
            next_due = now + self._wait
            if not self._idle:
                next_due = next_multiple(due, self._wait, now)
            watch.timer = timers.at(next_due, wake)
        # timers run outside of the task; the barrier is sent inside, where an error stops
        # the task
        self.environment.resume(partial(self._send, group, watch.time))

    def _send(self, group: str, time: Nanoseconds) -> None:
        for child in self.children:
            child.barrier(Barrier(group, time, self._delete))
