"""The rules of TICKscript: meanings of scripts, and messages for invalid ones."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

import pytest

from runtime.alert.types import Event
from runtime.errors import ScriptError, TaskError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.line_protocol import parse as parse_lines
from runtime.nodes.environment import Environment
from runtime.pipeline.evaluate import evaluate
from runtime.tasks.task import ExecutingTask
from runtime.testing import alerts
from runtime.testing.alerts import RecordingTopics
from runtime.testing.frames import Collector
from runtime.tick.format import format as format_script
from runtime.tick.parser import parse
from runtime.units import SECOND

S = "stream|from().measurement('m')"
OPERAND = '"number","string","duration","identifier","TRUE","FALSE","==","(","-","!"'


def refusal(script: str, edge: str = "stream") -> str:
    """Return the error of a script that cannot be defined."""
    with pytest.raises(ScriptError) as caught:
        evaluate(parse(script), edge, handlers=INTEGRATIONS.handler_properties)
    return str(caught.value)


def start_refusal(script: str) -> str:
    """Return the error of a task that cannot start, with a valid script."""
    script_ = evaluate(
        parse(script), "stream", handlers=INTEGRATIONS.handler_properties
    )
    with pytest.raises(TaskError) as caught:
        ExecutingTask("t", script_, Environment("t", services=alerts.services()))
    return str(caught.value)


def accepted(script: str, edge: str = "stream") -> list[str]:
    """The names of a script's nodes."""
    return [
        node.name
        for node in evaluate(
            parse(script), edge, handlers=INTEGRATIONS.handler_properties
        ).pipeline.nodes
    ]


def lines(*values: object, tags: str = "", start: int = 1) -> list[str]:
    """Points of `m` with the values as `v`, one a second."""
    key = f"m,{tags}" if tags else "m"
    return [f"{key} v={value} {start + i}" for i, value in enumerate(values)]


def run(
    script: str, points: Iterable[str], topics: RecordingTopics | None = None
) -> tuple[ExecutingTask, Collector]:
    """A task that was fed points, and what came out of its last node."""
    collector = Collector()
    task = alerts.task(script, topics)
    task.nodes[-1].link(collector)
    body = "\n".join(points).encode()
    task.write(parse_lines(body, precision="s", now=0, db="d", rp="r"))
    return task, collector


def flow(script: str, points: Iterable[str]) -> list[tuple[float, dict[str, Any]]]:
    """Time in seconds and fields of the points that come out of a script."""
    task, collector = run(script, points)
    assert task.error == ""
    return [(point.time / SECOND, dict(point.fields)) for point in collector.points]


def batches(script: str, points: Iterable[str]) -> list[tuple[float, list[float]]]:
    """Time of each batch, and the times of its points."""
    _, collector = run(script, points)
    return [
        (batch.tmax / SECOND, [point.time / SECOND for point in batch.points])
        for batch in collector.got
    ]


def computed(expression: str, fields: str = "x=1", tags: str = "") -> Any:
    """The value of a lambda expression for one point; None if it has none."""
    script = f"{S}|eval(lambda: {expression}).as('result')"
    key = f"m,{tags}" if tags else "m"
    found = flow(script, [f"{key} {fields} 1"])
    return found[0][1]["result"] if found else None


def told(events: Iterable[Event]) -> list[str]:
    return alerts.summaries(events)


def events(script: str, points: Iterable[str]) -> list[str]:
    """Return level, time, previous level and duration of an alert's events."""
    topics = RecordingTopics()
    task, _ = run(script, points, topics)
    assert task.error == ""
    return told(topics.events)


# --- words and statements


@pytest.mark.parametrize(
    "script",
    [
        "var a = 1 var b = 2 stream|from()|log() stream|from()|log()",
        "var é = 1\nstream|from()",
        "var x=lambda:TRUE\nstream|from()|where(x)",
        "var x = .5\nvar y = 1.\nstream|from()",
        "var a = 1 // comment\n// another\nstream // and\n|from()",
        "x\nstream|from()",
        "var x = 1e3\nstream|from()",
        "stream|from().groupBy('a','b',)",
        "stream|from().groupBy(['a','b',])",
        "stream|from().groupBy(*)",
        "var s = 'multi\nline'\nvar t = '''raw \\' text'''\nstream|from()",
        'stream|from().where(lambda: "a"-1 > 0)',
        "stream|from()|window().align()",
        "stream|from()|alert().hipChat().hipChat()",
        "stream|From().Measurement('m')|Alert().Id('x')",
        "stream|from()|where(lambda: TRUE).quiet()",
        "var x = 10\nvar y = x * 3\nstream|from()|sample(y)",
        "stream|from().measurement('a' + 'b')",
        'dbrp "a"."b"\ndbrp "c"."d"\nstream|from()',
    ],
)
def test_scripts_that_are_fine(script: str) -> None:
    assert accepted(script)[:2] == ["stream0", "from1"]


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            "stream|from(",
            f'parser: unexpected EOF line 1 char 13 in "ream|from(". expected: {OPERAND}',
        ),
        (
            'stream|from()|alert().crit(lambda: "a" >)',
            'parser: unexpected ) line 1 char 41 in "bda: "a" >)". expected: '
            f"{OPERAND}",
        ),
        (
            'stream|from().where(lambda: "a" = 1)',
            'parser: unexpected = line 1 char 33 in "mbda: "a" = 1)". expected: ")"',
        ),
        (
            "stream|from().measurement('m'",
            'parser: unexpected EOF line 1 char 30 in "rement(\'m\'". expected: ")"',
        ),
        (
            "stream|from()||log()",
            'parser: unexpected | line 1 char 15 in "am|from()||log()". '
            'expected: "identifier"',
        ),
        (
            "stream|from() $",
            "parser: unexpected unknown state, last char: '$' line 1 char 15 in "
            f'"am|from() $". expected: {OPERAND}',
        ),
        (
            "var x = 'abc",
            "parser: unexpected unterminated string line 1 char 9 in "
            f'"var x = \'abc". expected: {OPERAND}',
        ),
        (
            'var x = "abc',
            "parser: unexpected unterminated field reference line 1 char 9 in "
            f'"var x = "abc". expected: {OPERAND}',
        ),
        (
            "var x = /abc",
            "parser: unexpected unterminated regex line 1 char 9 in "
            f'"var x = /abc". expected: {OPERAND}',
        ),
        (
            "var x = 1.2.3",
            "parser: unexpected multiple decimals in number line 1 char 9 in "
            f'"var x = 1.2.3". expected: {OPERAND}',
        ),
        ("var x = 09", 'parser: illegal number syntax: "09"'),
        ("var x = /(/", "parser: error parsing regexp: missing closing ): `(`"),
        (
            "var s = [1]",
            'parser: unexpected number line 1 char 10 in "var s = [1]". expected: '
            '"identifier","string","*"',
        ),
        (
            "dbrp 'a'.'b'",
            "parser: unexpected string line 1 char 6 in \"dbrp 'a'.'b'\". expected: "
            '"reference"',
        ),
    ],
)
def test_what_does_not_parse(script: str, text: str) -> None:
    assert refusal(script) == text


