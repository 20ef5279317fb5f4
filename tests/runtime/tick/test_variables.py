"""Variables in the API: Kapacitor client/v1 Vars, services/task_store vars."""

import pytest

from runtime.errors import ScriptError
from runtime.tick import ast
from runtime.tick.parser import parse_lambda
from runtime.tick.variables import Var, decode, encode
from runtime.units import Duration


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("bool", True, True),
        ("int", 5, 5),
        ("float", 5, 5.0),
        ("string", "a", "a"),
        ("regex", "a|b", ast.RegexNode("a|b")),
        ("duration", 1000, Duration(1000)),
        ("duration", "1h", Duration(3600 * 10**9)),
        ("lambda", '"a" > 1', parse_lambda('"a" > 1')),
        (
            "list",
            [{"type": "string", "value": "a"}, {"type": "star"}],
            (Var("string", "a"), Var("star", ast.StarNode())),
        ),
        ("star", None, ast.StarNode()),
        ("int", None, None),
    ],
)
def test_values_are_decoded(kind: str, value: object, expected: object) -> None:
    var = decode("a", {"type": kind, "value": value, "description": "d"})
    assert var == Var(kind, expected, "d")
    assert type(var.value) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("bool", "yes", "unexpected var type bool, value is a string"),
        ("int", True, "unexpected var type int, value is a bool"),
        ("string", 5, "unexpected var type string, value is a json.Number"),
        ("list", "a", "unexpected var type list, value is a string"),
        ("string", [], "unexpected var type string, value is a []interface {}"),
        ("regex", "(", "error parsing regexp: missing closing ): `(`"),
    ],
)
def test_values_must_fit_their_type(kind: str, value: object, text: str) -> None:
    with pytest.raises(ScriptError) as caught:
        decode("a", {"type": kind, "value": value})
    assert str(caught.value) == f"invalid var a: {text}"


def test_unknown_types_are_refused() -> None:
    with pytest.raises(ScriptError, match='unknown VarType "foo"'):
        decode("a", {"type": "foo", "value": 1})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bool", True),
        ("int", 5),
        ("float", 5.5),
        ("string", "a"),
        ("regex", "a|b"),
        ("duration", 1000),
        ("lambda", '"a" > 1'),
        ("list", [{"type": "string", "value": "a"}, {"type": "star", "value": None}]),
        ("star", None),
        ("string", None),
    ],
)
def test_what_is_encoded_decodes_to_the_same(kind: str, value: object) -> None:
    data = {"type": kind, "value": value, "description": "why"}
    assert encode(decode("a", data)) == data
