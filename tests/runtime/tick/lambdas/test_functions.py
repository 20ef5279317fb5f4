import math
import time

import pytest

from runtime.tick.lambdas.functions import FUNCTIONS
from runtime.units import Duration


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        *((f"bool('{t}')", True) for t in ("1", "t", "T", "TRUE", "true", "True")),
        *((f"bool('{t}')", False) for t in ("0", "f", "F", "FALSE", "false", "False")),
        ("bool(1)", True),
        ("bool(0.0)", False),
        ("bool(TRUE)", True),
        ("int('-12')", -12),
        ("int('+12')", 12),
        ("int(-1.9)", -1),
        ("int(TRUE)", 1),
        ("int(3)", 3),
        ("float('1e3')", 1000.0),
        ("float('inf')", math.inf),
        ("float('-Infinity')", -math.inf),
        ("float('.5')", 0.5),
        ("float('0x1p4')", 16.0),
        ("float(2)", 2.0),
        ("float(TRUE)", 1.0),
        ("string(3.0)", "3"),
        ("string(1000000000000000000000.0)", "1000000000000000000000"),
        ("string(0.000001)", "0.000001"),
        ("string(TRUE)", "true"),
        ("string(12)", "12"),
        ("string(90s)", "90s"),
        ("string(duration('1h30m', 1s))", "90m"),
        ("string(1ms)", "1ms"),
        ("string(1u)", "1u"),
        ("duration(2, 1s)", Duration(2_000_000_000)),
        ("duration(1.5, 1s)", Duration(1_500_000_000)),
        ("duration('1h30m', 1s)", Duration(5_400_000_000_000)),
        ("duration(1s)", Duration(1_000_000_000)),
        ("humanBytes(82854982)", "83 MB"),
        ("humanBytes(1000)", "1.0 kB"),
        ("humanBytes(999)", "999 B"),
        ("humanBytes(0)", "0 B"),
        ("humanBytes(2500.0)", "2.5 kB"),
        ("strContains('abc', 'b')", True),
        ("strContainsAny('abc', 'xc')", True),
        ("strContainsAny('abc', '')", False),
        ("strHasPrefix('abc', 'ab')", True),
        ("strHasSuffix('abc', 'ab')", False),
        ("strCount('cheese', 'e')", 3),
        ("strCount('five', '')", 5),
        ("strIndex('éa', 'a')", 2),
        ("strIndex('a', 'b')", -1),
        ("strIndexAny('éab', 'ba')", 2),
        ("strIndexAny('x', 'ba')", -1),
        ("strLastIndex('go gopher', 'go')", 3),
        ("strLastIndexAny('éaba', 'ab')", 4),
        ("strLength('é')", 2),
        ("strLength('abc')", 3),
        ("strReplace('aaa', 'a', 'b', 2)", "bba"),
        ("strReplace('aaa', 'a', 'b', -1)", "bbb"),
        ("strReplace('aaa', 'a', 'b', 0)", "aaa"),
        ("strReplace('ab', '', '-', -1)", "-a-b-"),
        ("strSubstring('abc', 0, 2)", "ab"),
        ("strToLower('AbÇΣ')", "abçσ"),
        ("strToUpper('abçß')", "ABÇß"),
        ("strTrim('xxaxx', 'x')", "a"),
        ("strTrim('xxaxx', '')", "xxaxx"),
        ("strTrimLeft('xax', 'x')", "ax"),
        ("strTrimRight('xax', 'x')", "xa"),
        ("strTrimPrefix('foobar', 'foo')", "bar"),
        ("strTrimSuffix('foobar', 'bar')", "foo"),
        ("strTrimSpace('  a\t')", "a"),
        ("regexReplace(/a(x*)b/, '-ab-axxb-', '$1W')", "---"),
        ("regexReplace(/a(x*)b/, '-ab-axxb-', '${1}W')", "-W-xxW-"),
        ("regexReplace(/a(?P<n>x*)b/, '-axb-', '[$n]')", "-[x]-"),
        ("regexReplace(/x*/, 'axb', '-')", "-a-b-"),
        ("regexReplace(/é/, 'aéb', '$$')", "a$b"),
        ("regexReplace(/z*/, 'é', '-')", "-é-"),
        ("regexReplace(/z*/, 'a😀zé', '-')", "-a-😀-é-"),
        ("float('1_000')", 1000.0),
        ("float('-1_0.2_5e1_0')", -10.25e10),
        ("float('0x_1_0.8p-1_0')", 0.01611328125),
        ("if(TRUE, 1, 2)", 1),
        ("if(FALSE, 'a', 'b')", "b"),
        ("pow10(2)", 100.0),
        ("pow10(-400)", 0.0),
        ("pow10(309)", math.inf),
        ("max(1.0, 2.0)", 2.0),
        ("min(1.0, 2.0)", 1.0),
        ("mod(-7.0, 3.0)", -1.0),
        ("pow(2.0, 10.0)", 1024.0),
        ("pow(0.0, -1.0)", math.inf),
        ("pow(-10.0, 401.0)", -math.inf),
        ("hypot(3.0, 4.0)", 5.0),
        ("atan2(0.0, 1.0)", 0.0),
        ("cbrt(27.0)", 3.0),
        ("exp2(3.0)", 8.0),
        ("exp(1000.0)", math.inf),
        ("sinh(-1000.0)", -math.inf),
        ("log(0.0)", -math.inf),
        ("log1p(-1.0)", -math.inf),
        ("atanh(1.0)", math.inf),
        ("logb(8.0)", 3.0),
        ("gamma(5.0)", 24.0),
        ("gamma(0.0)", math.inf),
        ("ceil(1.2)", 2.0),
        ("floor(-1.2)", -2.0),
        ("trunc(-1.7)", -1.0),
        ("abs(-1.5)", 1.5),
        ("j0(0.0)", 1.0),
        ("jn(1, 0.0)", 0.0),
        ("y0(0.0)", -math.inf),
    ],
)
def test_functions_give(evaluate, source, expected):
    if expected is None:
        return
    value = evaluate(source)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    "source",
    [
        "sqrt(-1.0)",
        "log(-1.0)",
        "acos(2.0)",
        "acosh(0.0)",
        "atanh(2.0)",
        "sin(1.0 / 0.0)",
        "mod(1.0, 0.0)",
        "gamma(-1.0)",
        "pow(-8.0, 0.5)",
        "y1(-1.0)",
        "yn(2, -1.0)",
        "float('nan')",
        "max(1.0, 0.0 / 0.0)",
    ],
)
def test_outside_its_domain_a_function_gives_no_number(evaluate, source):
    assert math.isnan(evaluate(source))