@pytest.mark.parametrize(
    ("script", "part"),
    [
        ("var _x = 1", "unknown state, last char: '_'"),
        ("stream|from()|where(lambda : TRUE)", "parser: unexpected "),
        ("stream|from() # comment", "unknown state, last char: '#'"),
        ("stream|from()|where(lambda: TRUE && TRUE)", "parser: unexpected "),
        ("stream|from()|where(lambda: 1 <> 2)", "parser: unexpected "),
        ("stream|from", 'expected: "("'),
        ("stream|from()|window().period(10us)", "parser: unexpected "),
        ("stream|from()|window().period(10ns)", "parser: unexpected "),
        ("stream|from()|window().period(1.5h)", "parser: unexpected "),
        ("stream|from()|window().period(10µs)", "parser: unexpected "),
        ("var x = 99999999999999999999", "parser: "),
    ],
)
def test_what_the_lexer_refuses(script: str, part: str) -> None:
    text = refusal(script)
    assert text.startswith("parser: ")
    assert part in text


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            "var x = 1\nvar x = 2\nstream|from()",
            "attempted to redefine x, vars are immutable",
        ),
        (
            "var stream = 1\nstream|from()",
            "attempted to redefine stream, vars are immutable",
        ),
        ("stream", "task does nothing"),
        ("var x = 1h30m", "task does nothing"),
        (
            "nosuch()\nstream|from()",
            'line 1 char 1: no global function "nosuch" defined',
        ),
        ("var x foo\nstream|from()", 'invalid var type "foo"'),
        ("var x int\nstream|from()", 'missing value for var "x".'),
        (
            "stream|foo()",
            'line 1 char 8: no method or property "foo" on *pipeline.StreamNode',
        ),
        (
            "stream|from()|foo()",
            'line 1 char 15: no method or property "foo" on *pipeline.FromNode',
        ),
        (
            "stream|from().alert()",
            'line 1 char 15: no property method "alert" on *pipeline.FromNode, but '
            "chaining method does exist. Use '|' operator instead: 'node|alert(..)'.",
        ),
        (
            "stream|from()|measurement('m')",
            'line 1 char 15: no chaining method "measurement" on *pipeline.FromNode, '
            "but property does exist. Use '.' operator instead: "
            "'node.measurement(..)'.",
        ),
        (
            "stream|from()@alert()",
            'line 1 char 15: no dynamic method "alert" on *pipeline.FromNode, but '
            "chaining method does exist. Use '|' operator instead: 'node|alert(..)'.",
        ),
        (
            "stream|from()|window().period(10)",
            'line 1 char 24: error calling func "period" on obj *pipeline.WindowNode: '
            "reflect.Set: value of type int64 is not assignable to type time.Duration",
        ),
        (
            "stream|from()|sum(1)",
            'line 1 char 15: error calling func "sum" on obj *pipeline.FromNode: '
            "reflect: Call using int64 as type string",
        ),
        (
            "stream|from()|window().period()",
            "line 1 char 24: too many arguments to set property Period on "
            "*pipeline.WindowNode",
        ),
        (
            "stream|from()|window().period(1s, 2s)",
            "line 1 char 24: too many arguments to set property Period on "
            "*pipeline.WindowNode",
        ),
        ("var x = -'a'\nstream|from()", "line 1 char 9: invalid arugument to '-' a"),
        (
            "var x = 1\nx|log()",
            "line 2 char 3: cannot get properties of non pointer value",
        ),
        (
            "stream|from()|window().foo",
            "line 1 char 23: object *pipeline.WindowNode has no property foo",
        ),
        (
            f"{S}|alert().nope()",
            'line 1 char 40: no method or property "nope" on *pipeline.AlertNode',
        ),
        (
            f"{S}|alert().all().nope()",
            'line 1 char 46: no method or property "nope" on *pipeline.AlertNodeData',
        ),
        (
            f"{S}|alert().hipChat().nope()",
            'line 1 char 50: no method or property "nope" on *pipeline.HipChatHandler',
        ),
        (
            "stream|from()|sum('v').nope()",
            'line 1 char 24: no method or property "nope" on *pipeline.InfluxQLNode',
        ),
        (
            "stream|from().groupBy(1)",
            "invalid dimension object of type int64",
        ),
        (
            "stream|from().groupBy('')",
            "dimensions cannot not be the empty string",
        ),
        (
            "stream|from().groupBy('a', *)",
            "cannot group by both '*' and named dimensions.",
        ),
        ("stream|from()|groupBy('a').exclude('b')", "exclude requires '*'"),
        (
            "stream|from()|window().period(1s).periodCount(1)",
            "cannot specify both period and periodCount",
        ),
        (
            "stream|from()|window().periodCount(1).everyCount(1).align()",
            "can only align windows based off time, not count",
        ),
        (
            "stream|from()|window().periodCount(1)",
            "everyCount must be greater than zero",
        ),
        (
            "stream|from()|eval(lambda: 1)",
            "must specify same number of expressions and .as() names: got 0 as names, "
            "and 1 expressions.",
        ),
        (
            "stream|from()|eval(lambda: 1).as('a').tags('b')",
            'invalid tag name "b", name is not present is .as() names',
        ),
        (
            "stream|from()|default().field('a', 1s)",
            'unsupported type time.Duration for field "a", field default values must '
            "be float,int,string or bool",
        ),
        (
            "stream|from()|combine(lambda: TRUE)",
            "a call to combine.as() is required to specify the output stream prefixes.",
        ),
        (
            "var a = stream|from()\nvar b = stream|from()\na|join(b)",
            "a call to join.as() is required to specify the output stream prefixes.",
        ),
        (
            "var a = stream|from()\nvar b = stream|from()\na|join(b).as('x')",
            "number of prefixes specified by join.as() must match the number of joined "
            "streams",
        ),
        (
            "var a = stream|from()\nvar b = stream|from()\na|join(b).as('x', 'x')",
            "cannot use the same prefix name see .as() property method",
        ),
        ("stream|from()|httpPost()", "must provide url or endpoint"),
        (
            "stream|from()|httpPost('a', 'b')",
            "httpPost expects 0 or 1 arguments, got 2",
        ),
        (
            "stream|from()|kapacitorLoopback().retentionPolicy('r')",
            "must specify a database",
        ),
        (
            "stream|from()|kapacitorLoopback().database('d')",
            "must specify a retention policy",
        ),
        (
            "stream|from()|sample('x')",
            "must pass int64 or duration to new sample node",
        ),
    ],
)
def test_scripts_that_mean_nothing(script: str, text: str) -> None:
    found = refusal(script)
    # rules of nodes come with the place of the call, or without one
    assert found == text or found.endswith(f": {text}")


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("stream|from()|window()", "window node must have either a non zero period or"),
        (
            "stream|from()|shift(0s)",
            "invalid shift value: must be non zero duration",
        ),
        (
            "stream|from()|sample(0)",
            "invalid sample rate: must be positive integer or duration",
        ),
        (
            "stream|from()|where(lambda: 1 + 'a' > 0)",
            "mismatched type to binary operator. got int + string. see",
        ),
        (
            "stream|from()|alert().crit(lambda: TRUE).flapping(0.5, 1.5)",
            "alert flap thresholds are percentages and should be between 0 and 1",
        ),
        (
            "stream|from()|alert().crit(lambda: TRUE).message('{{ json . }}')",
            'template: message:1: function "json" not defined',
        ),
        (
            "stream|from()|alert().crit(lambda: TRUE).message('{{ .ID } }}')",
            'template: message:1: unexpected "}" in operand',
        ),
        (
            "stream|from()|alert().crit(lambda: TRUE).log('relative')",
            "failed to create log alert handler: log path must be absolute: relative "
            "is not absolute",
        ),
        (
            "stream|from()|alert().crit(lambda: TRUE).log('/x').mode(0400)",
            "invalid file mode -r--------, must be user writable",
        ),
        (
            "var a = stream|from()|window().period(1s).every(1s)\n"
            "var b = stream|from()|log()\na|join(b).as('x','y')",
            "cannot add child mismatched edges: ",
        ),
    ],
)
def test_tasks_that_do_not_start(script: str, text: str) -> None:
    assert text in start_refusal(script)


