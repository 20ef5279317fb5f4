"""Kapacitor query.go: times, groups and fills that are put into a statement.

`queries.jsonl` is what Kapacitor made of each text.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import ScriptError
from runtime.influxql.parser import parse
from runtime.influxql.spelling import PRECEDENCE
from runtime.influxql.tree import (
    Binary,
    Boolean,
    Call,
    Dimension,
    Distinct,
    Duration,
    Expression,
    Field,
    Integer,
    Measurement,
    Number,
    Paren,
    Regex,
    Select,
    String,
    Subquery,
    TimeDimension,
    Variable,
    Wildcard,
)

QUERIES = [
    json.loads(line)
    for line in (Path(__file__).parent / "queries.jsonl").read_text().splitlines()
]
# Kapacitor sends `a = 1 OR b = 2 AND time >= …`, which asks for all that has a = 1.
OR = (" WHERE a = 1 OR b = 2", " WHERE a = 1 AND b = 2 OR c = 3")


def asked(query: dict[str, Any]) -> str:
    """The statement that a query node sends, or why it sends none."""
    try:
        select = parse(query["text"]).with_group_by(
            map(dimension(query), query["dims"])
        )
        if query["fill"] is not None:
            select = select.with_fill(query["fill"])
    except (ScriptError, ValueError) as error:
        return str(error)
    return str(select.with_times(query["start"], query["stop"]))


def dimension(query: dict[str, Any]) -> Any:
    """A function from an item of `dims` to the dimension that it means."""

    def made(item: Any) -> Dimension:
        if isinstance(item, str):
            return Wildcard() if item == "*" else item
        time = TimeDimension(*item)
        return time.aligned(query["start"]) if query["align"] else time

    return made


@pytest.mark.parametrize(
    "query", QUERIES, ids=[str(number) for number in range(len(QUERIES))]
)
def test_queries_are_asked_as_kapacitor_asks_them(query: dict[str, Any]) -> None:
    want = query["want"]
    for condition in OR:
        if query["text"].endswith(condition):
            mended = f" WHERE ({condition.removeprefix(' WHERE ')})"
            want = want.replace(condition, mended)
            assert want != query["want"]
    assert asked(query) == want


def test_times_bound_both_sides_of_an_or() -> None:
    select = parse("SELECT v FROM m WHERE a = 1 OR b = 2").with_times(0, 1)
    assert str(select.condition) == (
        "(a = 1 OR b = 2) AND time >= '1970-01-01T00:00:00Z'"
        " AND time < '1970-01-01T00:00:00.000000001Z'"
    )


def test_measurements_of_subqueries_are_found() -> None:
    select = parse(
        "SELECT a FROM (SELECT b FROM (SELECT c FROM d.r.x), d.r.y), d.r./z/"
    )
    assert list(map(str, select.measurements())) == ["d.r.x", "d.r.y", "d.r./z/"]


NAMES = st.one_of(
    st.sampled_from(["v", "host", "select", "time", "a b", 'a"b', "ü", "", "\\", "\n"]),
    st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])),
)
KINDS = ["", "float", "integer", "unsigned", "string", "boolean", "field", "tag"]
REGEXES = st.sampled_from([".*", "^(a|b)$", "a/b", r"\d+", r"\/", " ", ""]).map(Regex)
LITERALS = st.one_of(
    st.integers(-(2**63), 2**64 - 1).map(Integer),
    st.floats(allow_nan=False, allow_infinity=False).map(Number),
    st.integers(-(2**63) + 1, 2**63 - 1).map(Duration),
    NAMES.map(String),
    st.booleans().map(Boolean),
)
VARIABLES = st.builds(Variable, NAMES, st.sampled_from(KINDS))
# Parentheses and calls; the parser decides about the rest of a tree, so that operators
# are read from text below.
OPERANDS: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(
        VARIABLES,
        LITERALS,
        NAMES.map(Distinct),
        st.sampled_from(["", "field", "tag"]).map(Wildcard),
    ),
    lambda inner: st.one_of(
        inner.map(Paren),
        st.builds(
            Call,
            NAMES.map(str.lower),
            st.lists(st.one_of(inner, REGEXES), max_size=3).map(tuple),
        ),
    ),
    max_leaves=5,
)
OPERATORS = st.sampled_from(sorted(PRECEDENCE))


@st.composite
def conditions(draw: st.DrawFn) -> str:
    """Operands with operators between them, some with a sign."""
    parts = [str(draw(OPERANDS))]
    for operator in draw(st.lists(OPERATORS, max_size=6)):
        if "~" in operator:
            parts.append(f"{operator} {draw(REGEXES)}")
            continue
        sign = draw(st.sampled_from(["", "", "-", "+"]))
        operand = draw(VARIABLES if sign else OPERANDS)
        parts.append(f"{operator} {sign}{operand}")
    return " ".join(parts)


MEASUREMENTS = st.one_of(
    st.builds(Measurement, NAMES),
    st.builds(Measurement, NAMES, NAMES.filter(bool), NAMES),
    st.builds(Measurement, NAMES, st.just(""), NAMES),
    st.builds(Measurement, st.just(""), NAMES, NAMES, REGEXES),
)
COUNTS = st.integers(0, 2**63 - 1)


def selects(sources: st.SearchStrategy[Any]) -> st.SearchStrategy[Select]:
    """Statements that read from `sources`."""
    return st.builds(
        Select,
        fields=st.lists(
            st.builds(Field, st.one_of(OPERANDS, REGEXES), NAMES),
            min_size=1,
            max_size=3,
        ).map(tuple),
        sources=st.lists(sources, min_size=1, max_size=3).map(tuple),
        target=st.none() | st.builds(Measurement, NAMES, NAMES, NAMES),
        condition=st.none() | OPERANDS,
        dimensions=st.lists(st.one_of(OPERANDS, REGEXES), max_size=3).map(tuple),
        fill=st.one_of(
            st.none(),
            st.sampled_from(["none", "previous", "linear"]),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        ascending=st.none() | st.booleans(),
        limit=COUNTS,
        offset=COUNTS,
        series_limit=COUNTS,
        series_offset=COUNTS,
        zone=st.sampled_from(["", "UTC", "Europe/Berlin"]),
    )


@given(select=selects(MEASUREMENTS | selects(MEASUREMENTS).map(Subquery)))
def test_every_tree_is_read_as_it_was_written(select: Select) -> None:
    assert parse(str(select)) == select


@given(condition=conditions(), start=COUNTS, stop=COUNTS)
def test_every_condition_keeps_its_tree(condition: str, start: int, stop: int) -> None:
    select = parse(f"SELECT v FROM m WHERE {condition}")
    assert parse(str(select)) == select
    bounded = select.with_times(start, stop)
    assert parse(str(bounded)) == bounded
    assert isinstance(bounded.condition, Binary)


@given(
    names=st.lists(NAMES, max_size=3),
    length=st.integers(1, 2**62),
    offset=st.integers(-(2**62), 2**62),
)
def test_every_dimension_is_read_as_it_was_written(
    names: list[str], length: int, offset: int
) -> None:
    dimensions = [*names, TimeDimension(length, offset), Wildcard()]
    select = parse("SELECT v FROM m").with_group_by(dimensions)
    assert parse(str(select)) == select
