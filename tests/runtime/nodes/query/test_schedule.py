"""Times of queries: as Kapacitor's tickers tick."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice

import pytest

from runtime.errors import TaskError
from runtime.nodes.query.schedule import Every, Schedule, schedule_of, ticks
from runtime.pipeline.source import QueryNode
from runtime.testing.clock import ManualClock
from runtime.units import HOUR, MINUTE, SECOND, Duration


def query(**properties: object) -> QueryNode:
    return QueryNode("SELECT v FROM d.r.m", **properties)  # type: ignore[arg-type]


def ticked(
    schedule: Schedule,
    clock: ManualClock,
    count: int,
    work: Callable[[int], int] = lambda number: 0,
    jump: Callable[[int], int] = lambda number: 0,
) -> list[tuple[float, float]]:
    """The first ticks, in seconds, each with the time at which it came.

    Args:
        schedule: the schedule.
        clock: the wall clock.
        count: number of ticks.
        work: the duration of the query of a tick.
        jump: the change of the clock during a sleep.
    """
    found: list[tuple[float, float]] = []
    sleeps = iter(range(1000))

    async def sleep(seconds: float) -> None:
        clock.advance(round(seconds * SECOND) + jump(next(sleeps)))

    async def run() -> None:
        async for due in ticks(schedule, clock, sleep):
            found.append((due / SECOND, clock() / SECOND))
            if len(found) == count:
                return
            clock.advance(work(len(found)))

    asyncio.run(run())
    return found


def at(seconds: float) -> ManualClock:
    return ManualClock(round(seconds * SECOND))


def test_every_so_often_from_the_start_on() -> None:
    schedule = schedule_of(query(every=Duration(10 * SECOND)))
    assert ticked(schedule, at(103.5), 3) == [
        (113.5, 113.5),
        (123.5, 123.5),
        (133.5, 133.5),
    ]


def test_aligned_ticks_are_multiples() -> None:
    schedule = schedule_of(query(every=Duration(10 * SECOND), align=True))
    assert ticked(schedule, at(103.5), 2) == [(110, 110), (120, 120)]
    assert ticked(schedule, at(110), 1) == [(120, 120)]


def test_weeks_are_counted_from_the_year_1_as_in_go() -> None:
    schedule = Every(7 * 24 * HOUR, align=True)
    # 1970-01-05 was a Monday
    assert schedule.first(0) == 4 * 24 * HOUR


def test_a_slow_query_makes_up_for_one_tick_and_skips_the_others() -> None:
    schedule = Every(10 * SECOND, align=False)
    slow = [0, 35 * SECOND, 0, 0]
    assert ticked(schedule, at(100), 4, work=lambda number: slow[number]) == [
        (110, 110),
        (120, 145),
        (150, 150),
        (160, 160),
    ]


def test_queries_that_are_always_slow_do_not_fall_behind() -> None:
    schedule = Every(10 * SECOND, align=True)
    found = ticked(schedule, at(100), 5, work=lambda number: 25 * SECOND)
    assert found == [(110, 110), (120, 135), (140, 160), (170, 185), (190, 210)]


def test_a_cron_schedule() -> None:
    schedule = schedule_of(query(cron="*/20 * * * * * *"))
    slow = [0, 45 * SECOND, 0]
    assert ticked(schedule, at(103), 3, work=lambda number: slow[number]) == [
        (120, 120),
        (140, 165),
        (180, 180),
    ]


@pytest.mark.parametrize("align", [False, True], ids=["every", "aligned"])
def test_a_clock_that_is_set_back_does_not_stop_the_schedule(align: bool) -> None:
    schedule = Every(10 * SECOND, align=align)
    back = ticked(
        schedule,
        at(10_000),
        2,
        jump=lambda number: -HOUR if number == 0 else 0,
    )
    # 5 s of the first sleep, an hour back, and 10 s later
    start = 10_005 - 3600
    first = start + 10 if not align else 6410
    assert back == [(first, first), (first + 10, first + 10)]


def test_a_clock_that_is_set_forward_skips_what_it_jumped_over() -> None:
    schedule = Every(10 * SECOND, align=True)
    forward = ticked(
        schedule, at(100), 3, jump=lambda number: HOUR if number == 0 else 0
    )
    assert forward == [(110, 3705), (3710, 3710), (3720, 3720)]


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({}, "must define one of 'every' or 'cron'"),
        (
            {"every": Duration(MINUTE), "cron": "* * * * *"},
            "must not set both 'every' and 'cron' properties",
        ),
        ({"every": Duration(-MINUTE)}, "'every' duration must must non-negative"),
        ({"cron": "* *"}, "missing field(s)"),
    ],
    ids=["none", "both", "negative", "cron"],
)
def test_invalid_schedules(properties: dict[str, object], reason: str) -> None:
    with pytest.raises(TaskError) as refused:
        schedule_of(query(**properties))
    assert str(refused.value) == reason


def test_past_times_of_a_recording() -> None:
    def past(schedule: Schedule, start: float) -> list[float]:
        times = [round(start * SECOND)]
        for _ in islice(range(10), 3):
            found = schedule.past(times[-1])
            assert found is not None
            times.append(found)
        return [each / SECOND for each in times[1:]]

    assert past(Every(10 * SECOND, align=False), 103) == [113, 123, 133]
    # rounded, not truncated, as Kapacitor's `Next`
    assert past(Every(10 * SECOND, align=True), 103) == [110, 120, 130]
    assert past(Every(10 * SECOND, align=True), 106) == [120, 130, 140]