def test_unknown_names_and_what_there_is() -> None:
    text = refusal('stream|from()|where(lambda: "a" > tt)')
    found = re.fullmatch(
        r'.*name "tt" is undefined\. Names in scope: (.*)', text, re.DOTALL
    )
    assert found is not None
    assert set(found[1].split(",")) == {"time", "stream"}
    assert 'name "a" is undefined. Names in scope: ' in refusal(
        'var x = "a" + 1\nstream|from()'
    )
    assert 'name "true" is undefined' in refusal("stream|from()|where(lambda: true)")


def test_a_list_is_spread_where_it_stands_alone() -> None:
    assert accepted("stream|from().groupBy(['a', 'b'])")
    assert "invalid dimension object" in refusal("stream|from().groupBy(['a'], 'b')")


def test_a_flag_takes_no_argument() -> None:
    assert 'error calling func "align"' in refusal("stream|from()|window().align(TRUE)")
    # reading one is an error, where Kapacitor crashes
    assert refusal("stream|from()|window().period(1s).align")


def test_arguments_are_not_converted() -> None:
    for script in (
        "stream|from()|percentile('v', 90)",
        "stream|from()|top('v', 1)",
        "stream|from()|deadman(0, 10s)",
        "stream|from()|where('x')",
        "stream|from()|alert().history(1.0)",
    ):
        assert " as type " in refusal(script) or "not assignable" in refusal(script)


def test_lambdas_and_variables_are_put_in() -> None:
    script = 'var t = 1\nvar l = lambda: "v" > t\n' f'{S}|where(lambda: l AND "v" < 4)'
    assert [fields["v"] for _, fields in flow(script, lines(1, 2, 3, 4))] == [2, 3]


