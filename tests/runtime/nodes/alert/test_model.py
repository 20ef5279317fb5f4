"""Alert nodes, compared with a model written from Kapacitor's description."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes.alert.node import AlertNode
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.testing.alerts import RecordingTopics, services, summaries
from runtime.testing.frames import Collector, batch_of, points, seconds
from runtime.tick.parser import parse

WORDS = ("OK", "INFO", "WARNING", "CRITICAL")
NAMES = ("", "info", "warn", "crit")
THRESHOLDS = {1: 2, 2: 4, 3: 6}


@dataclass(frozen=True)
class Rules:
    """Properties of an alert in a script.

    Attributes:
        resets: for each level of the script, the value below which it may be left;
            None without a reset.
        interval: of `stateChangesOnly`; None without it, 0 for no repetition.
        flapping: low and high.
        history: the number of levels that are considered.
    """

    resets: dict[int, int | None] = field(default_factory=lambda: {3: None})
    interval: int | None = None
    flapping: tuple[float, float] | None = None
    history: int | None = None
    no_recoveries: bool = False
    all: bool = False

    @property
    def script(self) -> str:
        said = []
        for level, reset in self.resets.items():
            said.append(f'.{NAMES[level]}(lambda: "v" > {THRESHOLDS[level]})')
            if reset is not None:
                said.append(f'.{NAMES[level]}Reset(lambda: "v" < {reset})')
        if self.interval is not None:
            each = f"{self.interval}s" if self.interval else ""
            said.append(f".stateChangesOnly({each})")
        if self.flapping:
            said.append(".flapping({}, {})".format(*self.flapping))
        if self.history is not None:
            said.append(f".history({self.history})")
        said.append(".noRecoveries()" if self.no_recoveries else "")
        said.append(".all()" if self.all else "")
        return "stream|from()|alert()" + "".join(said)


class Model:
    """One group of an alert."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        size = max(2, 21 if rules.history is None else rules.history)
        self.ring = deque([0] * size, maxlen=size)
        self.is_flapping = False
        self.first: int | None = None
        self.last: int | None = None
        self.meant = 0
        self.previous = 0
        self.events: list[str] = []
        self.passed: list[int] = []

    @property
    def level(self) -> int:
        return self.ring[-1]

    def is_true(self, level: int, value: int) -> bool:
        return level in self.rules.resets and value > THRESHOLDS[level]

    def judged(self, value: int) -> int:
        current = self.level
        for level in range(3, max(current, 1) - 1, -1):
            if self.is_true(level, value):
                return level
        reset = self.rules.resets.get(current)
        if reset is not None and not value < reset:
            return current
        for level in range(current, 0, -1):
            if self.is_true(level, value):
                return level
        return 0

    def share(self) -> float:
        levels = list(self.ring)
        pairs = [(levels[-1], levels[-2]), (levels[0], levels[-1])]
        pairs += zip(levels[1:-2], levels[:-3], strict=True)
        size = len(levels)
        weights = [0.8 + index * 0.4 / (size - 1) for index in range(size - 1)]
        changes = sum(w for w, (a, b) in zip(weights, pairs, strict=False) if a != b)
        return changes / (size - 1)

    def push(self, level: int) -> None:
        self.ring.append(level)
        if self.rules.flapping:
            low, high = self.rules.flapping
            share = self.share()
            self.is_flapping = share >= low if self.is_flapping else share > high

    def is_wanted(self, time: int, was: int) -> bool:
        """Return True if an event is sent; Kapacitor ignores held back levels."""
        news = self.level != was or self.level != self.meant
        if self.level == 0:
            return news
        interval = self.rules.interval
        if interval is None or news:
            return True
        if interval == 0:
            return False
        return self.last is None or time - self.last >= interval

    def point(self, time: int, value: int) -> None:
        was = self.level
        self.push(self.judged(value))
        if not self.is_flapping and self.is_wanted(time, was):
            self.trigger(time, was)

    def batch(self, time: int, values: Sequence[int], tmax: int) -> None:
        was = self.level
        found = [self.judged(value) for value in values]
        level = min(found) if self.rules.all else max(found)
        chosen = time + found.index(max(found))
        self.push(level)
        if self.rules.all or level == 0:
            chosen = tmax
        recovers = level == 0 and level != was
        if recovers or (not self.is_flapping and self.is_wanted(chosen, was)):
            self.trigger(chosen, was)

    def trigger(self, time: int, was: int) -> None:
        self.last = time
        if was == 0 or (self.meant == 0 and self.level):
            self.first = time
        self.meant = self.level
        if self.level == 0 and self.rules.no_recoveries:
            return
        lasts = 0 if self.first is None else time - self.first
        words = f"{WORDS[self.level]}@{time} {WORDS[self.previous]}"
        self.events.append(f"{words} {lasts}s")
        self.previous = self.level
        self.passed.append(time)


