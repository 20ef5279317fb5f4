"""The whole grammar of expressions: what is accepted is rendered, and raises nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.alert.types import Level
from runtime.golang.json import encode
from runtime.secrets import Secret
from runtime.testing.events import sample_event
from runtime.units import Duration
from scaffold import places
from scaffold.errors import SpecError
from scaffold.expressions.code import ExpressionError
from scaffold.expressions.compiler import compile_expression
from scaffold.expressions.functions import FUNCTIONS
from scaffold.flags import Flags
from scaffold.layout.printer import source
from scaffold.rendering.render import importable, render
from scaffold.rendering.samples.evaluation import bound
from scaffold.rendering.samples.standins import Answer
from scaffold.spec.model.settings import TYPES, ConfigField, LevelMap, Option
from scaffold.spec.parse import from_flags, parse
from scaffold.spec.scopes import of_event, of_response
from tests.examples import share, some

KNOWN = importable(from_flags(Flags("foo")), "runtime")

NAMES = {
    "s": "str", "k": "secret", "i": "int", "f": "float", "b": "bool", "d": "duration",
    "l": "list[str]", "m": "map[str]",
}  # fmt: skip
CONFIG = [
    ConfigField(key, TYPES[name], TYPES[name].empty) for key, name in NAMES.items()
]
OPTIONS = [Option(key, TYPES[name], TYPES[name].empty) for key, name in NAMES.items()]
LEVELS = [LevelMap("word", {"OK": "a"}, "b"), LevelMap("rank", {"OK": 0}, 9)]
SCOPE = of_event(CONFIG, OPTIONS, LEVELS)
ANSWER = of_response((), (), "error", "Quoll")

# one of each kind, and constants
ATOMS = (
    "config.s", "config.k", "config.i", "config.f", "config.b", "config.d", "config.l", "config.m",
    "opt.s", "opt.i", "opt.l", "event.id", "event.level", "event.time", "event.duration",
    "event.tags", "event.tags.host", "event.fields", "event.fields.x", "event.row.tags",
    "event.result", "event.data.x.y", "level.word", "level.rank", "get(event.fields, 'x', None)",
    "'a'", "''", "'é\\\\'", "0", "-1", "9223372036854775807", "1.5", "1e308", "True", "None", "[]",
    "['a', 'b']", "[1, None, 'a']", "[event.fields.x]", "{}", "{'a': 1}", "{event.fields.x: []}",
    "'CRITICAL'", "['OK', 'INFO']",
)  # fmt: skip
BINARY = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "+", "-", "*")
REFUSED = ("/", "%", "//", "**", "is", "|", "@")
ANYTHING = (
    "", "a", "text", 0, -1, 2**63 - 1, 1.5, float("nan"), float("inf"), True, None, [], ["a", 1],
    {}, {"a": [1]}, [[{}]],
)  # fmt: skip


def worlds():
    """Values for expressions: full and empty settings, fields of every type."""
    for n, x in enumerate(ANYTHING):
        is_empty = n % 2
        values = {
            "s": "", "k": Secret(""), "i": 0, "f": 0.0, "b": False, "d": Duration(0), "l": (), "m": {},
        }  # fmt: skip
        if not is_empty:
            values = {
                "s": "a{}\"\\", "k": Secret("key"), "i": -(2**63), "f": -1e308, "b": True,
                "d": Duration(2**63 - 1), "l": ("a", ""), "m": {"a": "b"},
            }  # fmt: skip
        event = sample_event(list(Level)[n % 4])
        event = replace(event, data=replace(event.data, fields={"x": x}))
        own = SimpleNamespace(**values)
        yield {
            "config": own,
            "options": own,
            "event": event,
            "WORD": {Level.OK: "a"},
            "RANK": {Level.OK: 0},
            "reply": None,
        }


WORLDS = tuple(worlds())


def try_out(text, scope=SCOPE, worlds=WORLDS):
    """Refuse an expression, or run it everywhere; whether it was accepted."""
    try:
        code = compile_expression(text, scope)
    except ExpressionError as error:
        assert str(error)
        return False
    plain, shown = (
        compile(source(each.node), text, "eval")
        for each in (code.revealed(), code.as_text())
    )
    imported = bound(code.as_text().node, KNOWN)
    is_open = worlds is not WORLDS or "fields" in text or "data" in text
    for world in worlds if is_open else worlds[:2]:
        names = {**imported, **world}
        value = eval(plain, names)
        encode(value)
        bool(value)
        assert isinstance(eval(shown, names), str)
    return True


@pytest.mark.parametrize(
    "text",
    [
        "not not config.k",
        "not pick(config.s, not config.k)",
        "not (config.i and not config.l)",
        "not pick(not config.m, not pick(config.d, not opt.s))",
    ],
)
def test_the_opposite_of_an_opposite_is_a_truth_value(text):
    assert try_out(text)
    node = compile_expression(text, SCOPE).node
    for world in WORLDS:
        value = eval(
            compile(source(node), text, "eval"), {**bound(node, KNOWN), **world}
        )
        assert isinstance(value, bool)


@pytest.mark.parametrize("operator", BINARY)
def test_every_operator_takes_or_refuses_every_two_values(operator):
    taken = [
        try_out(f"{left} {operator} {right}")
        for left, right in some(itertools.product(ATOMS, repeat=2))
    ]
    assert any(taken)


@pytest.mark.parametrize("operator", REFUSED)
def test_other_operators_are_refused(operator):
    assert not any(
        try_out(f"{left} {operator} {right}")
        for left, right in zip(ATOMS, ATOMS[::-1], strict=True)
    )


@pytest.mark.parametrize(
    "form",
    ["not {}", "-{}", "{}.x", "{}.x.y", "{} if {} else 1", "[{}]", "{{'k': {}}}"],
)
def test_every_form_takes_or_refuses_every_value(form):
    for atom in ATOMS:
        try_out(form.replace("{}", atom).replace("{{", "{").replace("}}", "}"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_takes_or_refuses_every_values(name):
    function = FUNCTIONS[name]
    taken = 0
    for count in range(function.least, min(function.most, 3) + 1):
        others = ATOMS if count < 3 else ATOMS[::5]
        pairs = itertools.product(ATOMS, *[others] * (min(count, 2) - 1))
        for arguments in some(pairs) if count > 1 else pairs:
            rest = ["'b'"] * (count - len(arguments))
            taken += try_out(f"{name}({', '.join([*arguments, *rest])})")
    assert taken


ANSWERS = tuple(
    {"response": Answer(status, body)}
    for status in (200, 503)
    for body in (
        "",
        "null",
        "5",
        '"a"',
        "[1]",
        '{"x": null}',
        '{"x": [1], "y": {"a": 1}}',
        "<html>",
    )
)
REPLIES = (
    "reply",
    "reply.x",
    "reply.y.a",
    "status",
    "body",
    "error",
    "parse_error",
    "'a'",
    "400",
    "[1]",
    "None",
)


@pytest.mark.parametrize("operator", BINARY)
def test_answers_of_any_form_raise_nothing(operator):
    for left, right in some(itertools.product(REPLIES, repeat=2)):
        try_out(f"{left} {operator} {right}", ANSWER, ANSWERS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_answers_raise_nothing(name):
    least = FUNCTIONS[name].least
    for reply in REPLIES:
        try_out(
            f"{name}({', '.join([reply, *['body'] * (least - 1)])})", ANSWER, ANSWERS
        )


def combined(inner):
    pair = st.tuples(inner, inner)
    calls = [
        st.tuples(*[inner] * function.least).map(
            lambda values, name=name: f"{name}({', '.join(values)})"
        )
        for name, function in FUNCTIONS.items()
    ]
    return st.one_of(
        st.tuples(inner, st.sampled_from(BINARY), inner).map(
            lambda each: "(" + " ".join(each) + ")"
        ),
        inner.map(lambda each: f"(not {each})"),
        inner.map(lambda each: f"(-{each})"),
        pair.map(lambda each: f"[{each[0]}, {each[1]}]"),
        pair.map(lambda each: f"{{{each[0]}: {each[1]}}}"),
        st.tuples(inner, inner, inner).map(
            lambda each: "({} if {} else {})".format(*each)
        ),
        *calls,
    )


EXPRESSIONS = st.recursive(st.sampled_from(ATOMS), combined, max_leaves=6)


@settings(max_examples=share(4))
@given(EXPRESSIONS)
def test_any_expression_is_refused_or_runs(text):
    try_out(text)


SPEC = """\
[handler]
name = "quoll"
[config]
url = {{}}
{settings}
[option]
s = {{ default = "config.s" }}
i = {{ type = "int" }}
l = {{ default = "config.l" }}
[level.word]
OK = "a"
default = "b"
[level.rank]
OK = 0
default = 9
[let]
one = '''${{{first}}}'''
[[request]]
when = '''{second} or True'''
url = "${{config.url}}"
path = ['''p${{{second}}}''']
query = {{ "q?" = '''${{{second}}}''' }}
headers = {{ "X-H?" = '''${{b64({first})}}''' }}
[request.json]
first = "${{one}}"
"second?" = '''${{{second}}}'''
words = "${{level.word}} ${{level.rank}}"
list = [{{ "@for" = '''x in [one, {second}]''', "@value" = "${{x}}" }}]
"""


@given(EXPRESSIONS, EXPRESSIONS)
@example("1e308", "event.time")
@example("1e308", "event.duration == 1e300")
@example("config.i > 1e300", "9223372036854775808.0 == event.time")
@example("-1e308", "options.i < 10000000000000000000000.0")
@example("event.time > 1e308", "event.time == config.d")
def test_any_spec_is_refused_or_generated(first, second):
    fields = "\n".join(f'{key} = {{ type = "{name}" }}' for key, name in NAMES.items())
    text = SPEC.format(settings=fields, first=first, second=second)
    try:
        spec = parse(text, "quoll.toml")
        files = {
            file.path: render(file.template, spec)
            for file in places.files(spec.names, "runtime")
        }
    except SpecError as error:
        assert all(fault.line for fault in error.faults), error
        return
    for path, content in files.items():
        if path.suffix == ".py":
            compile(content, str(path), "exec")
