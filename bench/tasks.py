"""Points through tasks that do not fire, by columns and by rows.

Run `python bench/tasks.py`. A task is `from → where → groupBy → alert`, or has a window
and a mean before its alert; frames have 5,000 points of 100 hosts. `rows` is the same
engine fed point by point. Figures are thousands of points × tasks a second on one core,
the median of the frames; the last lines show from how many rows on columns win.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from runtime.frames import Frame
from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes import node
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.tasks.task import ExecutingTask
from runtime.testing.frames import host_frame
from runtime.tick.parser import parse

ROWS, HOSTS = 5_000, 100
ALERT = (
    '|alert().info(lambda: "usage_user" > 1000.0)'
    '.warn(lambda: "usage_user" > 2000.0).crit(lambda: "usage_user" > 3000.0)'
    ".stateChangesOnly()"
)
SHAPES = {
    "simple": "stream|from().measurement('cpu')" + ALERT,
    "where": (
        "stream|from().measurement('cpu').where(lambda: \"host\" != 'nobody')"
        ".groupBy('host')" + ALERT
    ),
    "window": (
        "stream|from().measurement('cpu').groupBy('host')|window().period(10s)"
        ".every(10s)|mean('usage_user').as('usage_user')" + ALERT
    ),
}


def tasks(script: str, count: int) -> list[ExecutingTask]:
    """`count` tasks of the same script."""
    program = parse(script)
    return [
        ExecutingTask(
            f"t{n}",
            evaluate(program, "stream", handlers=INTEGRATIONS.handler_properties),
            Environment(f"t{n}"),
        )
        for n in range(count)
    ]


def by_columns(some: list[ExecutingTask], frame: Frame) -> None:
    """Feed a frame as it is."""
    for task in some:
        task.frames([frame])


def by_rows(some: list[ExecutingTask], frame: Frame) -> None:
    """Feed a frame's points one by one."""
    points = frame.points()
    for task in some:
        task.points(points)


def rate(
    feed: Callable[[list[ExecutingTask], Frame], None],
    some: list[ExecutingTask],
    rounds: int,
    rows: int = ROWS,
) -> float:
    """Thousands of points × tasks a second."""
    seconds = []
    span = max(1, rows // HOSTS)
    for number in range(rounds):
        frame = host_frame(rows, HOSTS, start_s=1_700_000_000 + span * number)
        begin = time.perf_counter()
        feed(some, frame)
        seconds.append(time.perf_counter() - begin)
    return rows * len(some) / statistics.median(seconds[1:]) / 1e3


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=6)
    rounds = arguments.parse_args().rounds
    print(f"{'shape':8} {'tasks':>5} {'columns k/s':>12} {'rows k/s':>10} {'ratio':>6}")
    for shape, script in SHAPES.items():
        for count in (1, 10, 100):
            columns = rate(by_columns, tasks(script, count), rounds)
            rows = rate(by_rows, tasks(script, count), 2 if count > 10 else rounds)
            line = f"{columns:12,.0f} {rows:10,.0f} {columns / rows:6.1f}"
            print(f"{shape:8} {count:5} {line}", flush=True)
    node.SHARED_COLUMNS_FROM = node.COLUMNS_FROM = 1
    for count in (1, 10):
        print(f"\ncolumns : rows by the size of frames, {count} tasks:", *SHAPES)
        for size in (5, 10, 20, 40, 80):
            ratios = []
            for script in SHAPES.values():
                columns = rate(by_columns, tasks(script, count), 30, size)
                ratios.append(columns / rate(by_rows, tasks(script, count), 30, size))
            print(f"{size:6} rows", *(f"{ratio:8.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
