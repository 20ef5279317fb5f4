from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from runtime.errors import EvaluationError
from runtime.frames import FieldColumn, Frame, Table, TagColumn

SPECIAL = {
    "float": [0.0, -0.0, 1.0, -2.5, 0.5, 1e300, 2.0**63, math.inf, -math.inf, math.nan],
    "int": [0, 1, -1, 2, -7, 10, 2**53 + 1, 2**63 - 1, -(2**63)],
    "string": ["", "a", "b", "ab", "é", "1", "-3", "1.5", "true", " a "],
    "bool": [True, False],
}
LITERALS = {
    "float": ["0.0", "-2.5", "1.0", "9007199254740992.0"],
    "int": ["0", "2", "-7", "9007199254740993"],
    "string": ["''", "'a'", "'é'"],
    "bool": ["TRUE", "FALSE"],
}
DTYPES = {"float": "f8", "int": "i8", "string": "O", "bool": "?"}


def _field(kind, values, present=None):
    array = np.empty(len(values), dtype=DTYPES[kind])
    array[:] = values
    mask = None if present is None else np.array(present, dtype=bool)
    return FieldColumn(kind, array, mask)


def _tag(values):
    distinct = [value for value in dict.fromkeys(values) if value is not None]
    codes = [-1 if value is None else distinct.index(value) for value in values]
    return TagColumn(np.array(codes, dtype=np.int32), distinct)


def _frame(fields, tags=None):
    columns = [*fields.values(), *(tags or {}).values()]
    size = min(len(c.codes if isinstance(c, TagColumn) else c.values) for c in columns)
    times = np.arange(size, dtype=np.int64) * 10**13
    return Frame("m", times, Table(tags or {}, fields))


def _all_pairs(left, right):
    """A frame with every pair of special values, and some rows without `b`."""
    pairs = list(itertools.product(SPECIAL[left], SPECIAL[right]))
    pairs += pairs[:2]
    present = [True] * (len(pairs) - 2) + [False] * 2
    firsts = [first for first, _ in pairs]
    seconds = [second for _, second in pairs]
    tags = {}
    if left == "string":
        tags["t"] = _tag([*firsts[:-1], None])
    fields = {"a": _field(left, firsts), "b": _field(right, seconds, present)}
    return _frame(fields, tags)


def _assert_agreement(made, frame):
    """Columns say what rows say, and are sure of every row that does not fail."""
    column = made.columns(frame)
    assert column is not None, made.text
    state = made.new_state()
    for number, point in enumerate(frame.points()):
        valid = column.valid is None or bool(column.valid[number])
        try:
            expected = made.row(state, point.time, point.fields, point.tags)
        except EvaluationError:
            assert not valid, (made.text, point)
            continue
        assert valid, (made.text, point)
        value = column.values
        if isinstance(value, np.ndarray):
            value = value[number]
        value = value.item() if isinstance(value, np.generic) else value
        assert type(value) is type(expected), (made.text, point)
        if expected != expected:
            assert value != value, (made.text, point)
            continue
        assert value == expected, (made.text, point)
        if type(value) is float:
            signs = math.copysign(1, value), math.copysign(1, expected)
            assert signs[0] == signs[1], (made.text, point)


OPERATORS = [
    *(
        (operator, *types)
        for operator in ("==", "!=", "<", "<=", ">", ">=")
        for types in [*itertools.product(("float", "int"), repeat=2), ("string",) * 2]
    ),
    *((op, "bool", "bool") for op in ("==", "!=", "AND", "OR")),
    *((op, kind, kind) for op in "+-*/" for kind in ("float", "int")),
    ("%", "int", "int"),
    ("+", "string", "string"),
]


@pytest.mark.parametrize(("operator", "left", "right"), OPERATORS)
def test_every_operator_agrees_with_rows(parsed, operator, left, right):
    frame = _all_pairs(left, right)
    sources = [f'"a" {operator} "b"']
    sources += [f'"a" {operator} {literal}' for literal in LITERALS[right]]
    sources += [f'{literal} {operator} "b"' for literal in LITERALS[left]]
    if left == "string":
        sources += [f'"t" {operator} "b"', f'"t" {operator} "t"']
        sources += [f'"t" {operator} {literal}' for literal in LITERALS[right]]
        sources += [f'strToUpper("t") {operator} {each}' for each in LITERALS[right]]
    for source in sources:
        if source.endswith(("/ 0", "% 0")):
            continue
        _assert_agreement(parsed(source), frame)


@pytest.mark.parametrize("operator", ["=~", "!~"])
def test_regular_expressions_agree_with_rows(parsed, operator):
    frame = _all_pairs("string", "string")
    for name in "abt":
        _assert_agreement(parsed(f'"{name}" {operator} /^a/'), frame)


