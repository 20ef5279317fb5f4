"""Compiled code, by rows and by columns, against the evaluator that defines it."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st

from runtime.errors import EvaluationError
from runtime.frames import FieldColumn, Frame, Table, TagColumn
from runtime.tick import ast
from runtime.tick.lambdas import compile_lambda
from runtime.tick.lambdas.build import build, parts, references
from runtime.tick.lambdas.evaluator import Reference, Scope
from runtime.tick.lambdas.state import State
from runtime.tick.lambdas.values import MISSING, Time

FLOATS = st.one_of(
    st.sampled_from(
        [0.0, -0.0, 1.0, -1.5, 2.5, math.nan, math.inf, -math.inf, 1e308, 2.0**53]
    ),
    st.floats(),
)
INTS = st.one_of(
    st.sampled_from([0, 1, -1, 2, -7, 2**63 - 1, -(2**63), 2**53 + 1]),
    st.integers(-(2**63), 2**63 - 1),
)
STRINGS = st.sampled_from(["", "a", "b", "ab", "é", "1", "true", "-3", "1.5", " x "])
BOOLS = st.booleans()
VALUES = {"float": FLOATS, "int": INTS, "string": STRINGS, "bool": BOOLS}
DTYPES = {"float": "f8", "int": "i8", "string": "O", "bool": "?"}
FIELDS = {
    "f": "float",
    "g": "float",
    "i": "int",
    "j": "int",
    "s": "string",
    "b": "bool",
    "c": "bool",
}
TAGS = ("t", "u")
NAMES = {
    "float": ["f", "g"],
    "int": ["i", "j"],
    "string": ["s", "t", "u"],
    "bool": ["b", "c"],
}
ANY_NAME = [*FIELDS, *TAGS, "nowhere", "time"]
COMPARABLE = [
    ("float", "float"),
    ("int", "int"),
    ("float", "int"),
    ("int", "float"),
    ("string", "string"),
    ("bool", "bool"),
]
UNARY_FLOAT = ["abs", "ceil", "floor", "sqrt", "trunc", "exp", "log", "sin", "gamma"]
TO_STRING = ["strToUpper", "strTrimSpace"]
PAIRS = ["strContains", "strHasPrefix", "strContainsAny"]


def _call(name, *arguments):
    return ast.FunctionNode(name, tuple(arguments))


@st.composite
def _float(draw, depth):
    kind = draw(st.integers(0, 7 if depth else 2))
    if kind == 1:
        return ast.NumberNode(draw(FLOATS))
    if kind == 3:
        operator = draw(st.sampled_from("+-*/"))
        left, right = draw(_of("float", depth - 1)), draw(_of("float", depth - 1))
        return ast.BinaryNode(operator, left, right)
    if kind == 4:
        name = draw(st.sampled_from(UNARY_FLOAT))
        return _call(name, draw(_of("float", depth - 1)))
    if kind == 5:
        name = draw(st.sampled_from(["max", "min", "mod", "pow"]))
        arguments = draw(_of("float", depth - 1)), draw(_of("float", depth - 1))
        return _call(name, *arguments)
    if kind == 6:
        source = draw(st.sampled_from(["int", "bool", "string", "float"]))
        return _call("float", draw(_of(source, depth - 1)))
    if kind == 7:
        return ast.UnaryNode("-", draw(_of("float", depth - 1)))
    return ast.ReferenceNode(draw(st.sampled_from(NAMES["float"])))


@st.composite
def _int(draw, depth):
    kind = draw(st.integers(0, 7 if depth else 2))
    if kind == 1:
        return ast.NumberNode(draw(INTS))
    if kind == 3:
        operator = draw(st.sampled_from("+-*/%"))
        left, right = draw(_of("int", depth - 1)), draw(_of("int", depth - 1))
        return ast.BinaryNode(operator, left, right)
    if kind == 4:
        return _call("strLength", draw(_of("string", depth - 1)))
    if kind == 5:
        name = draw(st.sampled_from(["unixNano", "minute", "weekday", "year"]))
        return _call(name, ast.ReferenceNode("time"))
    if kind == 6:
        source = draw(st.sampled_from(["float", "bool", "string", "int"]))
        return _call("int", draw(_of(source, depth - 1)))
    if kind == 7:
        return ast.UnaryNode("-", draw(_of("int", depth - 1)))
    return ast.ReferenceNode(draw(st.sampled_from(NAMES["int"])))


@st.composite
def _string(draw, depth):
    kind = draw(st.integers(0, 6 if depth else 2))
    if kind == 1:
        return ast.StringNode(draw(STRINGS))
    if kind == 3:
        left, right = draw(_of("string", depth - 1)), draw(_of("string", depth - 1))
        return ast.BinaryNode("+", left, right)
    if kind == 4:
        name = draw(st.sampled_from(TO_STRING))
        return _call(name, draw(_of("string", depth - 1)))
    if kind == 5:
        arguments = draw(_of("string", depth - 1)), draw(_of("int", 0))
        return _call("strSubstring", arguments[0], ast.NumberNode(0), arguments[1])
    if kind == 6:
        source = draw(st.sampled_from(["float", "bool", "string", "int"]))
        return _call("string", draw(_of(source, depth - 1)))
    return ast.ReferenceNode(draw(st.sampled_from(NAMES["string"])))


@st.composite
def _bool(draw, depth):
    kind = draw(st.integers(0, 9 if depth else 2))
    if kind == 1:
        return ast.BoolNode(draw(BOOLS))
    if kind in (3, 4):
        operator = draw(st.sampled_from(["AND", "OR"]))
        left, right = draw(_of("bool", depth - 1)), draw(_of("bool", depth - 1))
        return ast.BinaryNode(operator, left, right)
    if kind in (5, 6):
        operator = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
        sources = draw(st.sampled_from(COMPARABLE))
        left, right = (draw(_of(source, depth - 1)) for source in sources)
        return ast.BinaryNode(operator, left, right)
    if kind == 7:
        if draw(BOOLS):
            return ast.UnaryNode("!", draw(_of("bool", depth - 1)))
        operator = draw(st.sampled_from(["=~", "!~"]))
        pattern = ast.RegexNode(draw(st.sampled_from(["a", "^$", "b$"])))
        return ast.BinaryNode(operator, draw(_of("string", depth - 1)), pattern)
    if kind == 8:
        return _call("isPresent", ast.ReferenceNode(draw(st.sampled_from(ANY_NAME))))
    if kind == 9:
        name = draw(st.sampled_from([*PAIRS, "bool"]))
        texts = [draw(_of("string", depth - 1)) for _ in range(1 + (name != "bool"))]
        return _call(name, *texts)
    return ast.ReferenceNode(draw(st.sampled_from(NAMES["bool"])))


@st.composite
def _of(draw, kind, depth):
    """An expression that mostly is of the kind, and rarely of any."""
    luck = draw(st.integers(0, 39))
    if luck == 0:
        return ast.ReferenceNode(draw(st.sampled_from(ANY_NAME)))
    if luck == 1:
        kind = draw(st.sampled_from(list(VALUES)))
    if depth and luck == 2:
        return ast.LambdaNode(draw(_of(kind, depth - 1)))
    if depth and luck in (3, 4):
        condition = draw(_of("bool", depth - 1))
        branches = draw(_of(kind, depth - 1)), draw(_of(kind, depth - 1))
        return _call("if", condition, *branches)
    if depth and luck == 5 and kind in ("float", "int"):
        stateful = _call("count")
        if kind == "float":
            name = draw(st.sampled_from(["sigma", "spread"]))
            stateful = _call(name, draw(_of("float", depth - 1)))
        return stateful
    strategies = {"float": _float, "int": _int, "string": _string, "bool": _bool}
    return draw(strategies[kind](depth))


EXPRESSIONS = st.sampled_from(["bool", "bool", "float", "int", "string"]).flatmap(
    lambda kind: _of(kind, 3)
)


@st.composite
def _frames(draw):
    size = draw(st.integers(0, 6))
    fields = {}
    for name, kind in FIELDS.items():
        present = draw(st.lists(BOOLS, min_size=size, max_size=size) | st.none())
        if present is not None and not any(present):
            continue
        values = draw(st.lists(VALUES[kind], min_size=size, max_size=size))
        array = np.empty(size, dtype=DTYPES[kind])
        array[:] = values
        mask = None if present is None else np.array(present, dtype=bool)
        if mask is not None and kind == "string":
            array[~mask] = None
        fields[name] = FieldColumn(kind, array, mask)
    tags = {}
    for name in TAGS:
        values = draw(st.lists(STRINGS, min_size=1, max_size=9, unique=True))
        codes = st.integers(-1, len(values) - 1)
        drawn = draw(st.lists(codes, min_size=size, max_size=size))
        tags[name] = TagColumn(np.array(drawn, dtype=np.int32), values)
    times = draw(st.lists(st.integers(0, 2**61), min_size=size, max_size=size))
    return Frame("m", np.array(times, dtype=np.int64), Table(tags, fields))


def _same(left, right):
    if type(left) is not type(right):
        return False
    if type(left) is float:
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return left == right


def _outcome(run, *arguments):
    try:
        return run(*arguments)
    except EvaluationError as fault:
        return fault


@given(EXPRESSIONS, _frames())
def test_columns_equal_rows(expression, frame):
    made = compile_lambda(ast.LambdaNode(expression))
    column = made.columns(frame)
    if column is None:
        event("row by row")
        return
    event("by columns")
    state = made.new_state()
    for number, point in enumerate(frame.points()):
        if column.valid is not None and not column.valid[number]:
            continue
        value = column.values
        if isinstance(value, np.ndarray):
            value = value[number]
        value = value.item() if isinstance(value, np.generic) else value
        # a valid row never raises
        expected = made.row(state, point.time, point.fields, point.tags)
        assert _same(value, expected), (made.text, value, expected)


@given(EXPRESSIONS, _frames())
def test_compiled_rows_equal_the_evaluator(expression, frame):
    made = compile_lambda(ast.LambdaNode(expression))
    root = build(expression)
    names = references(parts(root))
    quick, slow = made.new_state(), State()
    for point in frame.points():
        everything = {"time": Time(point.time)} | point.tags | point.fields
        values = {name: everything.get(name, MISSING) for name in names}
        expected = _outcome(_evaluated, root, Scope(values, slow))
        value = _outcome(made.row, quick, point.time, point.fields, point.tags)
        if isinstance(expected, EvaluationError):
            assert isinstance(value, EvaluationError), (made.text, value, expected)
            if not isinstance(root, Reference):
                assert str(value) == str(expected)
            continue
        assert _same(value, expected), (made.text, value, expected)


def _evaluated(root, scope):
    if root.type(scope) is Time:
        raise EvaluationError("expression returned unexpected type time")
    return root.value(scope)
