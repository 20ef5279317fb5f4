"""Go's way with numbers, quotes, JSON, globs, durations and regular expressions."""

import contextlib
from collections.abc import Callable, Iterable
from json import loads
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.golang import durations, glob, json, numbers, regex
from runtime.golang.printing import WidthError, sprint, sprintf, sprintln
from runtime.golang.quoting import quote
from runtime.golang.values import Int, StringMap, Struct, Time
from runtime.golang.yaml import from_yaml
from runtime.units import Duration, go_duration, influx_duration, rfc3339


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (1000000.0, "1e+06"),
        (1234567.5, "1.2345675e+06"),
        (123456789.0, "1.23456789e+08"),
        (-1500000.0, "-1.5e+06"),
        (999999.9, "999999.9"),
        (123456.789, "123456.789"),
        (0.0001, "0.0001"),
        (0.000099, "9.9e-05"),
        (1.0, "1"),
        (0.0, "0"),
        (float("inf"), "+Inf"),
    ],
)
def test_floats_print_as_go_prints_them(value: float, printed: str) -> None:
    assert numbers.general(value) == printed


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (5.0, "5"),
        (-0.0, "-0"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        ("<a&b>\u2028é\n\b\x01", '"\\u003ca\\u0026b\\u003e\\u2028é\\n\\b\\u0001"'),
        ("\ud800", '"\\ufffd"'),
        ({"b": [1, True, None], "a": {}}, '{"b":[1,true,null],"a":{}}'),
    ],
)
def test_json_is_written_as_go_writes_it(value: object, encoded: str) -> None:
    assert json.dumps(value) == encoded


def test_json_indents_and_sorts() -> None:
    text = json.dumps({"b": [1], "a": {}}, indent="    ", newline=True, sort_keys=True)
    assert text == '{\n    "a": {},\n    "b": [\n        1\n    ]\n}\n'


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_what_is_not_finite_is_null_in_json(value: float) -> None:
    assert json.encode([value, 1.5]) == b"[null,1.5]"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_spelling_of_a_float_reads_back(value: float) -> None:
    spellings = (numbers.plain, numbers.scientific, numbers.general, json.number)
    assert {float(spell(value)) for spell in spellings} == {value}


@pytest.mark.parametrize(
    ("layout", "values", "printed"),
    [
        ("%5d|%05d|%-5d|%+d", (3, 3, 3, 3), "    3|00003|3    |+3"),
        (
            "%6.1f|%e|%g|%.2f",
            (1.25, 1.5, 100000.0, 2.0),
            "   1.2|1.500000e+00|100000|2.00",
        ),
        ("%q %x %t %T %%", ("a", 255, True, 1.5), '"a" ff true float64 %'),
        ("%s %d", (1.5, "x"), "%!s(float64=1.5) %!d(string=x)"),
        ("%d", (), "%!d(MISSING)"),
        ("x", (Int(1),), "x%!(EXTRA int=1)"),
        ("%v %v", ([1, "a"], {"b": 1.0, "a": None}), "[1 a] map[a:<nil> b:1]"),
    ],
)
def test_sprintf(layout: str, values: tuple[object, ...], printed: str) -> None:
    assert sprintf(layout, *values) == printed


KINDS: dict[str, Callable[[Any], object]] = {
    "nil": lambda value: None,
    "int": lambda value: Int(value),
    "int64": int,
    "float": float,
    "bool": lambda value: value == "true",
    "string": str,
    "dur": lambda value: Duration(int(value)),
    "time": lambda value: Time(int(value)),
    "tags": StringMap,
    "fields": lambda value: {name: go_value(each) for name, each in value.items()},
    "list": lambda value: [go_value(each) for each in value],
    "id": lambda value: ID_INFO,
    "info": lambda value: MESSAGE_INFO,
}
SERVER_INFO = Struct(
    "main.serverInfo", {"Hostname": "l", "ClusterID": "c", "ServerID": "s"}
)
ID_INFO = Struct(
    "main.idInfo",
    {
        "Name": "n",
        "TaskName": "t",
        "Group": "g",
        "Tags": StringMap(h="a"),
        "ServerInfo": SERVER_INFO,
    },
)
MESSAGE_INFO = Struct(
    "main.messageInfo",
    {
        "ID": "i",
        "Fields": {"v": 1.5},
        "Level": "OK",
        "Time": Time(1_000_000_005),
        "Duration": Duration(1_500_000_000),
    },
    ID_INFO,
)