@pytest.mark.parametrize(
    ("source", "left", "right"),
    [
        ('-"a"', "float", "float"),
        ('-"a"', "int", "int"),
        ('!"b"', "bool", "bool"),
        ('isPresent("b") AND "b" > 1', "float", "float"),
        ('!isPresent("b") OR "b" > 1', "float", "float"),
        ('isPresent("nowhere")', "float", "float"),
        ('isPresent("nowhere") AND "nowhere" > 1', "float", "float"),
        ('"a" > 1 AND "nowhere" > 1', "float", "float"),
        ('"a" > 1 OR "b" > 1', "float", "float"),
        ('"a" > 1 AND "b" > 1', "float", "float"),
        ('"a" > 1 AND "b" / "a" > 1', "int", "int"),
        ('"a" != 0 AND "b" % "a" == 0', "int", "int"),
        ('"a" == 0 OR "b" % "a" == 0', "int", "int"),
        ('"a" > \'z\' AND "b" > 1', "string", "float"),
        ('if("a", 1.0, 2.0)', "bool", "float"),
        ('if("b", "a", 2.0)', "float", "bool"),
        ('if("b", "a", \'x\')', "string", "bool"),
        ('if("b", "t", "a")', "string", "bool"),
        ('if("b", "t", "t")', "string", "bool"),
        ('float("a") / float("b")', "int", "int"),
        ('int("a") + int("b")', "float", "float"),
        ('int("a")', "bool", "bool"),
        ('float("a")', "bool", "bool"),
        ('bool("a")', "int", "int"),
        ('bool("a")', "float", "float"),
        ('bool("t") AND TRUE', "string", "string"),
        ('int("t")', "string", "string"),
        ('float("a")', "string", "string"),
        ('string("a")', "float", "float"),
        ('string("a")', "int", "bool"),
        ('string("b")', "int", "bool"),
        ('humanBytes("a")', "int", "int"),
        ('strSubstring("a", 0, 1)', "string", "string"),
        ('strSubstring("t", 0, 1)', "string", "string"),
        ('strContains("t", "b") AND strLength("t") > 0', "string", "string"),
        ("regexReplace(/a/, \"t\", 'x')", "string", "string"),
        ('hour("time") + year("time") * 2', "float", "float"),
        ('unixNano("time") % 7', "float", "float"),
        ('pow("a", "b")', "float", "float"),
        ('max("a", "b")', "float", "float"),
        ('min("a", "b")', "float", "float"),
        ('jn("a", "b")', "int", "float"),
        *((f'{name}("a")', "float", "int") for name in ("abs", "ceil", "floor")),
        *((f'{name}("a")', "float", "int") for name in ("sqrt", "trunc", "gamma")),
        *((f'{name}("a")', "float", "int") for name in ("log", "exp", "sin", "logb")),
        ("1 > 2", "float", "float"),
        ("'x'", "float", "float"),
        ('"t"', "string", "string"),
        ('"a"', "string", "string"),
    ],
)
def test_expressions_agree_with_rows(parsed, source, left, right):
    _assert_agreement(parsed(source), _all_pairs(left, right))


@pytest.mark.parametrize(
    "source",
    [
        "count() > 1",
        'sigma("a") > 1.0',
        "rand() > 1",
        "unixNano(now()) > 1",
        'duration("b", 1s)',
        '"time"',
    ],
)
def test_some_expressions_go_row_by_row(parsed, source):
    assert parsed(source).columns(_all_pairs("float", "int")) is None


def test_mixed_columns_go_row_by_row(parsed):
    mixed = FieldColumn("mixed", np.array([1, 1.5, "x"], dtype=object))
    assert parsed('"v" > 1').columns(_frame({"v": mixed})) is None


def test_a_field_and_a_tag_of_one_name_go_row_by_row(parsed):
    frame = _frame({"v": _field("float", [1.0])}, {"v": _tag(["x"])})
    assert parsed('"v" > 1').columns(frame) is None


@pytest.mark.parametrize(
    "source", ['"v" + 1 > 2', "\"v\" > 'x'", '"v" AND TRUE', "TRUE AND abs(1) > 1.0"]
)
def test_wrong_types_leave_no_row_valid(parsed, source):
    column = parsed(source).columns(_frame({"v": _field("float", [1.0, 2.0])}))
    assert column.kind == "bool"
    assert column.valid.tolist() == [False, False]


def test_what_all_rows_share_is_one_value(parsed):
    frame = _frame({"v": _field("float", [1.0])}, {"host": _tag(["a"])})
    column = parsed("\"host\" != 'nobody'").columns(frame)
    assert (column.kind, column.values, column.valid) == ("bool", True, None)


def test_a_frame_computes_equal_lambdas_once(parsed):
    frame = _frame({"v": _field("float", [1.0])})
    first, second = parsed('"v" > 1'), parsed('"v"  >  1')
    assert first.columns(frame) is second.columns(frame)
    assert parsed('"v" > 1.0').columns(frame) is not first.columns(frame)


def test_a_large_dictionary_is_evaluated_where_it_is_used(parsed):
    values = [str(number) for number in range(100)] + ["no number"]
    tag = TagColumn(np.array([100, 7, 7], dtype=np.int32), values)
    column = parsed('int("t") + 1').columns(_frame({}, {"t": tag}))
    assert column.valid.tolist() == [False, True, True]
    assert column.values[1:].tolist() == [8, 8]


def test_an_empty_frame_has_empty_columns(parsed):
    frame = _frame({"v": _field("float", [])}, {"t": _tag([])})
    column = parsed('"v" > 1 AND "t" == \'x\' OR strLength("t") > 1').columns(frame)
    assert column.kind == "bool"
    assert len(np.atleast_1d(column.values)) <= 1
