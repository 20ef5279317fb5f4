import ast

import black
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.expressions.code import ExpressionError, Type, dotted
from scaffold.expressions.compiler import compile_expression
from scaffold.expressions.functions import FUNCTIONS
from scaffold.layout.fit import fit_module
from scaffold.layout.printer import literal, source, statement
from scaffold.spec.model.settings import TYPES, ConfigField, LevelMap, Option
from scaffold.spec.scopes import of_event

CONFIG = [
    ConfigField(key, TYPES[type_], TYPES[type_].empty)
    for key, type_ in (
        *(("room", "str"), ("token", "secret"), ("count", "int"), ("on", "bool")),
        *(("teams", "list[str]"), ("labels", "map[str]"), ("from", "str")),
    )
]
OPTIONS = [Option("room", TYPES["str"], ""), Option("token", TYPES["secret"], "")]
LEVELS = [
    LevelMap("color", {"OK": "green"}, "red"),
    LevelMap("rank", {"OK": 0, "INFO": 1, "WARNING": 2, "CRITICAL": 3}, 0),
]
SCOPE = of_event(CONFIG, OPTIONS, LEVELS)


def python(text):
    return source(compile_expression(text, SCOPE).revealed().node)


def refused(text):
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, SCOPE)
    return caught.value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("config.room", "config.room"),
        ("config.from_", "config.from_"),
        ("opt.room or config.room", "options.room or config.room"),
        ("opt.token or config.token", "(options.token or config.token).reveal()"),
        ("opt.token or config.room", "options.token.reveal() or config.room"),
        (
            "config.room if config.token else 'x'",
            'config.room if config.token else "x"',
        ),
        ("event.id", "event.state.id"),
        ("event.task", "event.data.task_name"),
        ("event.level", "str(event.state.level)"),
        ("event.level == 'OK'", "event.state.level == Level.OK"),
        ("'OK' != event.previous_level", "Level.OK != event.previous_level"),
        ("event.level >= 'WARNING'", "event.state.level >= Level.WARNING"),
        (
            "event.level in ['OK', 'INFO']",
            "event.state.level in (Level.OK, Level.INFO)",
        ),
        ("event.tags.host", 'event.data.tags.get("host", "")'),
        ("get(event.tags, 'a-b', 'none')", 'event.data.tags.get("a-b", "none")'),
        ("event.fields.usage", 'get(event.data.fields, "usage")'),
        ("event.row.name", "first_row(event).name"),
        ("level.color", 'COLOR.get(event.state.level, "red")'),
        ("level.rank", "RANK[event.state.level]"),
        ("lower(event.message)", "event.state.message.lower()"),
        ("truncate(event.message, 10)", "event.state.message[:10]"),
        (
            "truncate(event.message, 10, '…')",
            'truncated(event.state.message, 10, "…")',
        ),
        (
            "truncate(event.message, config.count)",
            "truncated(event.state.message, config.count)",
        ),
        ("truncate(event.message, -1)", "truncated(event.state.message, -1)"),
        (
            "truncate(event.message, 9, '', 'bytes')",
            'truncated(event.state.message, 9, "", "bytes")',
        ),
        ("int(config.room) + 1", "integer(config.room) + 1"),
        ("first(config.teams)", "first(config.teams)"),
        ("first(event.fields.x)", 'first(items_of(get(event.data.fields, "x")))'),
        ("join(nonempty(config.teams), ',')", '",".join(nonempty(config.teams))'),
        ("join(config.teams, ', ')", '", ".join(config.teams)'),
        ("config.count * 2 + 1", "config.count * 2 + 1"),
        ("(config.count + 1) * 2", "(config.count + 1) * 2"),
        ("-config.count", "-config.count"),
        ("not config.on", "not config.on"),
        ("not config.room == 'a'", 'config.room != "a"'),
        ("not (config.on or config.room)", "not config.on and not config.room"),
        ("config.on == True", "config.on is True"),
        ("config.on and config.room or 'x'", '(config.on and config.room) or "x"'),
        ("config.room in ['a', 'b']", 'config.room in ("a", "b")'),
        ("pick(opt.room, config.room)", "options.room or config.room"),
        ("text(config.count)", "str(config.count)"),
        ("rfc3339(event.time, 3)", "rfc3339(event.state.time, 3)"),
        ("json(event.result)", "dumps(result_tree(event))"),
        ("{'a': config.room}", '{"a": config.room}'),
        ("{event.fields.x: 1}", '{text(get(event.data.fields, "x")): 1}'),
        ("event.fields.x > 90", 'more(get(event.data.fields, "x"), 90)'),
        ("90 > event.fields.x", 'more(90, get(event.data.fields, "x"))'),
        ("event.fields.x <= 'a'", 'at_most(get(event.data.fields, "x"), "a")'),
        (
            "not event.fields.x < event.fields.y",
            'not less(get(event.data.fields, "x"), get(event.data.fields, "y"))',
        ),
        ("'a' in event.fields.x", 'contains(get(event.data.fields, "x"), "a")'),
        ("'a' not in event.fields.x", 'not contains(get(event.data.fields, "x"), "a")'),
        ("event.fields.x in ['a', 1]", 'get(event.data.fields, "x") in ("a", 1)'),
        ("join([event.fields.x], ',')", 'joined([get(event.data.fields, "x")], ",")'),
        ("join([1, 2.5, True], ',')", 'joined([1, 2.5, True], ",")'),
        ("join(['a', config.room], ',')", '",".join(["a", config.room])'),
        ("len(event.fields.x)", 'length(get(event.data.fields, "x"))'),
        ("config.teams == ['a']", 'config.teams == ("a",)'),
        ("[1] + config.teams", "[1, *config.teams]"),
        ("1e-400", "0.0"),
        ("True", "True"),
        ("None", "None"),
    ],
)
def test_becomes_plain_python(text, wanted):
    assert python(text) == wanted
    ast.parse(wanted)


