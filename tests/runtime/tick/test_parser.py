"""Kapacitor tick/ast/parser.go: grammar and error texts."""

import pytest

from runtime.errors import ScriptError
from runtime.tick import ast
from runtime.tick.parser import parse, parse_lambda

OPERAND = '"number","string","duration","identifier","TRUE","FALSE","==","(","-","!"'


def error_of(script: str) -> str:
    with pytest.raises(ScriptError) as caught:
        parse(script)
    return str(caught.value)


def statement(script: str) -> object:
    [only] = parse(script).statements
    return only


def value(script: str) -> object:
    declaration = statement(f"var x = {script}")
    assert isinstance(declaration, ast.DeclarationNode)
    return declaration.value


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            "stream|from(",
            'unexpected EOF line 1 char 13 in "ream|from(". expected: ' + OPERAND,
        ),
        (
            'stream|from()|alert().crit(lambda: "a" >)',
            'unexpected ) line 1 char 41 in "bda: "a" >)". expected: ' + OPERAND,
        ),
        (
            'stream|from().where(lambda: "a" = 1)',
            'unexpected = line 1 char 33 in "mbda: "a" = 1)". expected: ")"',
        ),
        (
            "stream|from().measurement('m'",
            'unexpected EOF line 1 char 30 in "rement(\'m\'". expected: ")"',
        ),
        (
            "stream|from()||log()",
            'unexpected | line 1 char 15 in "am|from()||log()". expected: "identifier"',
        ),
        (
            "stream|from() $",
            "unexpected unknown state, last char: '$' line 1 char 15"
            ' in "am|from() $". expected: ' + OPERAND,
        ),
        (
            "var x = 'abc",
            'unexpected unterminated string line 1 char 9 in "var x = \'abc".'
            " expected: " + OPERAND,
        ),
        (
            'var x = "abc',
            'unexpected unterminated field reference line 1 char 9 in "var x = "abc".'
            " expected: " + OPERAND,
        ),
        (
            "var x = /abc",
            'unexpected unterminated regex line 1 char 9 in "var x = /abc".'
            " expected: " + OPERAND,
        ),
        (
            "var x = 1.2.3",
            "unexpected multiple decimals in number line 1 char 9"
            ' in "var x = 1.2.3". expected: ' + OPERAND,
        ),
        ("var x = 09", 'illegal number syntax: "09"'),
        (
            "var x = 9223372036854775808",
            'illegal number syntax: "9223372036854775808"',
        ),
        (f"var x = {'9' * 5000}s", f"overflowed duration {'9' * 5000}s"),
        ("var x = /(/", "error parsing regexp: missing closing ): `(`"),
        (
            "stream|from()|window().period(1h30m)",
            'unexpected duration line 1 char 33 in ".period(1h30m)". expected: ")"',
        ),
        (
            "var s = [1]",
            'unexpected number line 1 char 10 in "var s = [1]".'
            ' expected: "identifier","string","*"',
        ),
        (
            "dbrp 'a'.'b'",
            "unexpected string line 1 char 6 in \"dbrp 'a'.'b'\"."
            ' expected: "reference"',
        ),
        (
            "bogus(",
            'unexpected EOF line 1 char 7 in "bogus(". expected: ' + OPERAND,
        ),
        ("stream|from", 'unexpected EOF line 1 char 12 in "tream|from". expected: "("'),
        (
            "var _a = 1",
            "unexpected unknown state, last char: '_' line 1 char 5"
            ' in "var _a = 1". expected: "identifier"',
        ),
        (
            "a\n\n\nvar b = stream.window(\nb.period(10s)",
            'unexpected EOF line 5 char 14 in "eriod(10s)". expected: ")"',
        ),
        (
            "var é = 'é' é(1 = 2)",
            'unexpected = line 1 char 20 in "\'é\' é(1 = 2)". expected: ")"',
        ),
    ],
)
def test_errors_read_as_kapacitors(script: str, text: str) -> None:
    assert error_of(script) == f"parser: {text}"


def test_hash_is_no_comment() -> None:
    assert "last char: '#'" in error_of("# note")


def test_lambda_needs_its_colon_at_once() -> None:
    assert "last char: ':' line 1 char 16" in error_of("var x = lambda : 1")


@pytest.mark.parametrize("script", ["a && b", "a || b", "var x = 1 <> 2"])
def test_other_languages_operators_are_errors(script: str) -> None:
    assert error_of(script).startswith("parser: unexpected")


def test_newlines_do_not_separate_statements() -> None:
    script = "var a = 1 var b = 2 stream|from()|log() stream|from()|log()"
    assert len(parse(script).statements) == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("010", 8),
        ("10", 10),
        ("0", 0),
        ("1.", 1.0),
        (".5", 0.5),
        ("9223372036854775807", 9223372036854775807),
    ],
)
def test_numbers(text: str, expected: float) -> None:
    number = value(text)
    assert isinstance(number, ast.NumberNode)
    assert number.value == expected
    assert type(number.value) is type(expected)


