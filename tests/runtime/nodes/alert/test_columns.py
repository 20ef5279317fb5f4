"""An alert node has the same results for frames as for their points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes.alert.node import AlertNode
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.testing.alerts import RecordingTopics, services
from runtime.testing.frames import Collector, frame_of, points, shown
from runtime.tick.parser import parse

LEVELS = [
    '.crit(lambda: "v" > 5)',
    '.info(lambda: "v" > 2).warn(lambda: "v" > 4).crit(lambda: "v" > 6)',
    '.warn(lambda: "v" > 4).warnReset(lambda: "v" < 2).crit(lambda: "v" > 6)'
    '.critReset(lambda: "v" < 3)',
    '.info(lambda: "v" > 2).crit(lambda: "w" > 4).critReset(lambda: "v" < 3)',
    '.crit(lambda: "v" > 5 AND "h" == \'a\')',
    '.warn(lambda: "v" > 3).crit(lambda: count() > 5)',
    '.warn(lambda: "v" > 3).crit(lambda: "v")',
]
RULES = [
    "",
    ".stateChangesOnly()",
    ".stateChangesOnly(3s)",
    ".noRecoveries()",
    ".flapping(0.2, 0.4).history(4)",
    ".stateChangesOnly(2s).flapping(0.2, 0.4).history(4).noRecoveries()",
]
TOPICS = [
    "",
    ".topic('t')",
    ".topic('t').id('X')",
    ".hipChat().topic('t').id('{{ .Name }}')",
]
GROUPS = ["", "h", "h x"]

point = st.tuples(
    st.sampled_from("abc"),
    st.sampled_from([0, 1, 1, 1, 2, 3, 5, 7]),
    st.one_of(st.none(), st.integers(0, 9)),
    st.integers(0, 3),
)


class Fed:
    """An alert node and all it does."""

    def __init__(self, script, topics=None):
        self.topics = topics or RecordingTopics()
        [_, _, spec] = evaluate(
            parse(script), "stream", handlers=INTEGRATIONS.handler_properties
        ).pipeline.nodes
        environment = Environment("TASK", services=services(), topics=self.topics)
        self.node = AlertNode(spec, environment)
        self.passed = Collector()
        self.node.link(self.passed)

    def feed(self, rows, *, in_columns):
        if in_columns:
            self.node.frame(frame_of(rows))
        else:
            for each in rows:
                self.node.point(each)

    @property
    def seen(self):
        return (
            self.topics.events,
            [shown(each) for each in self.passed.points],
            self.node.stats(),
            {each.id: each.events for each in self.topics.topics},
        )


def text(writes):
    time, lines = 0, []
    for write in writes:
        each = []
        for host, value, other, later in write:
            time += later
            more = "" if other is None else f",w={other}"
            each.append(f"m,h={host},x={value % 2} v={value}{more} {time}")
        lines.append("\n".join(each))
    return lines


@given(
    st.sampled_from(LEVELS),
    st.sampled_from(RULES),
    st.sampled_from(TOPICS),
    st.sampled_from(GROUPS),
    st.lists(st.lists(point, min_size=1, max_size=30), min_size=1, max_size=4),
)
def test_columns_give_what_points_give(levels, rules, topics, group_by, writes):
    script = "stream|from()|alert()" + levels + rules + topics
    by_points, by_columns = Fed(script), Fed(script)
    for lines in text(writes):
        rows = points(lines, group_by=group_by)
        for each in rows:
            by_points.node.point(each)
        by_columns.node.frame(frame_of(rows))
    assert by_columns.seen == by_points.seen


class Searched(RecordingTopics):
    """Topics that count how often a state is looked for."""

    searches = 0

    def event_state(self, topic, event_id):
        self.searches += 1
        return super().event_state(topic, event_id)


SAFE_IDS = ["", ".id('{{ .Name }}/{{ .Group }}')", ".id('all of {{ .TaskName }}')"]


def of_hosts(values, start=1):
    """A point each of hosts 0, 1, …"""
    lines = [f"m,h={h} v={value} {start}" for h, value in enumerate(values)]
    return points("\n".join(lines), group_by="h")


@pytest.mark.parametrize("in_columns", [False, True])
@pytest.mark.parametrize("id_property", SAFE_IDS)
def test_nothing_is_looked_for_while_no_topic_has_an_alert(id_property, in_columns):
    alert = f"stream|from()|alert().crit(lambda: \"v\" > 5).topic('t'){id_property}"
    fed = Fed(alert, Searched())
    # three hosts, then nine; then one of them fires and recovers, and others appear
    for values in ([1] * 3, [1] * 9, [7, *[1] * 8], [1] * 9):
        fed.feed(of_hosts(values), in_columns=in_columns)
    assert fed.topics.searches == 0
    assert [event.state.level.name for event in fed.topics.events] == ["CRITICAL", "OK"]
    fed.feed(of_hosts([1] * 20), in_columns=in_columns)
    assert fed.topics.searches == 0
    assert fed.node.working_cardinality == 20


@pytest.mark.parametrize("in_columns", [False, True])
def test_a_group_goes_on_from_an_event_of_the_same_frame(in_columns):
    alert = (
        "stream|from()|alert().crit(lambda: \"v\" > 5).topic('t').id('{{ .TaskName }}')"
    )
    fed = Fed(alert)
    # host 1 appears after the alert of host 0, which has its id
    fed.feed(of_hosts([7, 1, *[1] * 20]), in_columns=in_columns)
    assert [event.state.level.name for event in fed.topics.events][:2] == [
        "CRITICAL",
        "OK",
    ]


@pytest.mark.parametrize("in_columns", [False, True])
def test_a_group_goes_on_from_the_alert_of_another_task(in_columns):
    alert = "stream|from()|alert().crit(lambda: \"v\" > 5).topic('t')"
    topics = RecordingTopics()
    other, fed = Fed(alert, topics), Fed(alert, topics)
    fed.feed(of_hosts([1] * 10), in_columns=in_columns)
    other.feed(of_hosts([1] * 10 + [7]), in_columns=in_columns)
    fed.feed(of_hosts([1] * 20, start=2), in_columns=in_columns)
    assert [(e.state.id, e.state.level.name) for e in topics.events] == [
        ("m:h=10", "CRITICAL"),
        ("m:h=10", "OK"),
    ]


@pytest.mark.parametrize("in_columns", [False, True])
@pytest.mark.parametrize(
    "failing", ["{{ index .Tags 5 }}", "{{ .Fields }}", "{{ index .Tags `no` }}"]
)
def test_an_id_that_fails_is_reported_when_a_group_appears(failing, in_columns):
    fed = Fed(
        f"stream|from()|alert().crit(lambda: \"v\" > 5).topic('t').id('{failing}')"
    )
    fed.feed(of_hosts([1] * 10), in_columns=in_columns)
    assert fed.node.stats()["errors"] == 10


@pytest.mark.parametrize("dense", [False, True])
def test_many_rows_in_few_groups(dense):
    random = np.random.default_rng(3)
    values = random.integers(0, 8 if dense else 400, 2000)
    values[700:720] = 1000
    script = (
        'stream|from()|alert().warn(lambda: "v" > 397).crit(lambda: "v" > 900)'
        ".stateChangesOnly(100s).topic('t')"
    )
    if dense:
        script = script.replace("397", "3")
    lines = "\n".join(f"m,h={i % 7} v={v} {i}" for i, v in enumerate(values))
    by_points, by_columns = Fed(script), Fed(script)
    rows = points(lines, group_by="h")
    for each in rows:
        by_points.node.point(each)
    by_columns.node.frame(frame_of(rows))
    assert by_points.topics.events
    assert by_columns.seen == by_points.seen
