"""Statements that are written back: a real InfluxDB answers them as the originals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.influxql.parser import parse
from tests.influxdb.conftest import InfluxDB

STATEMENTS = (
    Path(__file__).parents[1] / "runtime/influxql/statements.jsonl"
).read_text()
TEXTS = [
    row["text"]
    for row in map(json.loads, STATEMENTS.splitlines())
    if "written" in row and " INTO " not in row["text"]
]
# The Go library of today reads these; that of InfluxDB 1.6, or its planner, does not.
REFUSED = "error parsing query"


def asked(influxdb: InfluxDB, database: str, text: str) -> dict[str, Any]:
    _, answer = influxdb.call("POST", "/query", q=text, db=database, epoch="ns")
    tree: dict[str, Any] = json.loads(answer)
    return tree


def is_refused(answer: dict[str, Any]) -> bool:
    return str(answer.get("error", "")).startswith(REFUSED)


@pytest.fixture(scope="module")
def filled(influxdb: InfluxDB) -> str:
    """A database whose measurements, fields and tags have the names of the texts."""
    name = influxdb.create()
    influxdb.write(
        "\n".join(
            f"{measurement},host={host},dc=x v={number},a={number - 2},b=2,c=3,w=0.5,"
            f"usage_idle={number * 10} {(1577836800 + 40 * number) * 10**9}"
            for measurement in ("m", "cpu", "M", "other")
            for number, host in enumerate(("web1", "db", "x") * 3)
        ),
        name,
    )
    return name


def test_influxdb_answers_them_as_the_originals(
    influxdb: InfluxDB, filled: str
) -> None:
    answered = refused = 0
    for text in TEXTS:
        before = asked(influxdb, filled, text)
        after = asked(influxdb, filled, str(parse(text)))
        if is_refused(before):
            refused += 1
            continue
        answered += 1
        # the name of a column may be that of the expression as it was written
        assert after == before, text
    assert answered > 80
    assert refused < 20


def test_bounds_of_time_are_for_both_sides_of_an_or(
    influxdb: InfluxDB, filled: str
) -> None:
    select = parse("SELECT v FROM m WHERE a < 0 OR a > 5")
    everything = asked(influxdb, filled, str(select))
    [series] = everything["results"][0]["series"]
    times = [time for time, _ in series["values"]]
    assert len(times) == 3
    bounded = asked(influxdb, filled, str(select.with_times(times[0] + 1, times[2])))
    [series] = bounded["results"][0]["series"]
    assert [time for time, _ in series["values"]] == [times[1]]
