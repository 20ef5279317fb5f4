"""Time that goes on only while the server runs."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.delivery.timeline import MAX_RUNS, Run, Timeline
from runtime.testing.clock import ManualClock
from runtime.units import HOUR, SECOND

START = 1_700_000_000 * SECOND


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.integers(-(10**9), 10**9)), min_size=1)
)
def test_it_never_jumps_and_shows_the_clock_of_each_run(runs):
    clock, now_s = ManualClock(START), [0.0]

    def begun(*known):
        return Timeline(*known, clock=clock, monotonic=lambda: now_s[0])

    timeline, marks = begun(), []
    for ran_s, jump_s in runs:
        now_s[0] += ran_s
        clock.now += ran_s * SECOND
        seen = timeline.now()
        marks.append((seen - 1, clock.now - 1))
        clock.now += jump_s * SECOND
        timeline = begun(timeline.runs, seen)
        assert timeline.now() == seen
        assert timeline.away == max(0, jump_s * SECOND)
    assert timeline.now() == START + sum(ran_s for ran_s, _ in runs) * SECOND
    assert [timeline.shown(seen) for seen, _ in marks] == [then for _, then in marks]


def test_a_delay_goes_on_after_a_restart_unless_it_is_over_meanwhile():
    runs = [Run(START, START)]
    for jump, left_s in (
        (0, 60.0),
        (-25 * HOUR, 60.0),
        (30 * SECOND, 30.0),
        (HOUR, 0.0),
    ):
        timeline = Timeline(
            runs,
            START + HOUR,
            clock=lambda jump=jump: START + HOUR + jump,
            monotonic=lambda: 5.0,
        )
        assert timeline.left_s(START + HOUR + 60 * SECOND) == left_s


def test_very_many_runs_are_not_remembered():
    runs = [Run(number, number) for number in range(5000)]
    timeline = Timeline(runs, 5000, clock=lambda: 6000, monotonic=lambda: 0.0)
    assert len(timeline.runs) == MAX_RUNS
    assert timeline.shown(5000) == 6000
    assert timeline.shown(10) == 10
