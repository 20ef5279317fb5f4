"""Counters of nodes, in rows and in columns."""

from collections.abc import Mapping

import pytest

from runtime.line_protocol import parse as parse_points
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.tasks.routes import WriteRoutes
from runtime.tasks.task import ExecutingTask
from runtime.tick.parser import parse

LINES = [
    f"m,h={'abc'[n % 3]},t=x v={n % 7},w={n}i{',u=1' if n % 2 else ''} {n}"
    for n in range(120)
]
FROM = "stream|from().measurement('m').groupBy('h')"
Counters = Mapping[str, Mapping[str, object]]


def fed(script: str, size: int, *, shared: bool = False) -> tuple[Counters, str]:
    """The counters and the graph of a task after 120 points, so many in a write."""
    environment = Environment("t", clock=lambda: 0, dbrps=(("d", "r"),))
    task = ExecutingTask("t", evaluate(parse(script), "stream"), environment)
    routes = WriteRoutes()
    if shared:
        routes.add(task)
    for start in range(0, len(LINES), size):
        body = "\n".join(LINES[start : start + size]).encode()
        write = parse_points(body, precision="s", now=0, db="d", rp="r")
        if shared:
            routes.feed(write, ("d", "r"), lambda task, work: work())
        else:
            task.write(write)
    stats = task.stats()["node-stats"]
    counted = {
        name: {key: n for key, n in counters.items() if key != "avg_exec_time_ns"}
        for name, counters in stats.items()
        if isinstance(counters, Mapping)
    }
    return counted, task.dot()


def counters(script: str, name: str) -> Mapping[str, object]:
    """The counters of one node, the same however the points come."""
    [found, *others] = [fed(script, size)[0][name] for size in (1, 12, 120)]
    assert all(other == found for other in others)
    return found


def counts(collected: int, emitted: int, cardinality: int) -> dict[str, int]:
    return {
        "collected": collected,
        "emitted": emitted,
        "errors": 0,
        "working_cardinality": cardinality,
    }


def test_leaves_emit_nothing() -> None:
    assert counters(f"{FROM}|log()", "log2") == counts(120, 0, 0)


def test_a_point_to_two_children_counts_twice() -> None:
    script = f"var f = {FROM} f|log() f|where(lambda: TRUE)"
    assert counters(script, "from1") == counts(120, 240, 0)
    assert counters(script, "where3") == counts(120, 0, 3)


@pytest.mark.parametrize(
    ("middle", "name", "expected"),
    [
        # three groups of 40 points in 120 s, a window of 10 s
        ("window().period(10s).every(10s)", "window2", counts(120, 27, 3)),
        ("window().period(10s).every(10s)|mean('v')", "mean3", counts(27, 27, 3)),
        ("window().period(10s).every(10s)|last('nope')", "last3", None),
        ("window().period(10s).every(10s)|eval(lambda: 1.0).as('x')", "eval3", None),
        (
            "window().period(10s).every(10s)|derivative('v')",
            "derivative3",
            counts(27, 27, 3),
        ),
        ("window().period(10s).every(10s)|top(1, 'v')", "top3", counts(27, 27, 3)),
        ('where(lambda: "v" > 3.0)', "where2", counts(120, 51, 3)),
        ("where(lambda: FALSE)|alert()", "alert3", counts(0, 0, 0)),
        ("eval(lambda: \"v\").as('x')", "eval2", counts(120, 120, 3)),
        ("derivative('v')", "derivative2", counts(120, 117, 3)),
        ("changeDetect('v')", "changeDetect2", counts(120, 120, 3)),
        ('stateCount(lambda: "v" > 3.0)', "state_count2", counts(120, 120, 3)),
        ('stateDuration(lambda: "v" > 3.0)', "state_duration2", None),
        ("sample(2)", "sample2", counts(120, 60, 3)),
        ("sample(2s)", "sample2", counts(120, 60, 3)),
        ("flatten().on('t')", "flatten2", counts(120, 117, 3)),
        ("sum('v')", "sum2", counts(120, 117, 3)),
        ("cumulativeSum('v')", "cumulativeSum2", counts(120, 120, 3)),
        ("httpOut('x')", "http_out2", counts(120, 120, 3)),
        ("groupBy('t')|eval(lambda: 1.0).as('x')", "eval3", counts(120, 120, 1)),
        ("shift(1s)", "shift2", counts(120, 120, 0)),
        ("window().period(10s).every(10s)|groupBy('t')", "groupby3", counts(27, 26, 1)),
    ],
)
def test_batches_count_as_one_and_groups_are_known(
    middle: str, name: str, expected: Mapping[str, int] | None
) -> None:
    found = counters(f"{FROM}|{middle}|log()", name)
    if expected is None:
        assert found["working_cardinality"] == 3
    else:
        assert {key: found[key] for key in expected} == expected


