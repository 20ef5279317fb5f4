"""Lines as the reference parses them: escapes, quotes, invalid UTF-8.

The table was made by InfluxDB's own parser: a body (each character is a byte), and its
points (measurement, tags, fields, time) or the error.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.errors import LineProtocolError
from runtime.golang.utf8 import decoded
from runtime.line_protocol.blocks import parse_columns
from runtime.line_protocol.rows import parse_rows
from runtime.line_protocol.times import Times
from runtime.line_protocol.write import Write, write_of_rows

TABLE = (Path(__file__).parent / "parsed_by_go.jsonl").read_text().splitlines()
NOW = Times(step=1, default=99)


def by_rows(body: bytes) -> Write:
    return write_of_rows(parse_rows(decoded(body), NOW), "d", "r")


def by_columns(body: bytes) -> Write:
    return parse_columns(body, NOW, "d", "r", fewest=1)


def outcome(parse, body: bytes) -> object:
    try:
        points = parse(body).points()
    except LineProtocolError as error:
        return str(error)
    return [[p.name, dict(p.tags), dict(p.fields), p.time] for p in points]


@pytest.mark.parametrize("parse", [by_rows, by_columns])
def test_lines_are_parsed_as_by_the_reference(parse) -> None:
    wrong = []
    for line in TABLE:
        body, expected = json.loads(line)
        found = outcome(parse, body.encode("latin-1"))
        if found != expected:
            wrong.append((body, expected, found))
    assert wrong == []


def test_tasks_find_measurements_whose_names_are_escaped(api) -> None:
    script = "stream|from().measurement('a=\"b, c').groupBy('x=y')|httpOut('out')"
    body = {
        "id": "t",
        "type": "stream",
        "dbrps": [{"db": "d", "rp": "r"}],
        "script": script,
        "status": "enabled",
    }
    api.json("POST", "/tasks", body)
    line = r"a\=\"b\,\ c,x\=y=1 f\"\=\,\ g=5 1000000000"
    for count in (1, 2000):
        assert api.ask("POST", "/write?db=d&rp=r", "\n".join([line] * count)) == (
            204,
            "",
        )
        [series] = api.json("GET", "/tasks/t/out")["series"]
        assert series == {
            "name": 'a="b, c',
            "tags": {"x=y": "1"},
            "columns": ["time", 'f"=, g'],
            "values": [["1970-01-01T00:00:01Z", 5]],
        }
