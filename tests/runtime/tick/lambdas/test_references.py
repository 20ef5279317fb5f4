import pytest

from runtime.errors import EvaluationError
from runtime.tick.lambdas import predicate
from runtime.units import Duration


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"f" > 1', 'left reference value "f" is missing value'),
        ('1 < "f"', 'right reference value "f" is missing value'),
        ('"f" == "g"', 'left reference value "f" is missing value'),
        ('"f" * 2.0 > 1.0', "invalid math operator * for type missing"),
        ('"f" * 2.0', "invalid math operator * for type missing"),
        ('"f"', 'missing value: "f"'),
        ('!"f"', 'reference "f" is missing value'),
        (
            'abs("f") > 1.0',
            'Cannot call function "abs" argument "f" is missing, '
            "values in scope are []",
        ),
        (
            'max("f", "g") > "h"',
            'Cannot call function "max" arguments "f", "g" are missing, '
            'values in scope are ["h"]',
        ),
        (
            'if("f" > 1.0, 1, 2) == 1',
            'Failed to handle 1 argument: left reference value "f" is missing value',
        ),
        (
            'if(isPresent("f"), "f", 0.0)',
            'Cannot call function "if" argument "f" is missing, '
            "values in scope are []",
        ),
        ('isPresent("f") AND "f"', 'right reference value "f" is missing value'),
        (
            'TRUE OR bool("f")',
            'Cannot call function "bool" argument "f" is missing, '
            "values in scope are []",
        ),
    ],
)
def test_what_is_missing_is_named(error, source, expected):
    assert error(source, {"h": 1.0}) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('isPresent("f")', False),
        ('isPresent("h")', True),
        ('isPresent("t")', True),
        ('isPresent("f") AND "f" > 1', False),
        ('isPresent("f") AND abs("f") > 1.0', False),
        ('isPresent("f") AND !"f"', False),
        ('TRUE OR "missing" > 1', True),
        ('TRUE OR nosuch("v") > 1', True),
        ("FALSE AND 1 / 0 > 1", False),
    ],
)
def test_laziness_protects_comparisons_and_negations(evaluate, source, expected):
    assert evaluate(source, {"h": 1.0}, {"t": "x"}) is expected


def test_a_tag_is_a_string(evaluate):
    assert evaluate('"host"', {}, {"host": "a"}) == "a"


@pytest.mark.parametrize("source", ["\"h\" == 'x'", 'FALSE AND "h" > 1'])
def test_a_field_and_a_tag_of_one_name_are_an_error(error, source):
    expected = 'cannot have field and tags with same name "h"'
    assert error(source, {"h": 1.0}, {"h": "x"}) == expected


@pytest.mark.parametrize("source", ['"n" > 1', '"n"', 'isPresent("n")', 'abs("n")'])
def test_a_null_field_is_not_missing(error, source):
    assert error(source, {"n": None}).endswith('referenced value "n" is nil.')


def test_time_is_the_time_of_the_point(evaluate):
    assert evaluate('unixNano("time")', {"time": 1.0}, time=42) == 42


def test_time_is_no_result(error):
    assert error('"time"') == "expression returned unexpected type time"
    assert error("now()") == "expression returned unexpected type time"
    assert error('-"time"') == "expression returned unexpected type time"


def test_durations_are_results(evaluate):
    value = evaluate('"i" * 1s', {"i": 2})
    assert value == Duration(2_000_000_000)
    assert type(value) is Duration


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"f"', 'reference "f" is missing value'),
        (
            '"h"',
            "TypeGuard: expression returned unexpected type float, expected boolean",
        ),
        (
            '"time"',
            "TypeGuard: expression returned unexpected type time, expected boolean",
        ),
        (
            "'x'",
            "TypeGuard: expression returned unexpected type string, expected boolean",
        ),
    ],
)
def test_a_condition_must_be_boolean(parsed, source, expected):
    condition = parsed(source)
    with pytest.raises(EvaluationError) as caught:
        condition.test(condition.new_state(), 0, {"h": 1.0}, {})
    assert str(caught.value) == expected


def test_a_condition_gives_a_boolean(parsed):
    condition = parsed('"up"')
    assert condition.test(condition.new_state(), 0, {"up": False}, {}) is False


def test_predicate_lets_only_booleans_pass():
    assert predicate(True) is True
    with pytest.raises(EvaluationError, match="unexpected type duration, expected bo"):
        predicate(Duration(1))


def test_references_and_text_are_known(parsed):
    made = parsed('"a">1 AND (isPresent("b") OR "time"==1)')
    assert made.references == {"a", "b", "time"}
    assert made.text == '"a" > 1 AND (isPresent("b") OR "time" == 1)'
