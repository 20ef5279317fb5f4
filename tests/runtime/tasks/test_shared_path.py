"""Tasks that are watched together do what each does alone."""

import functools
import itertools
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.frames import Point
from runtime.integrations.bundled import INTEGRATIONS
from runtime.line_protocol import Write, parse
from runtime.nodes import node
from runtime.nodes.alert.thresholds import bounds_of
from runtime.nodes.environment import Environment
from runtime.nodes.stateful import ChangeDetectNode
from runtime.nodes.window.node import WindowNode
from runtime.pipeline.evaluate import EvaluatedScript, evaluate
from runtime.tasks.path import path_of
from runtime.tasks.routes import WriteRoutes
from runtime.tasks.task import ExecutingTask
from runtime.testing.alerts import RecordingTopics, services
from runtime.tick.ast import DeclarationNode, LambdaNode
from runtime.tick.parser import parse as parse_script
from tests.examples import at_most

BEFORE = [
    "",
    ".where(lambda: \"h\" != 'a').groupBy('h')",
    ".groupBy(*)",
    "|where(lambda: \"v\" > 1)|groupBy('h')",
    "|eval(lambda: \"v\" * 2.0).as('v').keep()",
    "|default().field('w', 3.0)|delete().tag('x')",
    ".groupBy('h')|window().period(6s).every(4s)|mean('v').as('v')",
    "|window().period(5s).every(0s)|max('v').as('v').usePointTimes()",
    ".groupBy('h')|window().periodCount(3).everyCount(2)|top(2, 'v').as('v')",
    ".groupBy('h')|window().period(5s).every(5s).align()|where(lambda: \"v\" > 1)",
    ".groupBy('h')|sum('v').as('v')|cumulativeSum('v').as('v')",
    ".groupBy('h')|derivative('v').unit(2s).nonNegative()|sample(2)",
    "|changeDetect('v')|shift(3s)|sample(2s)",
    "|stateCount(lambda: \"v\" > 1).as('v')|eval(lambda: float(\"v\")).as('v')",
    ".groupBy('h')|stateDuration(lambda: \"v\" > 1).as('v').unit(2s)",
]
LEVELS = [
    '.crit(lambda: "v" > {0})',
    '.info(lambda: "v" >= {0}).crit(lambda: "v" > {1})',
    '.warn(lambda: "v" < {0}).crit(lambda: {1} <= "v" OR "w" > 5)',
    '.warn(lambda: "v" > {0} AND "w" < {1})',
    '.warn(lambda: "v" > {0}).warnReset(lambda: "v" < 2.0).stateChangesOnly()',
    '.crit(lambda: "v" > {0}).flapping(0.2, 0.4).history(4)',
    '.crit(lambda: "v" == {0} OR count() % {1} == 3)',
    '.warn(lambda: "v" > {0}).crit(lambda: "v" > {1}).all()',
]
VALUES = ["0.0", "1.0", "2.5", "3.0", "4.0", "5.0", "6.5", "3i", "8.0", "T"]

script = st.builds(
    lambda before, levels, low, high: (
        f"stream|from().measurement('m'){before}|alert()"
        + levels.format(f"{low}.0", high)
        + ".id('{{ .TaskName }}{{ .Group }}').hipChat().topic('t')"
    ),
    st.sampled_from(BEFORE),
    st.sampled_from(LEVELS),
    st.integers(0, 7),
    st.integers(0, 7),
)
line = st.sampled_from(
    [
        f"{name},h={host},x=1 v={value}{other}"
        for name, host, value, other in itertools.product(
            "mmmmn", "abc", [*VALUES[:7] * 4, *VALUES], ["", ",w=1.0", ",w=4.0"]
        )
    ]
)
writes = st.lists(st.lists(line, min_size=1, max_size=14), min_size=1, max_size=6)


@functools.cache
def compiled(text: str) -> EvaluatedScript:
    return evaluate(
        parse_script(text), "stream", handlers=INTEGRATIONS.handler_properties
    )


def started(text: str, id: str) -> ExecutingTask:
    topics = RecordingTopics()
    environment = Environment(
        id, services=services(), topics=topics, dbrps=(("d", "r"),)
    )
    return ExecutingTask(id, compiled(text), environment)


def written(lines: list[str], time: int) -> Write:
    text = "\n".join(f"{each} {time + n}" for n, each in enumerate(lines))
    return parse(text.encode(), precision="s", now=0, db="d", rp="r")