def go_value(spelled: list[Any]) -> object:
    """A value from its kind and spelling: `["int64", "7"]`."""
    kind, *value = spelled
    return KINDS[kind](value[0] if value else None)


def test_layouts_are_filled_as_by_go() -> None:
    """All verbs, flags, widths and precisions, with all types that templates have.

    The table was printed by Go: a layout, its arguments (a number is one of the first
    line's), the result.
    """
    table = (Path(__file__).parent / "printed_by_go.jsonl").read_text()
    values, *rows = map(loads, table.rstrip("\n").split("\n"))
    by_name = {"SPRINT": sprint, "SPRINTLN": sprintln}
    wrong = []
    for layout, spelled, printed in rows:
        arguments = [
            go_value(values[each] if isinstance(each, int) else each)
            for each in spelled
        ]
        if layout in by_name:
            made = by_name[layout](*arguments)
        else:
            made = sprintf(layout, *arguments)
        if made != printed:
            wrong.append((layout, arguments, printed, made))
    assert wrong == []


@given(
    st.text("%%%[]*.#+- 0129vdsqxXgfeTtU", max_size=12),
    st.lists(st.one_of(st.integers(), st.floats(), st.text(), st.none())),
)
def test_any_layout_can_be_filled(layout: str, values: list[object]) -> None:
    with contextlib.suppress(WidthError):
        sprintf(layout, *values)


@pytest.mark.parametrize(
    ("layout", "values"),
    [
        ("%1000000d" * 20, range(20)),
        ("%.1000000d" * 20, range(20)),
        ("%.1000000f" * 20, [1.5] * 20),
        ("%#.1000000g" * 20, [1.5] * 20),
        ("%0*d" * 20, [1_000_000] * 40),
        ("%1000000d", [list(range(20))]),
        ("%-1000000s", [{str(number): "" for number in range(20)}]),
        ("%1000000U" * 20, range(20)),
        ("%1000000x" * 20, [""] * 20),
    ],
)
def test_no_layout_is_padded_without_end(layout: str, values: Iterable[object]) -> None:
    with pytest.raises(WidthError, match="the widths of its verbs are too large"):
        sprintf(layout, *values)


def test_quotes_escape_what_cannot_be_printed() -> None:
    assert quote('a"\\\n\x00é\u200b') == '"a\\"\\\\\\n\\x00é\\u200b"'


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("", "anything", True),
        ("hip*", "hipchat", True),
        ("*", "a/b", False),
        ("a?c", "abc", True),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        ("[!a]x", "!x", True),
        ("\\*", "*", True),
        ("a", "a\n", False),
    ],
)
def test_globs(pattern: str, text: str, matches: bool) -> None:
    assert glob.match(pattern, text) is matches


def test_globs_of_many_stars_are_cheap() -> None:
    assert not glob.match("*a" * 50 + "b", "a" * 200)
    assert glob.match("*a" * 50 + "*", "a" * 200)
    assert glob.match("*b*c*c", "aabcabccc")
    assert not glob.match("*[^x]*b", "aa/b")


@pytest.mark.parametrize("pattern", ["[", "[a", "[]", "a\\", "[-x]", "[a-]"])
def test_malformed_globs_are_refused(pattern: str) -> None:
    with pytest.raises(glob.PatternError, match="syntax error in pattern"):
        glob.match(pattern, "zzz")