def test_batches_have_another_source() -> None:
    query = "batch|query('SELECT mean(v) FROM d.r.m').period(1s).every(1s)"
    assert accepted(query, "batch") == ["batch0", "query1"]
    assert 'name "stream" is undefined' in refusal("stream|from()", "batch")
    assert 'name "batch" is undefined' in refusal(query, "stream")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("log()", "log2"),
        ("groupBy('h')", "groupby2"),
        ("httpOut('x')", "http_out2"),
        ("count('v')", "count2"),
        ("stateDuration(lambda: TRUE)", "state_duration2"),
        ("stateCount(lambda: TRUE)", "state_count2"),
    ],
)
def test_names_of_nodes(call: str, name: str) -> None:
    assert accepted(f"stream|from()|{call}")[-1] == name


# --- layout


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "stream|from().measurement('cpu')|alert().crit(lambda:\"u\"<10)"
            ".hipChat().room('a')",
            "stream\n    |from()\n        .measurement('cpu')\n    |alert()\n"
            '        .crit(lambda: "u" < 10)\n        .hipChat()\n'
            "        .room('a')\n",
        ),
        (
            "var a=1 var b = ( 2 ) stream|from()",
            "var a = 1\n\nvar b = 2\n\nstream\n    |from()\n",
        ),
        (
            "var x = 010 var d = 90s var s = '''a'''\n// why\nstream|from()",
            "var x = 010\n\nvar d = 90s\n\nvar s = '''a'''\n\n// why\n"
            "stream\n    |from()\n",
        ),
        (
            'stream|from().where(lambda: ("a"+1)*2 > 3 AND ("b"))',
            "stream\n    |from()\n"
            '        .where(lambda: ("a" + 1) * 2 > 3 AND "b")\n',
        ),
    ],
)
def test_layout(source: str, text: str) -> None:
    assert format_script(parse(source)) == text
    assert format_script(parse(text)) == text


# --- lambda expressions


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4 % 5", 4),
        ("1 < 2 == TRUE", True),
        ("TRUE OR FALSE AND FALSE", True),
        ("010", 8),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7.0 / 2.0", 3.5),
        ("1.0 / 0.0", float("inf")),
        ("9223372036854775807 + 1", -(2**63)),
        ("'a' + 'b'", "ab"),
        ("'abc' =~ /b/", True),
        ("'abc' !~ /^b/", True),
        ("1s + 1m == 61s", True),
        ("10s / 3s", 3),
        ("2 * 3s == 6s", True),
        ("3s / 2 == 1500ms", True),
        ("1s > 1ms", True),
        ("'a' < 'b'", True),
        ("!TRUE", False),
        ("-2.5", -2.5),
        ("bool('t')", True),
        ("bool(1)", True),
        ("int(2.9)", 2),
        ("int(-2.9)", -2),
        ("int('12')", 12),
        ("int(TRUE)", 1),
        ("float('1e3')", 1000.0),
        ("float(3)", 3.0),
        ("string(3.0)", "3"),
        ("string(1000000000000000000000.0)", "1000000000000000000000"),
        ("string(90s)", "90s"),
        ("string(90m)", "90m"),
        ("string(1ms)", "1ms"),
        ("string(1u)", "1u"),
        ("string(TRUE)", "true"),
        ("duration(2, 1s) == 2s", True),
        ("duration('1h30m', 1s) == 90m", True),
        ("strLength('é')", 2),
        ("strCount('aaa', '')", 4),
        ("strIndex('abc', 'x')", -1),
        ("strReplace('aaa', 'a', 'b', 2)", "bba"),
        ("strReplace('aaa', 'a', 'b', -1)", "bbb"),
        ("strSubstring('abc', 0, 2)", "ab"),
        ("strToUpper('aé')", "AÉ"),
        ("strTrim('xxaxx', 'x')", "a"),
        ("strTrimPrefix('xxa', 'x')", "xa"),
        ("regexReplace(/a(.)/, 'abac', '$1')", "bc"),
        ("regexReplace(/a(.)/, 'ab', '$1x')", ""),
        ("humanBytes(83000000)", "83 MB"),
        ("humanBytes(1000)", "1.0 kB"),
        ("humanBytes(999)", "999 B"),
        ("humanBytes(0)", "0 B"),
        ("if(1 < 2, 'a', 'b')", "a"),
        ("max(1.0, 2.0)", 2.0),
        ("mod(-7.0, 3.0)", -1.0),
        ("pow10(3)", 1000.0),
        ("abs(-1.5)", 1.5),
        ('isPresent("x")', True),
        ('isPresent("nope")', False),
        ('"x" == 1', True),
        ('"x" > 0.5', True),
        ('isPresent("f") AND "f" > 1', False),
        ('TRUE OR "missing" > 1', True),
        ('TRUE OR nosuch("x") == 1', True),
        ('isPresent("f") AND abs("f") > 1.0', False),
        ('isPresent("f") AND !"f"', False),
        ('weekday("time")', 4),
        ('unixNano("time")', 1_000_000_000),
        ("count() + count()", 3),
    ],
)
def test_values_of_expressions(expression: str, value: object) -> None:
    found = computed(expression)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ('"f" > 1', 'left reference value "f" is missing value'),
        ('1 < "f"', 'right reference value "f" is missing value'),
        ('"f" * 2.0 > 1.0', "invalid math operator * for type missing"),
        (
            'abs("f") > 1.0',
            'Cannot call function "abs" argument "f" is missing, values in scope are []',
        ),
        (
            'if("f" > 1.0, 1, 2) == 1',
            'Failed to handle 1 argument: left reference value "f" is missing value',
        ),
        ('isPresent("f") AND "f"', 'right reference value "f" is missing value'),
        (
            'TRUE OR bool("f")',
            'Cannot call function "bool" argument "f" is missing, ',
        ),
        (
            '"i" + 1.0 > 1.0',
            "mismatched type to binary operator. got int + float. see bool(), int(), "
            "float(), string(), duration()",
        ),
        ('"x" =~ /a/', "invalid comparison operator =~ for type float"),
        ('"s" - "s" == 1', "invalid math operator - for type string"),
        (
            '"x" + 1.0',
            "TypeGuard: expression returned unexpected type float, expected boolean",
        ),
        ('nosuch("x")', 'undefined function: "nosuch"'),
        (
            'abs("i") > 1.0',
            'Cannot call function "abs" with args ("i": int), available signatures '
            "are [(float)].",
        ),
        (
            'int("s") > 1',
            'error calling "int": strconv.ParseInt: parsing "str": invalid syntax',
        ),
        ('bool("i")', "cannot convert 2 to boolean"),
        (
            "strSubstring(\"s\", 0, 3) == ''",
            "stop index too large for string in strSubstring: 3",
        ),
        (
            "strSubstring(\"s\", -1, 2) == ''",
            "found negative index for strSubstring: -1",
        ),
        ("\"h\" == 'a'", 'cannot have field and tags with same name "h"'),
        ('"i" / 0 == 1', "runtime error: integer divide by zero"),
        ('"i" % 0 == 1', "runtime error: integer divide by zero"),
    ],
)
def test_points_whose_expression_fails_are_dropped(
    caplog: pytest.LogCaptureFixture, expression: str, text: str
) -> None:
    caplog.set_level(logging.ERROR)
    point = 'm,h=a,k=b x=1,i=2i,s="str",h="a" 1'
    task, collector = run(f"{S}|where(lambda: {expression})", [point])
    assert collector.points == []
    assert task.error == ""
    found = " ".join(
        record.getMessage() + str(vars(record)) for record in caplog.records
    )
    assert text in found.replace("\\'", "'").replace('\\"', '"')
    nodes: Any = task.stats()["node-stats"]
    assert nodes["where2"]["errors"] == 1