def test_bessel_functions_are_those_of_mathematics(evaluate):
    assert evaluate("j1(1.0)") == pytest.approx(0.4400505857449335)
    assert evaluate("yn(2, 1.0)") == pytest.approx(-1.6506826068162543)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            'abs("i")',
            'Cannot call function "abs" with args ("i": int), '
            "available signatures are [(float)].",
        ),
        (
            'max("f", 2)',
            'Cannot call function "max" with args ("f": float,2: int), '
            "available signatures are [(float,float)].",
        ),
        (
            "duration('1h')",
            'Cannot call function "duration" with args (1h: string), available '
            "signatures are [(duration), (int,duration), (float,duration), "
            "(string,duration)].",
        ),
        (
            'isPresent("time")',
            'Cannot call function "isPresent" with args ("time": time), available '
            "signatures are [(missing), (boolean), (string), (int), (float)].",
        ),
        (
            "count(1)",
            'Cannot call function "count" with args (1: int), '
            "available signatures are [()].",
        ),
        (
            "sqrt()",
            'Cannot call function "sqrt" with args (), '
            "available signatures are [(float)].",
        ),
        ('nosuch("f")', 'undefined function: "nosuch"'),
        (
            "int('str')",
            'error calling "int": strconv.ParseInt: parsing "str": invalid syntax',
        ),
        (
            "int('9223372036854775808')",
            'error calling "int": strconv.ParseInt: parsing "9223372036854775808": '
            "value out of range",
        ),
        (
            "float('1__0')",
            'error calling "float": strconv.ParseFloat: parsing "1__0": invalid'
            " syntax",
        ),
        (
            "float('1_')",
            'error calling "float": strconv.ParseFloat: parsing "1_": invalid syntax',
        ),
        (
            "float('_1')",
            'error calling "float": strconv.ParseFloat: parsing "_1": invalid syntax',
        ),
        (
            "float('1_.5')",
            'error calling "float": strconv.ParseFloat: parsing "1_.5": invalid'
            " syntax",
        ),
        (
            "int('1_0')",
            'error calling "int": strconv.ParseInt: parsing "1_0": invalid syntax',
        ),
        (
            "float('1e999')",
            'error calling "float": strconv.ParseFloat: parsing "1e999": '
            "value out of range",
        ),
        (
            "bool('yes')",
            'error calling "bool": strconv.ParseBool: parsing "yes": invalid syntax',
        ),
        ("bool(2)", 'error calling "bool": cannot convert 2 to boolean'),
        ("bool(2.5)", 'error calling "bool": cannot convert 2.5 to boolean'),
        (
            "duration('x', 1s)",
            'error calling "duration": invalid duration string "x"',
        ),
        (
            "strSubstring('abc', 0, 3)",
            'error calling "strSubstring": '
            "stop index too large for string in strSubstring: 3",
        ),
        (
            "strSubstring('abc', -1, 2)",
            'error calling "strSubstring": '
            "found negative index for strSubstring: -1",
        ),
        ("int(1s)", None),
    ],
)
def test_functions_fail_with(error, source, expected):
    text = error(source, {"i": 1, "f": 1.0})
    if expected is not None:
        assert text == expected


def test_calendar_functions_use_the_local_zone(evaluate, monkeypatch):
    monkeypatch.setenv("TZ", "Etc/GMT-2")
    time.tzset()
    try:
        # 2017-07-14T23:40:00Z, a Friday, is Saturday 01:40 two hours further east
        moment = 1_500_075_600_000_000_000
        names = ("minute", "hour", "weekday", "day", "month", "year")
        values = [evaluate(f'{name}("time")', time=moment) for name in names]
        assert values == [40, 1, 6, 15, 7, 2017]
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_now_is_the_wall_clock(evaluate):
    before = time.time_ns()
    assert before <= evaluate("unixNano(now())") <= time.time_ns()


def test_rand_stays_in_its_range(evaluate, error):
    assert 0 <= evaluate("rand()") < 2**63
    assert {evaluate("rand(2)") for _ in range(64)} == {0, 1}
    assert error("rand(0)") == 'error calling "rand": invalid argument to Int63n'


def test_the_library_is_complete():
    expected = """
        bool int float string duration
        abs acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp exp2
        expm1 floor gamma j0 j1 log log10 log1p log2 logb sin sinh sqrt tan tanh
        trunc y0 y1 atan2 hypot max min mod pow jn yn pow10
        strContains strContainsAny strHasPrefix strHasSuffix
        strCount strIndex strIndexAny strLastIndex strLastIndexAny strLength
        strReplace strSubstring strToLower strToUpper strTrimSpace
        strTrim strTrimLeft strTrimRight strTrimPrefix strTrimSuffix regexReplace
        isPresent unixNano minute hour weekday day month year now humanBytes if
        count sigma spread rand
    """
    assert set(FUNCTIONS) == set(expected.split())
