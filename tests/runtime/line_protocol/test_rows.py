"""Line protocol, line by line. The texts are those of Kapacitor's write endpoint."""

from __future__ import annotations

import pytest

from runtime.line_protocol import LineProtocolError, Write, parse

NOW = 1_700_000_000_123_456_789


def write(text: str, precision: str = "") -> Write:
    return parse(text.encode(), precision=precision, now=NOW, db="d", rp="r")


def fields(text: str):
    [point] = write(text).points()
    return point.fields


def reason(line: str) -> str:
    with pytest.raises(LineProtocolError) as caught:
        write(line)
    prefix = f"unable to parse '{line}': "
    assert str(caught.value).startswith(prefix)
    return str(caught.value).removeprefix(prefix)


def test_a_line_is_a_point():
    [point] = write("cpu,host=a,region=eu idle=5.5,n=3i,up=t 17").points()

    assert (point.name, point.time, point.db, point.rp) == ("cpu", 17, "d", "r")
    assert point.tags == {"host": "a", "region": "eu"}
    assert point.fields == {"idle": 5.5, "n": 3, "up": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("1.0", 1.0),
        ("-1", -1.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("-0", -0.0),
        ("00.5", 0.5),
        ("0.1234567890123456789012", 0.1234567890123456789012),
        ("1i", 1),
        ("-1i", -1),
        ("01i", 1),
        ("9223372036854775807i", 2**63 - 1),
        ("-9223372036854775808i", -(2**63)),
        *((text, True) for text in ("t", "T", "true", "True", "TRUE")),
        *((text, False) for text in ("f", "F", "false", "False", "FALSE")),
        ('""', ""),
        ('"a b,c=d"', "a b,c=d"),
        (r'"say \"hi\" \\ \n"', 'say "hi" \\ \\n'),
        ('"two\nlines"', "two\nlines"),
        ('"x"y', 'x"'),
    ],
)
def test_a_field_has_the_type_and_value_written(text: str, value: object):
    parsed = fields(f"cpu v={text}")["v"]

    assert (type(parsed), repr(parsed)) == (type(value), repr(value))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("cpu", "missing fields"),
        ("bad", "missing fields"),
        ("cpu,host=a", "missing fields"),
        (",host=a v=1", "missing measurement"),
        ("cpu, v=1", "missing tag key"),
        ("cpu,=a v=1", "missing tag key"),
        ("cpu,host v=1", "missing tag value"),
        ("cpu,host= v=1", "missing tag value"),
        ("cpu,host=,b=c v=1", "missing tag value"),
        ("cpu,a=b=c v=1", "invalid tag format"),
        ("cpu,a=b,a=c v=1", "duplicate tags"),
        ("cpu,b=1,a=2,b=3 v=1", "duplicate tags"),
        ("cpu =1", "missing field key"),
        ("cpu v=1,=2", "missing field key"),
        ("cpu v=", "missing field value"),
        ("cpu v=,w=1", "missing field value"),
        ("cpu v= 5", "missing field value"),
        ("cpu v", "invalid field format"),
        ("cpu v=1,w", "invalid field format"),
        ("cpu v=1,", "invalid field format"),
        ("cpu v=1u", "invalid number"),
        ("cpu v=1.5i", "invalid number"),
        ("cpu v=1.1.1", "invalid number"),
        ("cpu v=-", "invalid number"),
        ("cpu v=.", "invalid number"),
        ("cpu v=0x10", "invalid number"),
        ("cpu v=1_0", "invalid number"),
        ("cpu v=NaN", "invalid number"),
        ("cpu v=1\r", "invalid number"),
        ("cpu v=1e", "invalid float"),
        ("cpu v=1e5e5", "invalid float"),
        ("cpu v=1e999", "invalid float"),
        ("cpu v=+1", "invalid boolean"),
        ("cpu v=inf", "invalid boolean"),
        ("cpu v='x'", "invalid boolean"),
        ("cpu v=tru", "invalid boolean"),
        ("cpu v=1 x", "bad timestamp"),
        ("cpu v=1 +5", "bad timestamp"),
        ("cpu v=1 5.5", "bad timestamp"),
        ("cpu v=1 5 6", "point is invalid"),
        ('cpu v="open', "unbalanced quotes"),
        (
            "cpu v=1 9223372036854775807",
            "time outside range -9223372036854775806 - 9223372036854775806",
        ),
        (
            "cpu v=9223372036854775808i",
            "unable to parse integer 9223372036854775808: strconv.ParseInt: "
            'parsing "9223372036854775808": value out of range',
        ),
        (
            "cpu v=1 9223372036854775808",
            'strconv.ParseInt: parsing "9223372036854775808": value out of range',
        ),
        (f"{'m' * 65_536} v=1", "max key length exceeded: 65536 > 65535"),
    ],
)
def test_a_bad_line_says_why(line: str, text: str):
    assert reason(line) == text


def test_any_bad_line_rejects_the_write_and_every_bad_line_is_named():
    with pytest.raises(LineProtocolError) as caught:
        write("cpu v=1\nbad\nmem v=2\n  cpu v=x 1\n")

    assert str(caught.value) == (
        "unable to parse 'bad': missing fields\n"
        "unable to parse 'cpu v=x 1': invalid boolean"
    )


def test_escapes_are_undone_where_they_mean_something():
    [point] = write(r"a\,b\ c\=d,k\=1\,2=v\ \w e\ f=1").points()

    assert point.name == "a,b c=d"
    assert point.tags == {"k=1,2": r"v \w"}
    assert point.fields == {"e f": 1.0}


def test_quotes_mean_nothing_in_tags():
    [point] = write('cpu,a="q" v=1').points()

    assert point.tags == {"a": '"q"'}


def test_blank_lines_comments_and_spaces_do_not_count():
    points = list(write("\n# a comment\n  cpu  v=1   5  \n \t\n\ncpu v=2 6\n").points())

    assert [(p.fields, p.time) for p in points] == [({"v": 1.0}, 5), ({"v": 2.0}, 6)]


def test_of_a_field_given_twice_the_last_counts():
    assert fields("cpu v=1,w=2,v=3") == {"v": 3.0, "w": 2.0}


@pytest.mark.parametrize(
    ("precision", "step"),
    [
        ("", 1),
        ("n", 1),
        ("ns", 1),
        ("u", 10**3),
        ("ms", 10**6),
        ("s", 10**9),
        ("m", 60 * 10**9),
        ("h", 3600 * 10**9),
        ("us", 1),
        ("µ", 1),
    ],
)
def test_the_precision_is_the_unit_of_times_and_of_now(precision: str, step: int):
    given, absent = write("cpu v=1 -25\ncpu v=1", precision).points()

    assert (given.time, absent.time) == (-25 * step, NOW // step * step)


def test_a_time_that_int64_cannot_hold_in_ns_is_refused():
    with pytest.raises(LineProtocolError, match="time outside range"):
        write("cpu v=1 9223372037", "s")


def test_bytes_that_are_no_utf8_are_replaced():
    [point] = parse(b"cpu,host=\xff v=1", now=0).points()

    assert point.tags == {"host": "\ufffd"}


def test_an_empty_body_is_an_empty_write():
    assert (write("").frames, list(write("").points())) == ([], [])