def test_sigma_and_spread() -> None:
    found = flow(f"{S}|eval(lambda: sigma(\"v\")).as('s')", lines(1, 2, 3, 10))
    values = [fields["s"] for _, fields in found]
    assert values == [0, 0.7071067811865475, 1, 1.4696938456699067]
    found = flow(f"{S}|eval(lambda: spread(\"v\")).as('s')", lines(5, 7, 1))
    assert [fields["s"] for _, fields in found] == [0, 2, 6]


def test_types_are_looked_at_point_by_point() -> None:
    found = flow(f'{S}|where(lambda: "v" > 1)', lines(2, "3i", 4))
    assert [fields["v"] for _, fields in found] == [2, 3, 4]


def test_state_is_kept_for_each_group_or_shared() -> None:
    points = ["m,h=a v=1 1", "m,h=b v=1 2", "m,h=a v=1 3", "m,h=b v=1 4"]
    by_host = "stream|from().measurement('m').groupBy('h')"
    found = flow(f"{by_host}|eval(lambda: count()).as('c')", points)
    assert [fields["c"] for _, fields in found] == [1, 1, 2, 2]
    found = flow(f"{by_host}|where(lambda: count() > 1)", points)
    assert [time for time, _ in found] == [3, 4]
    found = flow(f"{by_host}.where(lambda: count() > 2)", points)
    assert [time for time, _ in found] == [3, 4]
    shared = f"var c = lambda: count()\n{by_host}|eval(lambda: c + 0).as('c')"
    assert [fields["c"] for _, fields in flow(shared, points)] == [1, 2, 3, 4]


def test_an_operand_that_is_not_looked_at_does_not_count() -> None:
    script = f'{S}|where(lambda: "v" > 1 AND count() > 1)'
    assert [time for time, _ in flow(script, lines(2, 0, 2, 2))] == [3, 4]


# --- data and nodes


@pytest.mark.parametrize(
    ("script", "group"),
    [
        (".groupBy('h','z')", "h=a,z="),
        (".groupBy(*)", "h=a,k=b"),
        (".groupByMeasurement()", "m"),
        (".groupBy('h').groupByMeasurement()", "m\nh=a"),
        ("", ""),
        ("|groupBy(*).exclude('k')", "h=a"),
        ("|groupBy('h').byMeasurement()", "m\nh=a"),
        (".groupByMeasurement()|groupBy('h')", "m\nh=a"),
    ],
)
def test_groups(script: str, group: str) -> None:
    _, collector = run(f"{S}{script}", ["m,h=a,k=b v=1 1"])
    [point] = collector.points
    assert point.group == group
    assert point.tags == {"h": "a", "k": "b"}


@pytest.mark.parametrize(
    ("script", "seconds", "kept"),
    [
        ("|sample(7s)", range(1, 12), [3, 10]),
        ("|sample(3)", range(1, 8), [1, 4, 7]),
    ],
)
def test_samples(script: str, seconds: Iterable[int], kept: list[float]) -> None:
    points = [f"m v=1 {second}" for second in seconds]
    assert [time for time, _ in flow(f"{S}{script}", points)] == kept