@given(
    st.text(alphabet="ab*?[]^-\\/", max_size=8), st.text(alphabet="ab/-]", max_size=6)
)
def test_globs_match_or_are_refused(pattern: str, text: str) -> None:
    try:
        assert glob.match(pattern, text) in (True, False)
    except glob.PatternError as fault:
        assert str(fault) == "syntax error in pattern"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1h30m", 5400 * 10**9), ("1.5s", 1_500_000_000), ("-1m", -60 * 10**9), ("0", 0)],
)
def test_go_durations_are_read(text: str, value: int) -> None:
    assert durations.parse_go(text) == value


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("abc", 'time: invalid duration "abc"'),
        ("", 'time: invalid duration ""'),
        ("5", 'time: missing unit in duration "5"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
    ],
)
def test_wrong_go_durations_are_named(text: str, fault: str) -> None:
    with pytest.raises(ValueError) as caught:
        durations.parse_go(text)
    assert str(caught.value) == fault


# more than Python reads as an integer
MANY = "9" * 5000


@pytest.mark.parametrize(
    ("read", "text", "fault"),
    [
        (durations.parse_influx, f"{MANY}s", "invalid duration"),
        (durations.parse_influx, f"-1h{MANY}ns", "invalid duration"),
        (durations.parse_go, f"{MANY}s", f'time: invalid duration "{MANY}s"'),
        (durations.parse_go, f"1h{MANY}.5ns", f'time: invalid duration "1h{MANY}.5ns"'),
    ],
)
def test_durations_of_many_digits_are_invalid(
    read: Callable[[str], int], text: str, fault: str
) -> None:
    with pytest.raises(ValueError) as caught:
        read(text)
    assert str(caught.value) == fault


def test_digits_that_mean_nothing_are_read() -> None:
    assert durations.parse_influx(f"{'0' * 5000}1s") == 10**9
    assert durations.parse_go(f"{'0' * 5000}1.5{'0' * 5000}s") == 1_500_000_000
    assert durations.parse_go(f"0.{MANY}ms") == 999_999


def test_yaml_integers_of_many_digits_are_text() -> None:
    read = from_yaml(f"a: {MANY}\nb: 0x10\nc: -7")
    assert read == {"a": MANY, "b": 16, "c": -7}


@given(st.integers(min_value=-(2**62), max_value=2**62))
def test_durations_read_back(value: int) -> None:
    assert durations.parse_go(go_duration(value)) == value
    assert durations.parse_influx(influx_duration(value)) == value


@pytest.mark.parametrize(
    ("value", "go", "influx"),
    [
        (0, "0s", "0s"),
        (90 * 10**9, "1m30s", "90s"),
        (3600 * 10**9, "1h0m0s", "1h"),
        (1_500_000_000, "1.5s", "1500ms"),
        (1_500, "1.5µs", "1500ns"),
        (7 * 86400 * 10**9, "168h0m0s", "1w"),
        (-1, "-1ns", "-1ns"),
    ],
)
def test_durations_in_both_spellings(value: int, go: str, influx: str) -> None:
    assert (go_duration(value), influx_duration(value)) == (go, influx)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000_000_120_000_000, "2017-07-14T02:40:00.12Z"),
        (-62_135_596_800 * 10**9, "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_rfc_3339(time: int, text: str) -> None:
    assert rfc3339(time) == text


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("(", "error parsing regexp: missing closing ): `(`"),
        ("[a", "error parsing regexp: missing closing ]: `[a`"),
        ("*", "error parsing regexp: missing argument to repetition operator: `*`"),
        ("(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"),
    ],
)
def test_wrong_expressions_are_named_as_go_names_them(pattern: str, fault: str) -> None:
    with pytest.raises(ValueError) as caught:
        regex.compile(pattern)
    assert str(caught.value) == fault


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(" * 5000 + ")" * 5000, "more than 1000 groups"),
        ("a?" * 40_000, "longer than 65536 characters"),
        ("(a{1000}){1000}", "invalid repetition size"),
        ("(\\pL{100}){9}", "pattern too large"),
    ],
)
def test_what_would_take_much_to_match_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"error parsing regexp: {reason}"):
        regex.compile(pattern)