def feed(routes: WriteRoutes, write: Write) -> None:
    routes.feed(write, ("d", "r"), lambda task, work: work())


def seen(task: ExecutingTask) -> object:
    topics = task.environment.topics
    assert isinstance(topics, RecordingTopics)
    stats = task.stats()["node-stats"]
    assert isinstance(stats, dict)
    for name, each in stats.items():
        del each["avg_exec_time_ns"]
        if not name.startswith("window"):
            del each["working_cardinality"]
    events = {each.id: each.events for each in topics.topics}
    return topics.events, events, stats, task.error


@settings(max_examples=at_most(250))  # one runs a dozen tasks
@given(
    st.lists(script, min_size=1, max_size=3),
    writes,
    writes,
    st.sampled_from([1, 4, node.COLUMNS_FROM]),
)
def test_watched_tasks_do_what_they_do_alone(scripts, before, after, columns_from):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node, "COLUMNS_FROM", columns_from)
        together, alone = fed(scripts, before, after)
    assert together == alone


def fed(scripts, before, after) -> tuple[list[object], list[object]]:
    """Return the results of tasks that were watched, and of others that were not.

    Half of each came later, when the first had ended.
    """
    routes = WriteRoutes()
    together: list[ExecutingTask] = []
    alone: list[ExecutingTask] = []
    ended: tuple[list[object], list[object]] = [], []
    time = 0
    for round, some in enumerate((before, after)):
        for number, text in enumerate(scripts):
            for tasks in (together, alone):
                tasks.append(started(text, f"t{number}.{round}"))
            routes.add(together[-1])
        if round:
            for tasks, seen_of in zip((together, alone), ended, strict=True):
                seen_of.append(seen(tasks[0]))
            routes.remove(together.pop(0))
            alone.pop(0)
        for lines in some:
            feed(routes, written(lines, time))
            for task in alone:
                task.write(written(lines, time))
            time += len(lines)
    for tasks, seen_of in zip((together, alone), ended, strict=True):
        seen_of.extend(seen(task) for task in tasks)
    return ended


WINDOW = "|window().period(2s).every(1s)|max('v').as('v')"


def run_times(limits: list[float], lines: list[str], before: str = "") -> list[str]:
    """The ids of the tasks that ran for the last line.

    Each line is a write and a second later than the one before.
    """
    ran: list[str] = []
    routes = WriteRoutes()
    for limit in limits:
        text = (
            f"stream|from().measurement('m').groupBy('h'){before}|alert()"
            f'.crit(lambda: "v" > {limit})'
        )
        routes.add(started(text, str(limit)))
    for time, line in enumerate(lines):
        ran.clear()

        def run(task: ExecutingTask, work: Callable[[], None]) -> None:
            ran.append(task.id)
            work()

        routes.feed(written([line], time), ("d", "r"), run)
    return ran


def test_only_tasks_whose_threshold_is_passed_run():
    lines = ["m,h=a v=0", "m,h=a v=0"]
    assert run_times([1.5, 2.5, 3.5], lines) == []
    assert run_times([1.5, 2.5, 3.5], [*lines, "m,h=a v=3"]) == ["1.5", "2.5"]


def test_tasks_behind_a_window_run_when_it_tells_of_a_passed_threshold():
    lines = ["m,h=a v=0"] * 4
    assert run_times([1.5, 2.5], lines, WINDOW) == []
    assert run_times([1.5, 2.5], [*lines, "m,h=a v=2"], WINDOW) == []
    assert run_times([1.5, 2.5], [*lines, "m,h=a v=2", lines[0]], WINDOW) == ["1.5"]


def test_a_task_that_starts_later_has_a_window_of_its_own():
    routes, tasks = WriteRoutes(), []
    text = f"stream|from().measurement('m'){WINDOW}|alert().crit(lambda: \"v\" > 5)"
    for time in range(4):
        tasks.append(started(text, f"t{time}"))
        routes.add(tasks[-1])
        feed(routes, written(["m v=1"], time))
    counts = [task.nodes[2].emitted for task in tasks]
    assert counts == [3, 2, 1, 0]