def test_times_are_rounded() -> None:
    points = [f"m v=1 {second}" for second in (14, 15, 16, 25)]
    found = [time for time, _ in flow(f"{S}.round(10s)", points)]
    assert found == [10, 20, 20, 30]
    found = [time for time, _ in flow(f"{S}.truncate(10s)", points)]
    assert found == [10, 10, 10, 20]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (
            ".period(5s).every(5s)",
            [(8, (3, 8)), (13, (8, 13)), (18, (13, 18))],
        ),
        (
            ".period(5s).every(5s).align()",
            [(5, (3, 5)), (10, (5, 10)), (15, (10, 15)), (20, (15, 20))],
        ),
        (
            ".period(10s).every(5s)",
            [(8, (3, 8)), (13, (3, 13)), (18, (8, 18))],
        ),
        (".period(10s).every(5s).fillPeriod()", [(13, (3, 13)), (18, (8, 18))]),
        (
            ".period(10s).every(5s).fillPeriod().align()",
            [(15, (5, 15)), (20, (10, 20))],
        ),
    ],
)
def test_windows_of_time(
    window: str, expected: list[tuple[float, tuple[int, int]]]
) -> None:
    points = [f"m v=1 {second}" for second in range(3, 21)]
    found = batches(f"{S}|window(){window}", points)
    assert found == [
        (tmax, [float(t) for t in range(*span)]) for tmax, span in expected
    ]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (
            ".periodCount(3).everyCount(2)",
            [(1, [0, 1]), (3, [1, 2, 3]), (5, [3, 4, 5])],
        ),
        (
            ".periodCount(3).everyCount(2).fillPeriod()",
            [(2, [0, 1, 2]), (4, [2, 3, 4])],
        ),
        (
            ".period(2s)",
            [(0, [0]), (1, [0, 1]), (2, [1, 2]), (3, [2, 3]), (4, [3, 4]), (5, [4, 5])],
        ),
    ],
)
def test_windows_of_points(
    window: str, expected: list[tuple[float, list[float]]]
) -> None:
    points = [f"m v=1 {second}" for second in range(6)]
    assert batches(f"{S}|window(){window}", points) == expected


WINDOW = f"{S}.groupBy('h','z')|window().period(10s).every(10s)"
WINDOWED = [
    "m,h=a,k=1 v=3,w=1 0",
    "m,h=a,k=2 v=1,w=2 2",
    "m,h=a,k=3 v=2,w=3 4",
    "m,h=a,k=4 v=2,w=4 6",
    "m,h=a,k=5 v=0,w=5 10",
]


@pytest.mark.parametrize(
    ("call", "time", "fields"),
    [
        ("count('v')", 10, {"count": 4}),
        ("sum('v')", 10, {"sum": 8.0}),
        ("mean('v')", 10, {"mean": 2.0}),
        ("median('v')", 10, {"median": 2.0}),
        ("mode('v')", 10, {"mode": 2.0}),
        ("spread('v')", 10, {"spread": 2.0}),
        ("stddev('v')", 10, {"stddev": (2 / 3) ** 0.5}),
        ("min('v')", 10, {"min": 1.0, "w": 2.0}),
        ("max('v').as('v')", 10, {"v": 3.0, "w": 1.0}),
        ("first('v').usePointTimes()", 0, {"first": 3.0, "w": 1.0}),
        ("last('v').usePointTimes()", 6, {"last": 2.0, "w": 4.0}),
        ("percentile('v', 50.0)", 10, {"percentile": 2.0, "w": 3.0}),
        ("count('v').as('n').usePointTimes()", 10, {"n": 4}),
    ],
)
def test_functions_of_windows(call: str, time: float, fields: dict[str, Any]) -> None:
    _, collector = run(f"{WINDOW}|{call}", WINDOWED)
    [point] = collector.points
    assert point.time / SECOND == time
    assert dict(point.fields) == pytest.approx(fields)
    assert type(next(iter(point.fields.values()))) is type(next(iter(fields.values())))
    if len(fields) == 1:
        assert point.tags == {"h": "a", "z": ""}
    else:
        assert "k" in point.tags


def test_functions_of_points_of_one_time() -> None:
    points = ["m v=1 1", "m v=2 1", "m v=3 2", "m v=4 3"]
    found = flow(f"{S}|sum('v')", points)
    assert found == [(1, {"sum": 3}), (2, {"sum": 3})]


def test_functions_that_go_point_by_point() -> None:
    points = lines(1, 4, 9, 16)
    assert flow(f"{S}|difference('v')", points) == [
        (2, {"difference": 3}),
        (3, {"difference": 5}),
        (4, {"difference": 7}),
    ]
    assert flow(f"{S}|cumulativeSum('v').as('c')", points)[-1] == (4, {"c": 30})
    assert flow(f"{S}|movingAverage('v', 2).as('a')", points)[0] == (2, {"a": 2.5})
    assert flow(f"{S}|elapsed('v', 2s).as('e')", points)[0] == (2, {"e": 0})


def test_a_wrong_or_missing_field_of_a_window_is_skipped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    points = ["m v=1 0", "m v=2i 1", "m w=1 2", "m v=3 3", "m v=4 10"]
    script = f"{S}|window().period(10s).every(10s)|sum('v')"
    assert flow(script, points) == [(10, {"sum": 4})]
    text = " ".join(str(vars(record)) for record in caplog.records)
    assert "field v has wrong type: got int64 exp float64" in text
    assert "field v missing from point cannot aggregate" in text


@pytest.mark.parametrize(
    ("script", "fields"),
    [
        ("eval(lambda: 1).as('a')", {"a": 1}),
        ("eval(lambda: 1).as('a').keep()", {"v": 2.0, "w": 3.0, "a": 1}),
        ("eval(lambda: 1).as('a').keep('w', 'a')", {"w": 3.0, "a": 1}),
        (
            "eval(lambda: 1, lambda: \"a\" + 1).as('a', 'b')",
            {"a": 1, "b": 2},
        ),
        ("eval(lambda: 'x').as('t').tags('t')", {}),
        (
            "eval(lambda: 'x').as('t').tags('t').keep()",
            {"v": 2.0, "w": 3.0, "t": "x"},
        ),
        ("default().field('z', 1).field('v', 5.0)", {"v": 2.0, "w": 3.0, "z": 1}),
        ("delete().field('v').field('nope')", {"w": 3.0}),
        ('stateCount(lambda: "v" > 1)', {"v": 2.0, "w": 3.0, "state_count": 1}),
        (
            'stateDuration(lambda: "v" > 5)',
            {"v": 2.0, "w": 3.0, "state_duration": -1.0},
        ),
    ],
)
def test_fields_after_a_node(script: str, fields: dict[str, object]) -> None:
    [(_, found)] = flow(f"{S}|{script}", ["m v=2,w=3 1"])
    assert found == fields
    assert {k: type(v) for k, v in found.items()} == {
        k: type(v) for k, v in fields.items()
    }


