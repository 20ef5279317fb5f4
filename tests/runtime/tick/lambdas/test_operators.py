import math

import pytest

from runtime.tick import ast
from runtime.tick.lambdas.build import build
from runtime.tick.lambdas.rows import compiled
from runtime.tick.lambdas.state import State
from runtime.units import Duration

HINT = "see bool(), int(), float(), string(), duration()"
LEAST = -(2**63)
GREATEST = 2**63 - 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("TRUE AND FALSE", False),
        ("TRUE OR FALSE AND FALSE", True),
        ("1 < 2 == TRUE", True),
        ("2 + 3 * 4 % 5", 4),
        ("-7 / 2", -3),
        ("7 / -2", -3),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("7.0 / 2.0", 3.5),
        ("1.0 / 0.0", math.inf),
        ("-1.0 / 0.0", -math.inf),
        ("'a' + 'b'", "ab"),
        ("1 == 1.0", True),
        ("1 != 1.5", True),
        ("2 >= 1.5", True),
        ("'a' < 'b'", True),
        ("'Z' < 'a'", True),
        ("'é' > 'z'", True),
        ("TRUE == TRUE", True),
        ("TRUE != FALSE", True),
        ("!TRUE", False),
        ("-'1' == '1'", None),
        ("1s + 1m == 61s", True),
        ("1m > 1s", True),
        ("1m - 1s", Duration(59_000_000_000)),
        ("2 * 1s", Duration(2_000_000_000)),
        ("1s * 2", Duration(2_000_000_000)),
        ("1s * 1.5", Duration(1_500_000_000)),
        ("0.5 * 1s", Duration(500_000_000)),
        ("3s / 2", Duration(1_500_000_000)),
        ("3s / 2.0", Duration(1_500_000_000)),
        ("7s / 2s", 3),
        ("-1s", Duration(-1_000_000_000)),
        ("'abc' =~ /b/", True),
        ("'abc' !~ /b/", False),
        ("'abc' =~ /^b/", False),
        ("'a\n' =~ /a$/", False),
    ],
)
def test_operators_give(evaluate, error, source, expected):
    if expected is None:
        assert error(source) == "invalid math operator - for type string"
        return
    value = evaluate(source)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("source", "a", "b", "expected"),
    [
        ('"a" + "b"', GREATEST, 1, LEAST),
        ('"a" - "b"', LEAST, 1, GREATEST),
        ('"a" * "b"', 2**62, 2, LEAST),
        ('-"a" + "b"', LEAST, 0, LEAST),
        ('"a" / "b"', LEAST, -1, LEAST),
        ('"a" % "b"', LEAST, -1, 0),
        ('"a" + "b"', 1.5, 2.5, 4.0),
        ('"a" + "b"', "x", "y", "xy"),
        ('"a" > "b"', 2, 1.5, True),
        ('"a" == "b"', 2**53 + 1, float(2**53), True),
        ('"a" == "b"', 2**53 + 1, 2**53, False),
        ('"a" > 9007199254740992.0 AND "b"', 2**53 + 1, True, False),
        ('"a" > 9007199254740991.0 AND "b"', 2**53 + 1, True, True),
        ('"a" == "b"', math.nan, math.nan, False),
        ('"a" != "b"', math.nan, math.nan, True),
        ('"a" AND "b"', True, False, False),
        ('"a" OR "b"', True, False, True),
    ],
)
def test_operators_on_fields_give(evaluate, source, a, b, expected):
    value = evaluate(source, {"a": a, "b": b})
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("source", ['"a" / 0.0', '0.0 / 0.0 + "a"', '"a" / "b"'])
def test_zero_by_zero_is_no_number(evaluate, source):
    assert math.isnan(evaluate(source, {"a": 0.0, "b": -0.0}))


def test_infinity_has_the_sign_of_the_zero(evaluate):
    assert evaluate('"a" / "b"', {"a": 1.0, "b": -0.0}) == -math.inf


@pytest.mark.parametrize("operator", ["/", "%"])
@pytest.mark.parametrize("source", ['"i" {} 0', '1 {} "z"', "1s {} 0", "1s {} 0s"])
def test_dividing_by_the_integer_zero_is_an_error(error, operator, source):
    if operator == "%" and "s" in source:
        return
    expected = "runtime error: integer divide by zero"
    assert error(source.format(operator), {"i": 3, "z": 0}) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"i" + 1.0', f"mismatched type to binary operator. got int + float. {HINT}"),
        ('"s" > 1', f"mismatched type to binary operator. got string > int. {HINT}"),
        ('1 == "s"', f"mismatched type to binary operator. got int == string. {HINT}"),
        ('"b" == 1', f"mismatched type to binary operator. got boolean == int. {HINT}"),
        (
            '"s" =~ "s"',
            f"mismatched type to binary operator. got string =~ string. {HINT}",
        ),
        ('"f" =~ /x/', "invalid comparison operator =~ for type float"),
        ('"s" - "s"', "invalid math operator - for type string"),
        ('"b" < TRUE', "invalid comparison operator < for type boolean"),
        ('"time" > "time"', "invalid comparison operator > for type time"),
        ('"i" AND TRUE', "invalid logical operator AND for type int"),
        (
            'TRUE OR "f"',
            "mismatched type to binary operator. got boolean OR float."
            " see bool(), int(), float(), string(), duration()",
        ),
        (
            'TRUE OR "f" + 1.0',
            "mismatched type to binary operator. got boolean OR float."
            " see bool(), int(), float(), string(), duration()",
        ),
        ('"f" % 2.0', "invalid math operator % for type float"),
        (
            '!"i"',
            "TypeGuard: expression returned unexpected type int, expected boolean",
        ),
        ('-"s"', "invalid math operator - for type string"),
    ],
)
def test_wrong_types_are_named(error, source, expected):
    assert error(source, {"i": 1, "f": 1.0, "s": "x", "b": True}) == expected


def test_types_are_resolved_for_every_point(parsed):
    condition = parsed('"v" > 1')
    state = condition.new_state()
    values = [2, 3.5, 1, 0.5]
    results = [condition.row(state, 0, {"v": value}, {}) for value in values]
    assert results == [True, True, False, False]


def test_a_long_chain_works(evaluate):
    source = " OR ".join(f'"v" == {number}' for number in range(200))
    assert evaluate(source, {"v": 199}) is True


def test_code_that_python_cannot_nest_is_evaluated():
    node = ast.BinaryNode("+", ast.ReferenceNode("v"), ast.NumberNode(1))
    for _ in range(250):
        node = ast.BinaryNode("+", ast.NumberNode(1), node)
    root = build(node)
    row = compiled(root, root.value)
    assert row.__name__ == "begun"
    assert row(State(), 0, {"v": 1}, {}) == 252
