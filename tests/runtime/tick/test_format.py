"""Kapacitor tick/ast/node.go, Format: the layout of scripts."""

import json
from pathlib import Path

import pytest

from runtime.errors import ScriptError
from runtime.tick import ast
from runtime.tick.format import expression_text, format
from runtime.tick.parser import parse, parse_lambda


def test_the_layout_of_a_chain() -> None:
    script = "stream|from().measurement('cpu')|alert()" + (
        ".crit(lambda:\"u\"<10).hipChat().room('a')"
    )
    assert format(parse(script)) == (
        "stream\n"
        "    |from()\n"
        "        .measurement('cpu')\n"
        "    |alert()\n"
        '        .crit(lambda: "u" < 10)\n'
        "        .hipChat()\n"
        "        .room('a')\n"
    )


@pytest.mark.parametrize(
    ("script", "formatted"),
    [
        ("var a=1 var b   int", "var a = 1\n\nvar b int\n"),
        ('dbrp "d"."r"\nvar x=010', 'dbrp "d"."r"\n\nvar x = 010\n'),
        ("var x = (1)", "var x = 1\n"),
        ("var x = ((1+2))*-3", "var x = (1 + 2) * -3\n"),
        ('var x = lambda:  !("a"  OR f(1,2))', 'var x = lambda: !("a" OR f(1, 2))\n'),
        (r"var x = 'it\'s'", "var x = 'it\\'s'\n"),
        (r"var x = '''it's'''", "var x = '''it's'''\n"),
        ("var x = [ 'a',b , *, ]", "var x = ['a', b, *]\n"),
        (r"var x = /a\/b/", "var x = /a\\/b/\n"),
        ("var x = 60m", "var x = 60m\n"),
        ("var x = f(\n1,2)", "var x = f(\n    1,\n    2\n)\n"),
        ("var x = f(\n)", "var x = f()\n"),
        (
            "stream|from().groupBy(\n'a',\n'b')@udf()",
            "stream\n"
            "    |from()\n"
            "        .groupBy(\n"
            "            'a',\n"
            "            'b'\n"
            "        )\n"
            "    @udf()\n",
        ),
        (
            'var x = lambda: "a" > 1 AND\n"b" > 2',
            'var x = lambda: "a" > 1 AND\n"b" > 2\n',
        ),
        (
            "//one\n//\n// two\nvar x = 1 // three\nstream//four\n|//five\nfrom()",
            "// one\n//\n// two\nvar x = 1\n\n// three\nstream\n"
            "    // four\n    |\n    // five\n    from()\n",
        ),
        ("var x = 1 // last", "var x = 1\n\n// last\n\n"),
        ("var x = 1.", "var x = 1.0\n"),
        ("var x = .5", "var x = 0.5\n"),
        ('dbrp "a\\"b"."c"', 'dbrp "a\\"b"."c"\n'),
        ("", ""),
    ],
)
def test_layout(script: str, formatted: str) -> None:
    assert format(parse(script)) == formatted
    assert format(parse(formatted)) == formatted


def test_a_text_of_several_lines_does_not_spread_its_call() -> None:
    script = "batch\n    |query('''\n  SELECT 1\n''')\n"
    assert format(parse(script)) == script


@pytest.mark.parametrize(
    "script",
    [
        "var x = f(\n    // why\n    1,\n    2\n)\n",
        "var x = [\n// why\n'a', b]\n",
        "var x = lambda: \n// why\n1\n",
        "var x = \n// why\n1\n",
        "var x = 1 +\n// why\n2\n",
        "// a\n//    .slack()\n\n// another paragraph\nstream\n",
    ],
)
def test_comments_within_a_statement_survive(script: str) -> None:
    assert format(parse(script)) == script


def test_scripts_are_formatted_as_by_kapacitor() -> None:
    """A table made by Kapacitor's formatter: a script, what comes of it, or the error."""
    table = (Path(__file__).parent / "formatted_by_go.jsonl").read_text()
    wrong = []
    for line in table.splitlines():
        script, formatted, error = json.loads(line)
        try:
            found = format(parse(script)), None
        except ScriptError as fault:
            found = None, str(fault)
        if found != (formatted, error):
            wrong.append((script, (formatted, error), found))
    assert wrong == []


@pytest.mark.parametrize(
    "script",
    [
        'stream|where(lambda: "a" // why\n > 1)',
        "stream|a(1 // why\n, 2)",
        "stream|a(1, 2 // why\n)",
        "var x = // why\n 1",
        "var // why\n x = 1",
        "var x // why\n = 1",
        "var l = [ // why\n 'a' // why not\n]",
        "var x = ( // why\n 1 + // why\n 2 // why\n) * 3",
    ],
)
def test_no_comment_is_lost(script: str) -> None:
    formatted = format(parse(script))
    assert formatted.count("// why") == script.count("// why")
    assert format(parse(formatted)) == formatted


def test_an_expression_on_its_own() -> None:
    assert expression_text(parse_lambda('"a">1.0').expression) == '"a" > 1.0'


def test_lambdas_inside_of_operators_are_opened() -> None:
    inner = parse_lambda('"a" OR "b"')
    outer = ast.BinaryNode("AND", inner, ast.UnaryNode("!", parse_lambda('"c"')))
    assert expression_text(outer) == '("a" OR "b") AND !"c"'


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.0"), (-2, "-2"), (1e21, "1000000000000000000000.0"), (1e-7, "0.0000001")],
)
def test_numbers_have_no_exponent(value: float, text: str) -> None:
    assert expression_text(ast.NumberNode(value)) == text