def test_changes_and_derivatives() -> None:
    found = flow(f"{S}|changeDetect('v')", lines(1, 1, "1i", "true", "true"))
    assert [time for time, _ in found] == [1, 3, 4]
    found = flow(f"{S}|derivative('v').unit(2s)", lines(1, 2, 0))
    assert [fields["v"] for _, fields in found] == [2, -4]
    found = flow(f"{S}|derivative('v').nonNegative().as('d')", lines(1, 2, 0))
    assert [fields for _, fields in found] == [{"v": 2, "d": 1}]
    durations = flow(
        f'{S}|stateDuration(lambda: "v" > 1).unit(500ms)', lines(2, 2, 0, 2)
    )
    assert [fields["state_duration"] for _, fields in durations] == [0, 2, -1, 0]


# --- alerts

LEVELS = '.info(lambda: "v" > 10).warn(lambda: "v" > 20).crit(lambda: "v" > 30)'


def alert(properties: str) -> str:
    """An alert on `m` whose events go to a topic."""
    return f"{S}|alert(){properties}.topic('t')"


def test_an_alert_without_levels_is_silent() -> None:
    topics = RecordingTopics()
    _, collector = run(f"{S}|alert().topic('t')", lines(1, 2), topics)
    assert (topics.events, collector.points) == ([], [])


def test_levels_and_durations() -> None:
    assert events(alert(LEVELS), lines(5, 15, 35, 25, 5, 5)) == [
        "INFO@2 OK 0s",
        "CRITICAL@3 INFO 1s",
        "WARNING@4 CRITICAL 2s",
        "OK@5 WARNING 3s",
    ]


def test_resets_hold_a_level() -> None:
    script = alert(
        '.warn(lambda: "v" > 10).warnReset(lambda: "v" < 5)'
        '.crit(lambda: "v" > 20).critReset(lambda: "v" < 15)'
    )
    found = [
        event.split("@")[0] for event in events(script, lines(12, 22, 16, 14, 12, 8, 4))
    ]
    assert found == [
        "WARNING", "CRITICAL", "CRITICAL", "WARNING", "WARNING", "WARNING", "OK",
    ]  # fmt: skip


def test_state_changes_only() -> None:
    found = events(
        alert(f"{LEVELS}.stateChangesOnly()"), lines(25, 25, 35, 35, 25, 5, 5)
    )
    assert found == [
        "WARNING@1 OK 0s",
        "CRITICAL@3 WARNING 2s",
        "WARNING@5 CRITICAL 4s",
        "OK@6 WARNING 5s",
    ]


def test_flapping_with_a_short_history() -> None:
    script = alert('.crit(lambda: "v" > 5).flapping(0.25, 0.5).history(5)')
    found = [event.split()[0] for event in events(script, lines(9, 1, 9, 1, 9, 1, 9))]
    assert found == ["CRITICAL@1", "OK@2"]


def test_children_see_what_became_an_event() -> None:
    script = (
        f"{S}|alert(){LEVELS}.levelTag('lt').levelField('lf').idTag('it')"
        ".idField('if').messageField('mf').durationField('df')"
    )
    _, collector = run(script, lines(5, 35, 35, 5))
    assert [point.time / SECOND for point in collector.points] == [2, 3, 4]
    last = collector.points[-1]
    assert dict(last.fields) == {
        "v": 5.0,
        "lf": "OK",
        "if": "m:nil",
        "mf": "m:nil is OK",
        "df": 2 * SECOND,
    }
    assert dict(last.tags) == {"lt": "OK", "it": "m:nil"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ .ID }} is {{ .Level }}", "m:h=a is CRITICAL"),
        ("{{ .Name }}/{{ .TaskName }}/{{ .Group }}", "m/TASK/h=a"),
        ("{{ .Tags }} {{ .Tags.h }}", "map[h:a k:b] a"),
        ("{{ .Fields }}", "map[b:true i:1000000 s:text v:1e+06]"),
        ('{{ index .Fields "v" | printf "%0.3f" }}', "1000000.000"),
        ('{{ index .Tags "nope" }}|{{ .Tags.nope }}', "|<no value>"),
        ('{{ index .Fields "nope" | printf "%0.2f" }}', "%!f(<nil>)"),
        ("{{ .Time }}", "1970-01-01 00:00:01 +0000 UTC"),
        ("{{ .Time.Unix }} {{ .Time.Year }}", "1 1970"),
        ('{{ .Time.Format "2006-01-02" }}', "1970-01-01"),
        ("{{ .Duration }} {{ .Duration.Seconds }}", "0s 0"),
        (
            '{{ if eq .Level "OK" }}a{{ else if gt (index .Fields "v") 5.0 }}b{{ end }}',
            "b",
        ),
        ("{{ range $k, $v := .Tags }}{{ $k }}={{ $v }};{{ end }}", "h=a;k=b;"),
        ("{{ with .Tags.h }}<{{ . }}>{{ end }}", "<a>"),
        ("a {{- /* no */ -}} b", "ab"),
        ("{{ $x := 1 }}{{ $x }}", "1"),
        ('{{ print 1 2 "a" "b" 3 }}', "1 2ab3"),
        (
            '{{ printf "%s %q %v %d %5d %x %t" "a" "b" 1.5 2 3 255 true }}',
            'a "b" 1.5 2     3 ff true',
        ),
        ('{{ printf "%s" (index .Fields "v") }}', "%!s(float64=1e+06)"),
        ('{{ printf "%d" "x" }}', "%!d(string=x)"),
        ('{{ printf "%d" }}', "%!d(MISSING)"),
        ('{{ printf "x" 1 }}', "x%!(EXTRA int=1)"),
        ('{{ len .Tags }} {{ slice "abc" 1 2 }}', "2 b"),
        ('{{ html "<a>" }} {{ urlquery "a b" }} {{ js "\'" }}', "&lt;a&gt; a+b \\'"),
        ("{{ and 1 0 }} {{ or 0 2 }} {{ not 0 }}", "0 2 true"),
    ],
)
def test_messages(template: str, text: str) -> None:
    topics = RecordingTopics()
    script = (
        f"{S}.groupBy('h')|alert().crit(lambda: TRUE).topic('t')"
        f".message('''{template}''')"
    )
    task, _ = run(script, ['m,h=a,k=b v=1000000,i=1000000i,s="text",b=true 1'], topics)
    assert task.error == ""
    assert topics.events[0].state.message == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1000000", "1e+06"),
        ("1234567.5", "1.2345675e+06"),
        ("123456789", "1.23456789e+08"),
        ("-1500000", "-1.5e+06"),
        ("999999.9", "999999.9"),
        ("123456.789", "123456.789"),
        ("0.0001", "0.0001"),
        ("0.000099", "9.9e-05"),
        ("1", "1"),
        ("1000000i", "1000000"),
        ('"<&>"', "<&>"),
        ("true", "true"),
    ],
)
def test_values_in_messages(value: str, text: str) -> None:
    topics = RecordingTopics()
    message = ".crit(lambda: TRUE).message('{{ index .Fields \"v\" }}')"
    run(alert(message), lines(value), topics)
    assert topics.events[0].state.message == text