class Fed:
    """An alert node that is fed like the model."""

    def __init__(self, rules: Rules) -> None:
        self.topics = RecordingTopics()
        script = parse(rules.script + ".topic('t')")
        [_, _, spec] = evaluate(
            script, "stream", handlers=INTEGRATIONS.handler_properties
        ).pipeline.nodes
        environment = Environment("TASK", services=services(), topics=self.topics)
        self.node = AlertNode(spec, environment)
        self.passed = Collector()
        self.node.link(self.passed)

    def point(self, time: int, value: int) -> None:
        for each in points(f"m v={value} {time}"):
            self.node.point(each)

    def batch(self, time: int, values: Sequence[int], tmax: int) -> None:
        lines = [f"m v={value} {at}" for at, value in enumerate(values, time)]
        self.node.batch(batch_of(points("\n".join(lines)), seconds(tmax)))


_resets = st.none() | st.integers(0, 6)
_levels = st.dictionaries(st.integers(1, 3), _resets, max_size=3)
_rules = st.builds(
    Rules,
    resets=_levels,
    interval=st.sampled_from([None, None, 0, 10]),
    flapping=st.sampled_from([None, (0.25, 0.5), (0.1, 0.2), (0.3, 0.3)]),
    history=st.sampled_from([None, 0, 1, 2, 3, 5, 21]),
    no_recoveries=st.booleans(),
    all=st.booleans(),
)
# as many alternations as a long history takes to flap, and the rest as it comes
_values = st.lists(st.integers(0, 8), max_size=40) | st.lists(
    st.sampled_from([0, 8]), min_size=20, max_size=60
)
# the boundary of an interval is met often, and now and then time goes back
_steps = st.sampled_from([1, 5, 5, 9, 10, 11, -3])


@given(rules=_rules, values=_values, data=st.data())
def test_points(rules: Rules, values: list[int], data: Any) -> None:
    model, fed, time = Model(rules), Fed(rules), 100
    for value in values:
        time += data.draw(_steps)
        model.point(time, value)
        fed.point(time, value)
    assert summaries(fed.topics.events) == model.events
    assert [point.time for point in fed.passed.points] == [*map(seconds, model.passed)]


@given(
    rules=_rules,
    batches=st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=3), max_size=30),
)
def test_batches(rules: Rules, batches: list[list[int]]) -> None:
    model, fed = Model(rules), Fed(rules)
    for number, values in enumerate(batches):
        model.batch(10 * number, values, 10 * number + 10)
        fed.batch(10 * number, values, 10 * number + 10)
    assert summaries(fed.topics.events) == model.events


def test_a_repetition_comes_when_the_interval_is_over_and_not_before() -> None:
    fed = Fed(Rules(interval=10))
    for time in (1, 10, 11, 20, 21):
        fed.point(time, 9)
    assert summaries(fed.topics.events) == [
        "CRITICAL@1 OK 0s",
        "CRITICAL@11 CRITICAL 10s",
        "CRITICAL@21 CRITICAL 20s",
    ]


def test_recoveries_that_are_not_told_end_the_alert_all_the_same() -> None:
    fed = Fed(Rules(interval=0, no_recoveries=True))
    for time, value in enumerate((9, 1, 9)):
        fed.point(time, value)
    assert summaries(fed.topics.events) == [
        "CRITICAL@0 OK 0s",
        "CRITICAL@2 CRITICAL 0s",
    ]
