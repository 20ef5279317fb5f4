"""Points per second through lambdas, by rows and by columns.

Run `python bench/lambdas.py`; figures are millions of points a second on one core, the
best of five rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from runtime.frames import FieldColumn, Frame, Table, TagColumn
from runtime.tick import ast, parser
from runtime.tick.lambdas import Lambda, compile_lambda

ROWS = 5_000
EXPRESSIONS = (
    '"usage_user" > 3000.0',
    '"host" != \'nobody\' AND "v" > 1.0',
)


def frame() -> Frame:
    """5,000 points of 50 hosts with two float fields."""
    random = np.random.default_rng(1)
    hosts = [f"host{number}" for number in range(50)]
    codes = random.integers(0, len(hosts), ROWS).astype(np.int32)
    fields = {
        name: FieldColumn("float", random.random(ROWS) * 100.0)
        for name in ("usage_user", "v")
    }
    times = np.arange(ROWS, dtype=np.int64)
    return Frame("cpu", times, Table({"host": TagColumn(codes, hosts)}, fields))


def compiled(expression: str) -> Lambda:
    """The lambda that a script writes as `lambda: expression`."""
    [statement] = parser.parse(f"var x = lambda: {expression}").statements
    assert isinstance(statement, ast.DeclarationNode)
    assert isinstance(statement.value, ast.LambdaNode)
    return compile_lambda(statement.value)


def best(run: Callable[[], object], points: int) -> float:
    """Millions of points a second in the best of five rounds."""
    rounds = []
    for _ in range(5):
        begin = time.perf_counter()
        run()
        rounds.append(time.perf_counter() - begin)
    return points / min(rounds) / 1e6


def by_rows(condition: Lambda, source: Frame) -> float:
    """Every point by itself."""
    row, state = condition.row, condition.new_state()
    points = [(each.time, each.fields, each.tags) for each in source.points()]

    def run() -> None:
        for moment, fields, tags in points:
            row(state, moment, fields, tags)

    return best(run, len(points))


def by_columns(condition: Lambda, source: Frame) -> float:
    """The whole frame at once, 100 times."""
    # a frame remembers what tasks share, so each round gets a frame of its own
    frames = [source.replace() for _ in range(500)]

    def run() -> None:
        for _ in range(100):
            condition.columns(frames.pop())

    return best(run, 100 * len(source))


def main() -> None:
    """Print a table."""
    source = frame()
    print(f"{'million points a second':44} {'rows':>8} {'columns':>8}")
    for expression in EXPRESSIONS:
        condition = compiled(expression)
        rows, columns = by_rows(condition, source), by_columns(condition, source)
        print(f"{expression:44} {rows:8.1f} {columns:8.0f}")


if __name__ == "__main__":
    main()