def test_an_alert_without_levels_knows_its_groups() -> None:
    assert counters(f"{FROM}|alert()|log()", "alert2")["working_cardinality"] == 3
    found = counters(f'{FROM}|alert().crit(lambda: "v" > 5.0)', "alert2")
    assert (found["working_cardinality"], found["crits_triggered"]) == (3, 17)
    assert found["emitted"] == 0


def test_default_and_delete_count_what_they_change() -> None:
    script = (
        f"{FROM}|default().field('u', 0.0).field('n', 1).tag('t', 'y').tag('z', 'z')"
    )
    found = counters(script, "default2")
    assert (found["fields_defaulted"], found["tags_defaulted"]) == (180, 120)
    found = counters(f"{FROM}|delete().field('u').field('n').tag('t')", "delete2")
    assert (found["fields_deleted"], found["tags_deleted"]) == (60, 120)
    found = counters(f"{FROM}|delete().field('nope').tag('h')|log()", "delete2")
    assert (found["fields_deleted"], found["tags_deleted"]) == (0, 120)


def test_heads_of_batches_are_counted_by_default_and_delete_as_in_kapacitor() -> None:
    window = "window().period(10s).every(10s)"
    found = counters(
        f"{FROM}|{window}|default().field('n', 1).tag('z', 'z')", "default3"
    )
    # 27 batches with a head each, and their 108 points
    assert (found["fields_defaulted"], found["tags_defaulted"]) == (135, 135)
    found = counters(f"{FROM}|{window}|delete().tag('h')", "delete3")
    assert (found["fields_deleted"], found["tags_deleted"]) == (0, 135)


def test_tasks_that_share_nodes_count_as_tasks_alone() -> None:
    for middle in (
        '|where(lambda: "v" > 3.0)',
        "|default().field('n', 1)",
        "|window().period(10s).every(10s)|mean('v').as('v')",
    ):
        script = f'{FROM}{middle}|alert().crit(lambda: "v" > 5.0)'
        for size in (1, 12, 120):
            assert fed(script, size, shared=True)[0] == fed(script, size)[0]


def test_the_graph_shows_what_flows_over_each_edge() -> None:
    script = (
        "var a = stream|from().measurement('m').where(lambda: \"v\" > 3.0)"
        " var b = stream|from().measurement('m') a|union(b)|window()"
        ".periodCount(10).everyCount(10)|mean('v')|log()"
    )
    for size in (1, 12, 120):
        _, dot = fed(script, size)
        edges = [line for line in dot.splitlines() if "->" in line]
        assert edges == [
            'stream0 -> from2 [processed="120"];',
            'stream0 -> from1 [processed="120"];',
            'from2 -> union4 [processed="120"];',
            'from1 -> union4 [processed="51"];',
            'union4 -> window5 [processed="170"];',
            'window5 -> mean6 [processed="17"];',
            'mean6 -> log7 [processed="17"];',
        ]