def test_each_task_reports_the_errors_of_nodes_that_it_shares(caplog):
    routes, tasks = WriteRoutes(), []
    for id, quiet in (("a", ""), ("b", ""), ("c", ".quiet()")):
        before = f"stream|from().measurement('m')|eval(lambda: \"w\").as('w'){quiet}"
        tasks.append(started(f"{before}|alert()", id))
        routes.add(tasks[-1])
    feed(routes, written(["m v=1", "m v=2", "m v=3,w=1"], 0))
    assert [task.nodes[2].errors for task in tasks] == [2, 2, 0]
    assert Counter(record.task for record in caplog.records) == {"a": 2, "b": 2}


def test_a_mistake_in_a_node_that_tasks_share_is_a_mistake_of_each(monkeypatch):
    routes, failed = WriteRoutes(), []
    for id in "ab":
        routes.add(started(f"stream|from().measurement('m'){WINDOW}|alert()", id))
    monkeypatch.setattr(WindowNode, "point", lambda node, point: 1 // 0)

    def run(task: ExecutingTask, work: Callable[[], None]) -> None:
        with pytest.raises(ZeroDivisionError):
            work()
        failed.append(task.id)

    routes.feed(written(["m v=1"], 0), ("d", "r"), run)
    assert failed == ["a", "b"]


def test_tasks_run_for_groups_they_do_not_know_and_while_they_are_not_ok():
    assert run_times([5.5], ["m,h=a v=0", "m,h=b v=0"]) == ["5.5"]
    assert run_times([5.5], ["m,h=a v=9", "m,h=a v=0"]) == ["5.5"]
    assert run_times([5.5], ["m,h=a v=9", "m,h=a v=0", "m,h=a v=0"]) == []


def test_a_removed_task_runs_no_more():
    routes, task = WriteRoutes(), started("stream|from().measurement('m')|log()", "t")
    routes.add(task)
    routes.remove(task)
    feed(routes, written(["m v=1"], 0))
    assert task.nodes[0].collected == 0


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ('"v" > 3', {"v": (float("-inf"), 3.0)}),
        ('-2.5 >= "v"', {"v": (-2.4999999999999996, float("inf"))}),
        ('"v" > 3 OR "v" < 1', {"v": (1.0, 3.0)}),
        (
            '"v" > 3 AND "w" < 1',
            {"v": (float("-inf"), 3.0), "w": (float("-inf"), float("inf"))},
        ),
        ('"v" == 3', None),
        ('"time" > 3', None),
        ("\"v\" > 'x'", None),
        ('"v" > "w"', None),
        ('"v" > 9007199254740993', None),
    ],
)
def test_bounds_of_a_condition(text, bounds):
    program = parse_script(f"var x = lambda: {text}")
    [declaration] = program.statements
    assert isinstance(declaration, DeclarationNode)
    assert isinstance(declaration.value, LambdaNode)
    assert bounds_of([None, declaration.value]) == bounds


@pytest.mark.parametrize(
    "text",
    [
        'stream|from()|alert().crit(lambda: "v" > 1)',
        "stream|from().measurement('m')|where(lambda: count() > 1)|alert()",
        "stream|from().measurement('m')|barrier().idle(1s)|alert()",
        "var m = stream|from().measurement('m')\nm|alert()\nm|log()",
    ],
)
def test_tasks_that_know_the_clock_or_branch_have_no_path(text):
    assert path_of(started(text, "t").nodes) is None


def test_what_came_through_before_a_shared_node_failed_is_told(monkeypatch):
    def point(self: ChangeDetectNode, taken: Point) -> None:
        if taken.fields["v"] == 9.0:
            raise RuntimeError("a mistake")
        self.emit_point(taken)

    monkeypatch.setattr(ChangeDetectNode, "point", point)
    text = (
        "stream|from().measurement('m')|changeDetect('v')|alert()"
        ".crit(lambda: \"v\" > 3.0).id('{{ .TaskName }}').topic('t')"
    )
    routes, failed = WriteRoutes(), list[str]()
    tasks = [started(text, id) for id in "ab"]
    for task in tasks:
        routes.add(task)

    def run(task: ExecutingTask, work: Callable[[], None]) -> None:
        try:
            work()
        except RuntimeError:
            failed.append(task.id)

    routes.feed(written(["m v=5.0", "m v=9.0"], 0), ("d", "r"), run)
    assert failed == ["a", "b"]
    for task in tasks:
        topics = task.environment.topics
        assert isinstance(topics, RecordingTopics)
        assert [each.state.id for each in topics.events] == [task.id]