@pytest.mark.parametrize(
    ("text", "wanted", "suggestion"),
    [
        ("confg.room", "unknown name 'confg'", "config"),
        ("config.rom", "unknown name 'config.rom'", "config.room"),
        ("event.mesage", "unknown name 'event.mesage'", "event.message"),
        ("true", "unknown name 'true'", "True"),
        ("lowr(event.id)", "unknown function 'lowr'", "lower"),
        ("event.level == 'CRIT'", "unknown level 'CRIT'", "CRITICAL"),
        ("config.from", "'config.from' is not an expression", "'config.from_'"),
        ("config", "'config' needs a key", ""),
        ("truncate(event.id)", "truncate() is called with", ""),
        ("truncate(event.id, 'x')", "truncate() takes an integer, not a string", ""),
        (
            "truncate(event.id, 3, '', 'byte')",
            "the last argument of truncate() is the unit of its length",
            "",
        ),
        ("truncate(event.id, 3, '', config.room)", "is the unit of its length", ""),
        ("int(config.teams)", "int() takes a number or a string, not a list", ""),
        ("first(config.room)", "first() takes a list, not a string", ""),
        ("nonempty(config.labels)", "nonempty() takes a list, not a map", ""),
        ("matches(event.id, '(')", "'(' is not an RE2 regular expression", ""),
        ("matches(event.id, config.room)", "in quotes", ""),
        (
            "unix(event.fields.t)",
            "unix() takes a time or a duration, not a value of any type",
            "",
        ),
        (
            "rfc3339(event.fields.t)",
            "rfc3339() takes a time or a duration, not a value",
            "",
        ),
        (
            "duration(event.fields.t)",
            "duration() takes a time or a duration, not a value",
            "",
        ),
        ("rfc3339(event.time * 1000)", "this number can exceed", ""),
        ("len(event.time)", "len() takes a string, a list or a map, not a time", ""),
        ("len(config.count)", "len() takes a string, a list or a map", ""),
        ("len(config.on)", "len() takes a string, a list or a map", ""),
        ("1e400", "a number must be below", ""),
        ("-1e400", "a number must be below", ""),
        ("9223372036854775808", "does not fit 64 bits", ""),
        ("*".join(["config.count"] * 15), "a product of integers can exceed", ""),
        ("null", "unknown name 'null'", "None"),
        ("nil", "unknown name 'nil'", "None"),
        ("TRUE", "unknown name 'TRUE'", "True"),
        ("nan", "unknown name 'nan'", ""),
        ("event.fields.x / 2", "unknown operator '/'", ""),
        ("5 % 2", "unknown operator '%'", ""),
        ("5 // 2", "unknown operator '//'", ""),
        ("2 ** 8", "unknown operator '**'", ""),
        (
            "config.teams < ['a']",
            "compares the order of a list of strings and a list of strings",
            "",
        ),
        ("config.labels < config.labels", "compares the order of a map", ""),
        (
            "event.fields.x < True",
            "compares the order of a value of any type and a boolean",
            "",
        ),
        ("config.count in config.room", "searches for an integer in a string", ""),
        ("config.count in config.labels", "searches for an integer in a map", ""),
        ("config.count in config.teams", "in a list of strings", ""),
        ("'\\ud800'", "contains a lone surrogate", ""),
        ("join(config.teams, '\n')", "has a line end inside quotes", ""),
        ("matches(event.id, '(?=a)')", "not an RE2 regular expression", ""),
        ("matches(event.id, '(a)\\\\1')", "not an RE2 regular expression", ""),
        ("matches(event.id, 'a{2000}')", "not an RE2 regular expression", ""),
        ("config.room + 1", "combines a string and an integer", ""),
        ("config.room < 1", "compares the order of a string and an integer", ""),
        ("1 < config.count < 5", "compares more than two values", ""),
        ("config.room is 'a'", "unknown operator 'is'", ""),
        ("event.id.upper()", "is not a function", ""),
        ("event.id.__class__", "has no attributes", ""),
        ("config.__class__", "unknown name 'config.__class__'", ""),
        ("__import__('os')", "unknown function '__import__'", ""),
        ("(lambda: 1)()", "is not a function", ""),
        ("[x for x in config.teams]", "is not allowed in expressions", ""),
        ("f'{config.room}'", "is not allowed in expressions", ""),
        ("config.teams[0]", "is not allowed in expressions", ""),
        ("(x := 1)", "is not allowed in expressions", ""),
        ("b'x'", "is not a string, number", ""),
        ("...", "is not a string, number", ""),
        ("1j", "is not a string, number", ""),
        ("pick(*config.teams)", "give them in order", ""),
        ("{**event.tags}", 'unknown operator "**"', ""),
        ("import os", "is not an expression", ""),
        ("config.room; 1", "is not an expression", ""),
        ("a\x00b", "is not an expression", ""),
        ("", "is not an expression", ""),
        ("not " * 400 + "config.on", "deeper than 40", ""),
        ("(" * 300 + "1" + ")" * 300, "is not an expression", ""),
        ("1 +" * 1000 + "1", "more than 2000 characters", ""),
    ],
)
def test_is_refused(text, wanted, suggestion):
    error = refused(text)
    assert wanted in str(error)
    assert error.suggestion == suggestion


