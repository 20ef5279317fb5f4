from dataclasses import dataclass, field

import pytest

from runtime.alert.types import Level
from runtime.errors import OptionsError
from runtime.secrets import Secret
from runtime.services.options import FileMode, decode
from runtime.units import Duration


@dataclass(frozen=True, slots=True)
class Pair:
    oid: str = ""
    value: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    room: str = "dflt"
    token: Secret = field(default=Secret())
    args: tuple[str, ...] = ()
    headers: dict[str, str] | None = None
    records: tuple[tuple[str, ...], ...] = ()
    pairs: tuple[Pair, ...] = ()
    interval: Duration = field(default=Duration(0))
    mode: FileMode = field(default=FileMode(0o600))
    tries: int = 3
    rate: float = 0.5
    level: Level = Level.CRITICAL
    skip_verification: bool = False


def problems(options):
    with pytest.raises(OptionsError) as caught:
        decode(options, Config(), type_name="*foo.HandlerConfig")
    first, _, rest = str(caught.value).partition("\n\n")
    lines = rest.split("\n")
    assert first == (
        "failed to decode options into *foo.HandlerConfig: "
        f"{len(lines)} error(s) decoding:"
    )
    return lines


def test_puts_every_kind_of_value_over_the_default():
    options = {
        "ROOM": "x",
        "token": "t",
        "args": ["a", "b"],
        "headers": {"a": "b"},
        "records": [["a", "b"], ["c"]],
        "pairs": [{"oid": "1", "value": 2}],
        "interval": 10_000_000_000,
        "mode": 384.0,
        "tries": 2.9,
        "rate": 1,
        "level": "warn",
        "skip-verification": True,
    }
    assert decode(options, Config(), type_name="") == Config(
        room="x",
        token=Secret("t"),
        args=("a", "b"),
        headers={"a": "b"},
        records=(("a", "b"), ("c",)),
        pairs=(Pair("1", 2),),
        interval=Duration(10_000_000_000),
        mode=FileMode(384),
        tries=2,
        rate=1.0,
        level=Level.WARNING,
        skip_verification=True,
    )


@pytest.mark.parametrize("options", [None, {}, {"room": None}])
def test_what_is_absent_or_null_keeps_the_default(options):
    assert decode(options, Config(), type_name="") == Config()


def test_an_empty_text_is_a_value():
    assert decode({"room": ""}, Config(), type_name="").room == ""


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"rooom": 1, "foo": 1}, "'' has invalid keys: foo, rooom"),
        (
            {"room": 5},
            "'room' expected type 'string', got unconvertible type 'float64', value: '5'",
        ),
        (
            {"room": 1_000_000},
            "'room' expected type 'string', got unconvertible type 'float64', value: '1e+06'",
        ),
        (
            {"room": True},
            "'room' expected type 'string', got unconvertible type 'bool', value: 'true'",
        ),
        (
            {"room": ["a"]},
            "'room' expected type 'string', got unconvertible type '[]interface {}', value: '[a]'",
        ),
        (
            {"room": {"a": 1}},
            "'room' expected type 'string', got unconvertible type 'map[string]interface {}', value: 'map[a:1]'",
        ),
        ({"args": "a"}, "'args': source data must be an array or slice, got string"),
        (
            {"args": ["a", 1]},
            "'args[1]' expected type 'string', got unconvertible type 'float64', value: '1'",
        ),
        (
            {"headers": {"a": 1}},
            "'headers[a]' expected type 'string', got unconvertible type 'float64', value: '1'",
        ),
        ({"headers": "a"}, "'headers' expected a map, got 'string'"),
        ({"pairs": [{"x": 1}]}, "'pairs[0]' has invalid keys: x"),
        (
            {"interval": "10s"},
            "'interval' expected type 'time.Duration', got unconvertible type 'string', value: '10s'",
        ),
        (
            {"mode": "0644"},
            "'mode' expected type 'fs.FileMode', got unconvertible type 'string', value: '0644'",
        ),
        ({"level": "x"}, "error decoding 'level': unknown alert level 'X'"),
        (
            {"level": 1},
            "'level' expected type 'alert.Level', got unconvertible type 'float64', value: '1'",
        ),
        (
            {"skip-verification": 1},
            "'skip-verification' expected type 'bool', got unconvertible type 'float64', value: '1'",
        ),
    ],
)
def test_says_what_is_wrong(options, line):
    assert problems(options) == [f"* {line}"]


def test_names_all_problems_sorted():
    assert problems({"x": 1, "room": 5, "args": "a"}) == [
        "* '' has invalid keys: x",
        "* 'args': source data must be an array or slice, got string",
        "* 'room' expected type 'string', got unconvertible type 'float64', value: '5'",
    ]


def test_a_secret_of_the_wrong_type_is_not_shown():
    [line] = problems({"token": 987654})
    assert line == (
        "* 'token' expected type 'string', got unconvertible type 'float64', value: '***'"
    )
