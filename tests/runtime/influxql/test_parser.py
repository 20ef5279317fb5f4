"""github.com/influxdata/influxql, ParseQuery: accepted texts, and messages for others.

`statements.jsonl` is what the Go library wrote, or said, of each text.
"""

import json
import time
from pathlib import Path

import pytest

from runtime.errors import ScriptError
from runtime.influxql import zones
from runtime.influxql.parser import parse
from runtime.influxql.tokens import LONGEST, MAX_DEPTH

HERE = Path(__file__).parent
STATEMENTS = [
    json.loads(line) for line in (HERE / "statements.jsonl").read_text().splitlines()
]
# The Go library writes these back as something else, or as nothing that it can read.
# `docs/adr/0028-influxql-is-parsed-here.md` gives the reasons.
MENDED = {
    "SELECT v FROM m fill(1000000.5)": "SELECT v FROM m fill(1000000.5)",
    "SELECT a / -b FROM m": "SELECT a / (-1 * b) FROM m",
    "SELECT a * -b * c FROM m": "SELECT a * (-1 * b) * c FROM m",
    "SELECT v FROM m WHERE a = 0.0001": "SELECT v FROM m WHERE a = 0.0001",
    'SELECT v FROM "" WHERE "" = \'\'': 'SELECT v FROM "" WHERE "" = \'\'',
    'SELECT v FROM a.b.""': 'SELECT v FROM a.b.""',
    'SELECT "foo bar"(x), "select"(y), foo"bar" FROM m': (
        'SELECT "foo bar"(x), "select"(y), bar FROM m'
    ),
}
# on a busy machine; what takes time beyond measure takes hours
LIMIT_S = 30.0


def outcome(text: str) -> dict[str, str]:
    """Return the formatted statement, or the error."""
    try:
        return {"text": text, "written": str(parse(text))}
    except ScriptError as error:
        reason = str(error).removeprefix("failed to parse InfluxQL query: ")
        return {"text": text, "error": reason}


@pytest.mark.parametrize(
    "statement", STATEMENTS, ids=[str(number) for number in range(len(STATEMENTS))]
)
def test_statements_are_read_as_influxql_reads_them(statement: dict[str, str]) -> None:
    text = statement["text"]
    if text in MENDED:
        assert statement["written"] != MENDED[text]
        statement = statement | {"written": MENDED[text]}
    assert outcome(text) == statement


@pytest.mark.parametrize(
    "text", [row["text"] for row in STATEMENTS if "written" in row], ids=repr
)
def test_what_is_written_is_read_as_the_same(text: str) -> None:
    select = parse(text)
    assert parse(str(select)) == select


def test_the_reason_is_given_as_kapacitor_gives_it() -> None:
    with pytest.raises(ScriptError) as caught:
        parse("SELECT v\nFORM m")
    assert str(caught.value) == (
        "failed to parse InfluxQL query: found FORM, expected FROM at line 2, char 1"
    )


@pytest.mark.parametrize(
    "deep",
    [
        f"SELECT {'(' * (MAX_DEPTH + 1)}a{')' * (MAX_DEPTH + 1)} FROM m",
        "SELECT " + "(" * 20_000,
        "SELECT " + "f(" * 20_000,
        "SELECT " + "-f(1 + " * 5_000,
        "SELECT v FROM " + "(SELECT v FROM " * 4_000,
    ],
    ids=["just", "parentheses", "calls", "signs", "subqueries"],
)
def test_deep_nesting_is_refused(deep: str) -> None:
    assert outcome(deep)["error"] == "query is nested too deeply"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("SELECT " + "(" * (MAX_DEPTH - 2), ")" * (MAX_DEPTH - 2) + " FROM m"),
        (
            "SELECT " + "1 * -f(1 + " * (MAX_DEPTH // 2 - 1),
            ")" * (MAX_DEPTH // 2 - 1) + " FROM m",
        ),
        (
            "SELECT v FROM " + "(SELECT v FROM " * (MAX_DEPTH - 2),
            ")" * (MAX_DEPTH - 2),
        ),
    ],
    ids=["parentheses", "calls", "subqueries"],
)
def test_what_is_just_not_too_deep_is_read_and_written(
    opening: str, closing: str
) -> None:
    select = parse(f"{opening}a{closing}")
    assert parse(str(select)) == select


def test_a_long_text_is_refused() -> None:
    assert outcome("SELECT v FROM m" + " " * LONGEST)["error"] == (
        f"query is longer than {LONGEST} characters"
    )


@pytest.mark.parametrize(
    ("start", "piece", "end"),
    [
        ("SELECT a FROM m WHERE a = 1", " OR a=1", ""),
        ("SELECT a FROM m WHERE a = 1", " AND b=2 OR c*d+e<3", ""),
        ("SELECT a", "+a", " FROM m"),
        ("SELECT a", ",a", " FROM m"),
        ("SELECT a FROM m", ",m", ""),
        ("SELECT a FROM m WHERE a = '", "\\'", "'"),
        ("SELECT a FROM m WHERE a = ", "9s", ""),
        ("SELECT a FROM m WHERE a =~ /", "\\/", "/"),
    ],
    ids=["or", "mixed", "sum", "fields", "sources", "string", "duration", "regex"],
)
def test_the_longest_texts_take_no_long_time(start: str, piece: str, end: str) -> None:
    text = start + piece * ((LONGEST - 100) // len(piece)) + end
    begun = time.monotonic()
    assert str(parse(text).with_times(0, 1)).startswith("SELECT a")
    assert time.monotonic() - begun < LIMIT_S


@pytest.mark.parametrize("piece", ["(", '"', "'", "/", "/*", "--", ".", ";", "9", "$"])
def test_long_nonsense_is_refused_and_takes_no_long_time(piece: str) -> None:
    begun = time.monotonic()
    assert "error" in outcome(piece * (LONGEST // len(piece)))
    assert time.monotonic() - begun < LIMIT_S


def test_a_nul_ends_nothing() -> None:
    # the Go library takes it for the end of the text, and sends the rest nowhere
    assert outcome("SELECT v FROM m\0 WHERE a = 1")["error"] == (
        "found \0, expected ; at line 1, char 16"
    )


def test_zones_are_not_refused_where_none_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not zones.is_known("No/Such")
    monkeypatch.setattr("zoneinfo.available_timezones", set)
    assert zones.is_known("No/Such")