def test_what_a_piece_reads():
    code = compile_expression("get(event.fields, config.room, level.color)", SCOPE)
    assert code.reads == {"config.room"}
    assert code.type is Type.ANY


def test_every_function_shows_how_it_is_written():
    for name, function in FUNCTIONS.items():
        assert function.signature.startswith(f"{name}(")
        assert function.meaning


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a", '"a"'),
        ('say "hi"', "'say \"hi\"'"),
        ("it's", '"it\'s"'),
        ('it\'s "x"', '"it\'s \\"x\\""'[:0] + "'it\\'s \"x\"'"),
        ("\n\r\x00\u2028\u202e", '"\\n\\r\\x00\\u2028\\u202e"'),
        ("\\", '"\\\\"'),
        ("é€", '"é€"'),
        (True, "True"),
        (1.5, "1.5"),
    ],
)
def test_literals_are_written_as_black_writes_them(value, wanted):
    assert literal(value) == wanted
    assert ast.literal_eval(literal(value)) == value


NAMES = st.sampled_from(["x", "event.state.message", "options.a_long_name"])
TEXTS = st.text(alphabet="ab'\"\\{}\n é", max_size=30).map(
    lambda text: ast.Constant(text)
)
LEAVES = st.one_of(NAMES.map(dotted), TEXTS, st.just(ast.Constant(3)))


def trees(inner):
    items = st.lists(inner, max_size=4)
    return st.one_of(
        items.map(lambda nodes: ast.List(nodes)),
        st.lists(st.tuples(TEXTS, inner), max_size=4).map(
            lambda pairs: ast.Dict(
                [key for key, _ in pairs], [each for _, each in pairs]
            )
        ),
        items.map(lambda nodes: ast.Call(ast.Name("function"), nodes, [])),
        st.tuples(inner, inner, inner).map(lambda nodes: ast.IfExp(*nodes)),
        st.tuples(inner, inner).map(lambda pair: ast.BoolOp(ast.Or(), [*pair])),
        st.tuples(inner, inner).map(
            lambda pair: ast.Compare(pair[0], [ast.NotEq()], [pair[1]])
        ),
        inner.map(lambda node: ast.UnaryOp(ast.Not(), node)),
    )


@given(st.recursive(LEAVES, trees, max_leaves=12), st.sampled_from([0, 4, 8, 12]))
def test_statements_are_laid_out_as_black_lays_them_out(node, indent):
    module = "".join(f"{' ' * at}if x:\n" for at in range(0, indent, 4))
    module += f"{' ' * indent}{statement('body = ', node)}\n"
    made = fit_module(module)
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(module))
    assert black.format_str(made, mode=black.Mode()) == made
