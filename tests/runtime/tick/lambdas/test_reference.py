"""Expressions as Kapacitor evaluates them.

The table was made by Kapacitor's own evaluator. Its first line has the fields (and the
time) of a point; every other line an expression, and the type and value that it has
there, or the error.
"""

from __future__ import annotations

import json
from pathlib import Path

from runtime.errors import EvaluationError
from runtime.units import Duration

KINDS = {
    "float": float,
    "int": int,
    "string": str,
    "bool": lambda text: text == "true",
    "dur": lambda text: Duration(int(text)),
}
GO_TYPES = {"float64": "float", "int64": "int", "time.Duration": "dur"}


def read(kind: str, text: str) -> object:
    return KINDS[GO_TYPES.get(kind, kind)](text)


def test_expressions_have_the_values_and_errors_of_kapacitor(parsed) -> None:
    table = (Path(__file__).parent / "evaluated_by_go.jsonl").read_text()
    point, *rows = map(json.loads, table.splitlines())
    _, time = point.pop("time")
    fields = {name: read(*spelled) for name, spelled in point.items()}
    wrong = []
    for source, kind, text, error in rows:
        made = parsed(source)
        expected = (None, error) if error else (read(kind, text), None)
        try:
            found = made.row(made.new_state(), int(time), fields, {}), None
        except EvaluationError as fault:
            found = None, str(fault)
        if found != expected or type(found[0]) is not type(expected[0]):
            wrong.append((source, expected, found))
    assert wrong == []