@pytest.mark.parametrize(
    ("template", "part"),
    [
        (
            "{{ .Nope }}",
            'template: message:1:3: executing "message" at <.Nope>: can\'t '
            "evaluate field Nope in type kapacitor.messageInfo",
        ),
        ("{{ .Message }}", "can't evaluate field Message in type"),
    ],
)
def test_a_template_that_fails_for_every_event_stops_no_task(
    template: str, part: str
) -> None:
    topics = RecordingTopics()
    script = alert(f".crit(lambda: TRUE).message('{template}')")
    task, _ = run(script, lines(9, 9), topics)
    assert task.error == ""
    for event in topics.events:
        assert event.state.message.startswith("m:nil is CRITICAL (")
        assert part in event.state.message
    assert len(topics.events) == 2


def test_a_template_that_fails_for_an_event_is_replaced() -> None:
    topics = RecordingTopics()
    message = '{{ if gt (index .Fields "v") 5.5 }}high{{ end }}'
    script = alert(f".crit(lambda: TRUE).message('{message}')")
    task, _ = run(script, ["m v=9i 1", "m v=9 2"], topics)
    assert task.error == ""
    first, second = (event.state.message for event in topics.events)
    assert first.startswith("m:nil is CRITICAL (template: message:1:")
    assert "incompatible types for comparison: int64 and float64" in first
    assert second == "high"


def test_details_are_html() -> None:
    topics = RecordingTopics()
    script = (
        f"{S}.groupBy('h')|alert().crit(lambda: TRUE).topic('t')"
        ".details('<b>{{ .Message }}</b> {{ .ID }}').message('{{ .Name }}<&>')"
    )
    run(script, ["m,h=<i> v=1 1"], topics)
    details = topics.events[0].state.details
    assert details == "<b>m&lt;&amp;&gt;</b> m:h=&lt;i&gt;"


def test_default_details_are_escaped_json() -> None:
    topics = RecordingTopics()
    run(alert('.crit(lambda: "v" > 5)'), lines(9), topics)
    details = topics.events[0].state.details
    assert details.startswith(
        "{&#34;Name&#34;:&#34;m&#34;,&#34;TaskName&#34;:&#34;TASK&#34;,"
    )
    assert (
        "&#34;Group&#34;:&#34;nil&#34;,&#34;Tags&#34;:{},&#34;ServerInfo&#34;:"
        in details
    )
    assert details.endswith(
        "&#34;ID&#34;:&#34;m:nil&#34;,&#34;Fields&#34;:{&#34;v&#34;:9},"
        "&#34;Level&#34;:&#34;CRITICAL&#34;,&#34;Time&#34;:&#34;1970-01-01T00:00:01Z"
        "&#34;,&#34;Duration&#34;:0,&#34;Message&#34;:&#34;m:nil is CRITICAL&#34;}\n"
    )


def test_inhibited_alerts_are_not_told() -> None:
    script = (
        "var data = stream|from().measurement('m').groupBy('h')\n"
        "data|alert().id('big {{ .Group }}').crit(lambda: \"v\" > 10).inhibit('small', 'h').topic('t')\n"
        "data|alert().id('small {{ .Group }}').category('small').crit(lambda: \"v\" > 5).topic('t')"
    )
    topics = RecordingTopics()
    points = ["m,h=a v=7 1", "m,h=a v=20 2", "m,h=b v=7 3", "m,h=a v=1 4"]
    task, _ = run(script, points, topics)
    found = [(event.state.id, str(event.state.level)) for event in topics.events]
    assert found == [
        ("small h=a", "CRITICAL"),
        ("big h=a", "CRITICAL"),
        ("small h=b", "CRITICAL"),
        ("big h=a", "OK"),
        ("small h=a", "OK"),
    ]
    nodes: Any = task.stats()["node-stats"]
    assert nodes["alert3"]["alerts_inhibited"] == 1


def test_both_topics_of_an_alert_get_its_events() -> None:
    topics = RecordingTopics()
    script = f"{S}|alert().crit(lambda: \"v\" > 5).foo().topic('named')"
    run(script, lines(9), topics)
    assert [event.topic for event in topics.events] == ["main:TASK:alert2", "named"]
