"""An alert node fed with frames does what it does fed with their points."""

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

    def __init__(self, script):
        self.topics = RecordingTopics()
        [_, _, spec] = evaluate(
            parse(script), "stream", handlers=INTEGRATIONS.handler_properties
        ).pipeline.nodes
        environment = Environment("TASK", services=services(), topics=self.topics)
        self.node = AlertNode(spec, environment)
        self.passed = Collector()
        self.node.link(self.passed)

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
