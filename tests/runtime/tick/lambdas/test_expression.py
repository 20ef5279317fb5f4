import pytest

from runtime.errors import ScriptError
from runtime.testing.frames import frame_of, points
from runtime.tick import ast, parser
from runtime.tick.lambdas import compile_lambda, constant, expression
from runtime.units import Duration

HINT = "see bool(), int(), float(), string(), duration()"


def _expression(source):
    [statement] = parser.parse(f"var x = {source}").statements
    return statement.value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "1 + 's' > 2",
            f"mismatched type to binary operator. got int + string. {HINT}",
        ),
        ("1 + 's'", f"mismatched type to binary operator. got int + string. {HINT}"),
        ("-'s' + 's' + 1", None),
        ("'a' =~ 'b'", None),
    ],
)
def test_check_finds_errors_that_need_no_data(parsed, source, expected):
    with pytest.raises(ScriptError) as caught:
        parsed(source).check()
    if expected is not None:
        assert str(caught.value).endswith(expected)


def test_check_says_where_inside_an_error_is(parsed):
    with pytest.raises(ScriptError) as caught:
        parsed("\"a\" > 1 AND abs(1 + 's') > 2.0").check()
    assert str(caught.value) == (
        "Failed to handle right node: Failed to handle left node: "
        "Failed to handle 1 argument: "
        f"mismatched type to binary operator. got int + string. {HINT}"
    )


@pytest.mark.parametrize(
    "source", ['"a" + 1 > 2.0', "nosuch(1)", "abs(1)", "1 / 0", "!TRUE", '"a"']
)
def test_check_lets_pass_what_depends_on_data(parsed, source):
    parsed(source).check()


@pytest.mark.parametrize(
    ("node", "name"),
    [
        (ast.StarNode(), "StarNode"),
        (ast.ListNode(()), "ListNode"),
        (ast.IdentifierNode("x"), "IdentifierNode"),
    ],
)
def test_not_everything_is_an_expression(node, name):
    with pytest.raises(ScriptError) as caught:
        compile_lambda(ast.LambdaNode(node))
    expected = f"Given node type is not valid evaluation node: *ast.{name}"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("10 * 3", 30),
        ("'a' + 'b'", "ab"),
        ("-7 / 2", -3),
        ("1.5 + 2.5", 4.0),
        ("2 * 1m", Duration(120_000_000_000)),
        ("!TRUE", False),
        ("-(3)", -3),
        ("1 > 0.5", True),
        ("TRUE", True),
    ],
)
def test_constant_expressions_give(source, expected):
    value = constant(_expression(source))
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 1.5", f"mismatched type to binary operator. got int + float. {HINT}"),
        ("1 / 0", "runtime error: integer divide by zero"),
        ("-'a'", "invalid arugument to '-' a"),
        ("!1", "invalid arugument to '!' 1"),
        ('"a" + 1', 'name "a" is undefined. Names in scope: '),
    ],
)
def test_constant_expressions_fail_with(source, expected):
    with pytest.raises(ScriptError) as caught:
        constant(_expression(source))
    assert str(caught.value) == expected


def test_only_what_is_used_of_a_lambda_is_compiled(parsed, monkeypatch):
    made = parsed('"v" > 1.0')
    assert made.columns(frame_of(points("m v=1 1\nm v=2 2"))).values.tolist() == [
        False,
        True,
    ]
    assert made.test(made.new_state(), 0, {"v": 3.0}, {})
    test = made.test
    monkeypatch.setattr(expression, "compiled", None)
    assert made.test is test
    with pytest.raises(TypeError):
        made.row(made.new_state(), 0, {"v": 3.0}, {})
