"""No value and no time of a point stops a task, in rows as in columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.alert.serialize import event_line
from runtime.errors import ScriptError, TaskError
from runtime.line_protocol import parse
from runtime.nodes.alert.flapping import Changes, Flapping, Ring
from runtime.nodes.columns import moved, rounded, truncated
from runtime.testing.alerts import RecordingTopics, task
from runtime.units import (
    EARLIEST,
    LATEST,
    NEVER,
    round_half_up,
    saturated,
    truncate,
)
from tests.draws import drawn

ENDS = (
    LATEST,
    LATEST - 1,
    LATEST - 3 * 10**9,
    EARLIEST,
    EARLIEST + 1,
    EARLIEST + 10**9,
)
NOW = 1_700_000_000_000_000_000
ALERT = "|alert().crit(lambda: TRUE).topic('t')"
WINDOWS = [
    "|window().period(10s).every(5s)",
    "|window().period(10s).every(5s).align()",
    "|window().period(10s).every(5s).fillPeriod()",
    "|window().period(10s).every(5s).align().fillPeriod()",
    "|window().period(10s)",
    "|window().period(100000d).every(1s)",
    "|window().period(1s).every(100000d).align()",
    "|window().periodCount(10).everyCount(3)",
]
AGGREGATES = [
    *("count", "sum", "mean", "median", "mode", "spread", "stddev"),
    *("min", "max", "first", "last", "distinct"),
]
NODES = [
    *(f"{window}|{name}('v')" for window in WINDOWS for name in ("mean", "distinct")),
    *(f"{WINDOWS[0]}|{name}('v')" for name in AGGREGATES),
    *(f"|window().period(10s).every(5s)|{name}(3, 'v')" for name in ("top", "bottom")),
    "|window().period(10s).every(5s)|percentile('v', 100.0)",
    "|shift(100000d)",
    "|shift(-100000d)",
    "|shift(100000d)|shift(100000d)|window().period(10s).every(5s)",
    "|sample(7s)",
    "|derivative('v').unit(0s)",
    "|derivative('v').unit(1u)",
    "|derivative('v').unit(0s).nonNegative()",
    "|elapsed('v', 1u)",
    "|elapsed('v', 100000d)",
    "|difference('v')",
    "|cumulativeSum('v')",
    "|movingAverage('v', 3)",
    "|movingAverage('v', 1000000000)",
    '|stateDuration(lambda: "v" > 0).unit(0s)',
    '|stateCount(lambda: "v" > 0)',
    "|changeDetect('v')",
    "|flatten().on('h').tolerance(100000d)",
    "|combine(lambda: TRUE, lambda: TRUE).as('l', 'r').tolerance(100000d)",
    '|eval(lambda: "v" / 0.0, lambda: "v" * "v" * "v").as(\'v\', \'w\')',
    "|eval(lambda: duration(\"v\", 1h) * 1000000).as('v')",
]


def lines(times: Sequence[int], values: Sequence[str]) -> list[str]:
    """Points of two hosts at these times."""
    return [
        f"m,h={'ab'[n % 2]} v={values[n % len(values)]} {time}"
        for n, time in enumerate(times)
    ]


def shown(topics: RecordingTopics) -> list[bytes]:
    return [event_line(event) for event in topics.events]


def run(script: str, writes: Sequence[Sequence[str]]) -> list[bytes]:
    """The events of a task, which must not stop."""
    topics = RecordingTopics()
    running = task(script, topics)
    for write in writes:
        body = "\n".join(write).encode()
        running.write(parse(body, precision="n", now=0, db="d", rp="r"))
        assert running.error == ""
    return shown(topics)


@pytest.mark.parametrize("nodes", drawn(NODES, 25))
@pytest.mark.parametrize(
    "values",
    [
        ["1", "2.5", "-3"],
        ["1.7976931348623157e308", "-1.7976931348623157e308"],
        ["9223372036854775807i", "-9223372036854775808i", "0i"],
    ],
)
def test_no_time_and_no_number_stops_a_task(nodes: str, values: list[str]) -> None:
    times = [
        *(NOW + n * 10**9 for n in range(50)),
        *ENDS,
        *(NOW + n * 10**9 for n in range(50, 60)),
        *reversed(ENDS),
    ]
    points = lines(times, values)
    script = f"stream|from().measurement('m').groupBy('h'){nodes}{ALERT}"
    in_columns = run(script, [points, points[:20]])
    in_rows = run(script, [[each] for each in (*points, *points[:20])])
    assert in_columns == in_rows


def test_windows_go_on_after_a_point_at_the_end_of_time() -> None:
    script = (
        "stream|from().measurement('m')|window().period(10s).every(5s)|count('v')"
        f"{ALERT}.message('{{{{ .Time.Unix }}}}').all()"
    )
    first = [f"m v=1 {NOW + n * 10**9}" for n in range(20)]
    events = run(script, [[*first, f"m v=1 {LATEST}"], [f"m v=1 {NOW + 10**11}"]])
    # the barriers due when the late point came; then none, until the end of time
    assert len(events) == 4


@given(
    st.integers(EARLIEST, LATEST),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.integers(1, 2**63 - 1),
)
def test_times_saturate_in_rows_as_in_columns(time: int, by: int, step: int) -> None:
    column = np.array([time], dtype=np.int64)
    assert moved(column, by).tolist() == [saturated(time + by)]
    assert truncated(column, step).tolist() == [truncate(time, step)]
    assert rounded(column, step).tolist() == [round_half_up(time, step)]
    assert EARLIEST <= round_half_up(time, step) <= LATEST < NEVER


def test_an_alert_may_last_from_one_end_of_time_to_the_other() -> None:
    script = f"stream|from(){ALERT}"
    [_, event] = run(script, [[f"m v=1 {EARLIEST}"], [f"m v=1 {LATEST}"]])
    assert b'"duration":9223372036854775807' in event


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('duration("v", 1s)', b"5000000000"),
        ("1h", b"3600000000000"),
        ('"v" / 0.0', b"null"),
        ('-"v" / 0.0', b"null"),
        ('0.0 * ("v" / 0.0)', b"null"),
        ("pow(10.0, 400.0)", b"null"),
        ("log(0.0)", b"null"),
        ('int("v" / 0.0)', b"-9223372036854775808"),
        ('int("v") * 9223372036854775807', b"9223372036854775803"),
    ],
)
@pytest.mark.parametrize("window", ["", "|window().periodCount(2).everyCount(1)"])
def test_every_value_can_be_sent(expression: str, value: bytes, window: str) -> None:
    script = (
        f"stream|from()|eval(lambda: {expression}).as('x'){window}{ALERT}"
        ".idTag('i').messageField('m')"
    )
    topics = RecordingTopics()
    running = task(script, topics)
    running.write(parse(b"m v=5 1", precision="n", now=0, db="d", rp="r"))
    [event] = topics.events
    assert b'"values":[["1970-01-01T00:00:00.000000001Z",' + value in event_line(event)
    assert running.error == ""
    # values lost in JSON are counted
    assert running.nodes[-1].errors == (value == b"null")
    assert b"Infinity" not in event_line(event)


@pytest.mark.parametrize("of", ["id", "message", "details"])
@pytest.mark.parametrize(
    "template",
    [
        "{{ .Nope }}",
        '{{ index .Fields "v" "w" }}',
        "{{ .Name.Nope }}",
        "{{ len 5 }}",
        "{{ .Group 1 }}",
        "{{ slice .Name 3 1 }}",
    ],
)
def test_no_template_stops_a_task(of: str, template: str) -> None:
    script = f"stream|from(){ALERT}.{of}('{template}').idTag('i').messageField('m')"
    topics = RecordingTopics()
    running = task(script, topics)
    running.write(parse(b"m v=5 1", precision="n", now=0, db="d", rp="r"))
    [event] = topics.events
    assert running.error == ""
    assert event.state.id == "m:nil"
    assert event.state.message.startswith("m:nil is CRITICAL")
    assert running.nodes[-1].errors > 0


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ("|movingAverage('v', 0)", "movingAverage needs a positive number of points"),
        ("|movingAverage('v', -1)", "movingAverage needs a positive number of points"),
        ("|elapsed('v', 0s)", "the unit of elapsed cannot be zero"),
    ],
)
def test_what_cannot_work_on_any_data_does_not_start(nodes: str, reason: str) -> None:
    with pytest.raises(TaskError, match=reason):
        task(f"stream|from(){nodes}{ALERT}")


@pytest.mark.parametrize(
    "property", ["period(-1s)", "every(-1s)", "periodCount(-1).everyCount(1)"]
)
def test_windows_of_negative_size_are_refused(property: str) -> None:
    with pytest.raises(ScriptError, match="cannot be negative"):
        task(f"stream|from()|window().{property}{ALERT}")


def test_a_long_history_costs_what_it_holds() -> None:
    flapping = Flapping(0.2, 0.5, 1_000_000_000)
    for level in [0, 3] * 1000:
        flapping.push(level)
    assert not flapping.is_on
    assert not flapping.is_quiescent


@given(st.integers(3, 40), st.lists(st.sampled_from([0, 0, 0, 1, 3]), max_size=120))
def test_long_histories_give_what_short_ones_give(size: int, levels: list[int]) -> None:
    ring, changes = Ring(size), Changes(size)
    for level in levels:
        ring.push(level)
        changes.push(level)
        assert math.isclose(changes.share(), ring.share(), abs_tol=1e-9)
        assert changes.is_quiescent == ring.is_quiescent


def test_an_unchanged_level_is_told_again_whatever_the_distance() -> None:
    script = f"stream|from(){ALERT}.stateChangesOnly(10000d)"
    times = [EARLIEST, *(NOW + n for n in range(60)), LATEST, EARLIEST, LATEST]
    points = [f"m v=1 {time}" for time in times]
    assert run(script, [points]) == run(script, [[each] for each in points])
    assert len(run(script, [points])) == 3