def test_exponents_are_two_tokens() -> None:
    assert len(parse("var x = 1e3").statements) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10u", 10_000), ("10µ", 10_000), ("10ms", 10_000_000), ("2w", 1_209_600 * 10**9)],
)
def test_durations(text: str, expected: int) -> None:
    assert value(text) == ast.DurationNode(expected)


@pytest.mark.parametrize("text", ["1h30m", "1.5h", "10ns", "10us", "10µs"])
def test_durations_have_one_unit(text: str) -> None:
    assert len(parse(f"var x = {text}").statements) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"'a\'b'", "a'b"),
        (r"'a\nb'", r"a\nb"),
        ("''", ""),
        ("''''''", ""),
        ("'''it's \\'''", "it's \\"),
        ("'two\nlines'", "two\nlines"),
    ],
)
def test_strings(text: str, expected: str) -> None:
    assert value(text) == ast.StringNode(expected)


def test_a_string_cannot_end_in_a_backslash() -> None:
    assert "unterminated string" in error_of(r"var x = 'a\'")


def test_references_escape_quotes_only() -> None:
    lambda_node = parse_lambda(r'"a\"b\c"')
    assert lambda_node.expression == ast.ReferenceNode('a"b\\c')


def test_regexes_escape_slashes() -> None:
    assert value(r"/a\/b\d/") == ast.RegexNode(r"a/b\d")


def test_slash_after_an_operand_divides() -> None:
    assert value("6 / 2 / 1") == ast.BinaryNode(
        "/",
        ast.BinaryNode("/", ast.NumberNode(6), ast.NumberNode(2)),
        ast.NumberNode(1),
    )


def test_minus_after_an_operand_subtracts() -> None:
    assert parse_lambda('"v"-1').expression == ast.BinaryNode(
        "-", ast.ReferenceNode("v"), ast.NumberNode(1)
    )


def test_minus_binds_to_the_next_operand_only() -> None:
    assert parse_lambda('-"a" + 1').expression == ast.BinaryNode(
        "+", ast.UnaryNode("-", ast.ReferenceNode("a")), ast.NumberNode(1)
    )


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("1 < 2 == TRUE", "(1 < 2) == TRUE"),
        ("TRUE OR FALSE AND FALSE", "TRUE OR (FALSE AND FALSE)"),
        ("2 + 3 * 4 % 5", "2 + ((3 * 4) % 5)"),
        ("1 - 2 - 3", "(1 - 2) - 3"),
        ("1 == 2 AND 3 * 4 + 5 > 6 OR TRUE", "((1==2) AND (((3*4)+5) > 6)) OR TRUE"),
    ],
)
def test_precedence(text: str, grouped: str) -> None:
    assert parse_lambda(text) == parse_lambda(grouped)


def test_trailing_commas_are_allowed() -> None:
    assert value("f(1, 2,)") == value("f(1, 2)")
    assert value("['a', *,]") == ast.ListNode((ast.StringNode("a"), ast.StarNode()))


def test_functions_in_lambdas_take_no_lambda() -> None:
    assert "unexpected lambda" in error_of("var x = lambda: f(lambda: 1)")


def test_words_like_true_are_identifiers() -> None:
    assert value("true") == ast.IdentifierNode("true")


def test_comments_stay_with_what_follows() -> None:
    program = parse("// one\n//two\nvar x = 1\nstream // three\n|from() // four")
    declaration, chain = program.statements
    assert declaration.comments == ("one", "two")
    assert chain.comments == ("three",)
    assert program.comments == ("four",)


def test_positions_count_bytes() -> None:
    chain = statement("é|from()")
    assert isinstance(chain, ast.ChainNode)
    assert (chain.position, chain.right.position) == (2, 3)


def test_template_variables_and_dbrps() -> None:
    program = parse('var x int dbrp "db"."r p"')
    assert program.statements == (
        ast.TypeDeclarationNode("x", "int"),
        ast.DBRPNode("db", "r p"),
    )


def test_hostile_nesting_is_refused() -> None:
    assert error_of("var x = " + "(" * 5000) == (
        "parser: expression is nested too deeply"
    )


def test_hostile_scripts_are_refused() -> None:
    variables = "".join(f"var v{number} = 1\n" for number in range(5001))
    assert error_of(variables) == "parser: script has more than 5000 statements"
    assert len(parse(variables.partition("\n")[2]).statements) == 5000
    assert error_of("var x = [" + "'a'," * 250_000) == "parser: script is too long"


def test_hostile_length_is_refused() -> None:
    assert error_of("var x = 1" + "+1" * 5000) == "parser: expression is too long"


def test_long_conditions_are_fine() -> None:
    condition = " OR ".join(f"\"host\" == '{n}'" for n in range(300))
    assert parse_lambda(condition)
