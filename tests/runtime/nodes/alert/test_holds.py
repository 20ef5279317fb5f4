"""Alerts after the end of inhibition and flapping."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.alert.types import Event
from runtime.tasks.task import ExecutingTask
from runtime.testing.alerts import RecordingTopics, summaries, task
from runtime.testing.frames import points

HOSTS = "ab"
GROUPED = "stream|from().measurement('m').groupBy('h')|alert()"
LOUD = GROUPED + ".crit(lambda: \"v\" > 5).topic('loud').inhibit('c', 'h')"
QUIET = (
    GROUPED + '.warn(lambda: "v" > 3).crit(lambda: "v" > 5)'
    ".topic('quiet').category('c')"
)


class Pair:
    """Two tasks, the first of which keeps the second quiet."""

    def __init__(self, rules: str = "") -> None:
        self.topics = RecordingTopics()
        self.loud = task(LOUD, self.topics, id="LOUD")
        self.quiet = task(QUIET + rules, self.topics, id="QUIET")
        self._time = 0

    def write(self, to: ExecutingTask, value: int, host: str = "a") -> None:
        self._time += 1
        to.points(points(f"m,h={host} v={value} {self._time}"))
        self.topics.inhibitors.settle()

    def shout(self, *values: int) -> None:
        for value in values:
            self.write(self.loud, value)

    def whisper(self, *values: int) -> None:
        for value in values:
            self.write(self.quiet, value)

    @property
    def heard(self) -> list[Event]:
        return [event for event in self.topics.events if event.topic == "quiet"]

    @property
    def told(self) -> list[str]:
        return summaries(self.heard)

    def stats(self) -> dict[str, int]:
        return self.quiet.nodes[-1].stats()


@pytest.mark.parametrize("rules", ["", ".stateChangesOnly()"])
def test_an_alert_that_is_still_on_is_told_when_it_may_be(rules: str) -> None:
    pair = Pair(rules)
    pair.shout(9)
    pair.whisper(9)
    assert pair.told == []
    pair.shout(1)
    assert pair.told == ["CRITICAL@2 OK 0s"]
    [event] = pair.heard
    assert [list(row.values) for row in event.data.result] == [[[2 * 10**9, 9.0]]]
    counted = pair.stats()
    assert (counted["alerts_inhibited"], counted["crits_triggered"]) == (1, 1)
    pair.whisper(1)
    assert pair.told[1:] == ["OK@4 CRITICAL 2s"]


def test_an_alert_that_is_over_is_not_told() -> None:
    pair = Pair()
    pair.shout(9)
    pair.whisper(9, 9, 4, 1)
    pair.shout(1)
    assert pair.told == []


def test_a_recovery_is_told_when_it_may_be() -> None:
    pair = Pair()
    pair.whisper(9)
    pair.shout(9)
    pair.whisper(9, 1)
    pair.shout(1)
    assert pair.told == ["CRITICAL@1 OK 0s", "OK@4 CRITICAL 3s"]


def test_a_level_that_is_known_is_not_told_again() -> None:
    pair = Pair()
    pair.whisper(9)
    pair.shout(9)
    pair.whisper(1, 9)
    pair.shout(1)
    assert pair.told == ["CRITICAL@1 OK 0s"]


def test_a_recovery_nobody_wants_ends_what_was_to_be_told() -> None:
    pair = Pair(".noRecoveries()")
    pair.shout(9)
    pair.whisper(9, 1)
    pair.shout(1)
    assert pair.told == []
    pair.whisper(9)
    pair.shout(9)
    pair.whisper(1, 9)
    pair.shout(1)
    assert pair.told == ["CRITICAL@5 OK 0s", "CRITICAL@8 CRITICAL 0s"]


def test_the_end_of_what_inhibits_is_enough() -> None:
    pair = Pair()
    pair.shout(9)
    pair.whisper(9)
    pair.loud.close()
    pair.topics.inhibitors.settle()
    assert pair.told == ["CRITICAL@2 OK 0s"]


def test_a_task_that_ended_has_nothing_to_say() -> None:
    pair = Pair()
    pair.shout(9)
    pair.whisper(9)
    pair.quiet.close()
    pair.shout(1)
    assert pair.told == []


def test_all_that_inhibits_must_have_ended() -> None:
    pair = Pair()
    other = task(LOUD.replace("loud", "other"), pair.topics, id="OTHER")
    pair.shout(9)
    pair.write(other, 9)
    pair.whisper(9)
    pair.shout(1)
    assert pair.told == []
    pair.write(other, 1)
    assert pair.told == ["CRITICAL@3 OK 0s"]


@pytest.mark.parametrize("rules", ["", ".stateChangesOnly()", ".noRecoveries()"])
def test_a_level_that_flapping_held_back_is_told_when_it_ends(rules: str) -> None:
    pair = Pair(rules + ".flapping(0.25, 0.5).history(5)")
    pair.whisper(9, 1, 9, 1, 9, 1, 9)
    assert len(pair.heard) == 2 - ("noRec" in rules)
    pair.whisper(9, 9, 9, 9, 9)
    assert str(pair.heard[-1].state.level) == "CRITICAL"


def test_a_recovery_that_flapping_held_back_is_told_when_it_ends() -> None:
    pair = Pair(".flapping(0.25, 0.5).history(5)")
    pair.whisper(9, 1, 9, 1, 9, 1, 9, 9, 9, 9, 9, 9, 4, 9, 4, 1, 1, 1, 1, 1, 1, 1, 1)
    assert str(pair.heard[-1].state.level) == "OK"


_write = st.tuples(
    st.sampled_from(["loud", "quiet", "quiet"]),
    st.sampled_from(HOSTS),
    st.sampled_from([1, 4, 9, 9]),
)


@given(
    rules=st.sampled_from(["", ".stateChangesOnly()", ".noRecoveries()"]),
    flapping=st.sampled_from(["", ".flapping(0.2, 0.4).history(5)"]),
    writes=st.lists(_write, max_size=60),
)
def test_once_all_is_quiet_what_was_told_last_is_so(
    rules: str, flapping: str, writes: Iterable[tuple[str, str, int]]
) -> None:
    pair = Pair(rules + flapping)
    value = dict.fromkeys(HOSTS, 1)
    for who, host, each in writes:
        if who == "quiet":
            value[host] = each
        pair.write(pair.loud if who == "loud" else pair.quiet, each, host)
    for host in HOSTS:
        pair.write(pair.loud, 1, host)
        # flapping only ends with points
        for _ in range(6 if flapping else 0):
            pair.write(pair.quiet, value[host], host)
    last = {event.state.id: str(event.state.level) for event in pair.heard}
    for host in HOSTS:
        level = {1: "OK", 4: "WARNING", 9: "CRITICAL"}[value[host]]
        if level != "OK" or rules != ".noRecoveries()":
            assert last.get(f"m:h={host}", "OK") == level
