"""The times at which a query runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from runtime.errors import TaskError
from runtime.nodes.query.cron import Cron
from runtime.nodes.timers import next_multiple
from runtime.pipeline.source import QueryNode
from runtime.units import SECOND, Clock, Nanoseconds, round_half_up, truncate

# Longest sleep before the clock is read again, as it may be set meanwhile.
_LOOK: Nanoseconds = 5 * SECOND


class Schedule(Protocol):
    """The times of a query, in ns since 1970 UTC."""

    def first(self, now: Nanoseconds) -> Nanoseconds | None:
        """The first time after the start; None if there is none."""

    def following(self, due: Nanoseconds, begun: Nanoseconds) -> Nanoseconds | None:
        """The time after `due`, whose query began at `begun`; None if there is none.

        Of the times that passed during a long query, the first is used late and the
        others are skipped, as with Go's tickers.
        """

    def past(self, time: Nanoseconds) -> Nanoseconds | None:
        """The time after `time`, in a recording."""


class Every:
    """A schedule with a fixed interval.

    Source: Kapacitor batch.go, timeTicker.
    """

    def __init__(self, interval: Nanoseconds, *, align: bool) -> None:
        self._interval = interval
        self._align = align

    def first(self, now: Nanoseconds) -> Nanoseconds:
        """The first time after the start."""
        start = truncate(now, self._interval) if self._align else now
        return start + self._interval

    def following(self, due: Nanoseconds, begun: Nanoseconds) -> Nanoseconds:
        """The time after `due`, whose query began at `begun`."""
        return next_multiple(due, self._interval, begun)

    def past(self, time: Nanoseconds) -> Nanoseconds:
        """The time after `time`, in a recording."""
        next_ = time + self._interval
        return round_half_up(next_, self._interval) if self._align else next_


class Crontab:
    """A schedule with the times of a cron expression.

    Source: Kapacitor batch.go, cronTicker.
    """

    def __init__(self, cron: Cron) -> None:
        self._cron = cron

    def first(self, now: Nanoseconds) -> Nanoseconds | None:
        """The first time after the start; None if there is none."""
        return self._cron.next(now)

    def following(self, due: Nanoseconds, begun: Nanoseconds) -> Nanoseconds | None:
        """The time after `due`, whose query began at `begun`; None if there is none."""
        return self._cron.next(max(due, begun))

    def past(self, time: Nanoseconds) -> Nanoseconds | None:
        """The time after `time`, in a recording."""
        return self._cron.next(time)


def schedule_of(spec: QueryNode) -> Schedule:
    """The schedule of a query.

    Raises:
        TaskError: the query has no schedule, two, or an invalid one.

    Source: Kapacitor batch.go, newQueryNode.
    """
    if spec.every and spec.cron:
        raise TaskError("must not set both 'every' and 'cron' properties")
    if spec.every > 0:
        return Every(int(spec.every), align=spec.align)
    if spec.cron:
        return Crontab(Cron(spec.cron))
    if spec.every < 0:
        raise TaskError("'every' duration must must non-negative")
    raise TaskError("must define one of 'every' or 'cron'")


async def ticks(
    schedule: Schedule,
    clock: Clock,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[Nanoseconds]:
    """Yield each time of a schedule when it is reached.

    Args:
        schedule: the schedule.
        clock: wall clock, in ns since 1970 UTC.
        sleep: sleeps for some seconds.
    """
    due = schedule.first(clock())
    while due is not None:
        remaining = due - clock()
        while remaining > 0:
            await sleep(min(remaining, _LOOK) / SECOND)
            before, remaining = remaining, due - clock()
            # the clock was set back: without a restart there would be no query until then
            if remaining > before:
                due = schedule.first(clock())
                if due is None:
                    return
                remaining = due - clock()
        begun = clock()
        yield due
        due = schedule.following(due, begun)
