import math

import pytest

from runtime.errors import EvaluationError
from runtime.tick import ast
from runtime.tick.lambdas import compile_lambda


def _values(expression, state, name, values):
    return [expression.row(state, 0, {name: value}, {}) for value in values]


def test_an_expression_has_one_counter(parsed):
    expression = parsed("count() + count()")
    state = expression.new_state()
    assert [expression.row(state, 0, {}, {}) for _ in range(2)] == [3, 7]


def test_each_state_counts_for_itself(parsed):
    expression = parsed("count()")
    first, second = expression.new_state(), expression.new_state()
    results = [expression.row(s, 0, {}, {}) for s in (first, second, first)]
    assert results == [1, 1, 2]


def test_sigma_measures_deviations(parsed):
    expression = parsed('sigma("v")')
    state = expression.new_state()
    results = _values(expression, state, "v", [1.0, 2.0, 3.0, 10.0])
    assert results == [0.0, 0.7071067811865475, 1.0, 1.4696938456699067]


def test_sigma_of_equal_values_is_zero(parsed):
    expression = parsed('sigma("v")')
    assert _values(expression, expression.new_state(), "v", [2.0, 2.0]) == [0.0, 0.0]


def test_sigma_of_no_numbers_is_none(parsed):
    expression = parsed('sigma("v")')
    results = _values(expression, expression.new_state(), "v", [1.0, math.nan])
    assert math.isnan(results[1])


def test_spread_runs(parsed):
    expression = parsed('spread("v")')
    state = expression.new_state()
    assert _values(expression, state, "v", [1.0, 4.0, 2.0]) == [0.0, 3.0, 3.0]


def test_short_circuit_skips_the_call(parsed):
    expression = parsed('"v" > 1 AND count() > 1')
    state = expression.new_state()
    assert _values(expression, state, "v", [2, 0, 2]) == [False, False, True]


def test_a_type_error_leaves_the_state_as_it_was(parsed):
    expression = parsed('count() + "v"')
    state = expression.new_state()
    with pytest.raises(EvaluationError):
        expression.row(state, 0, {}, {})
    assert expression.row(state, 0, {"v": 0}, {}) == 1


def test_a_value_error_comes_after_the_calls_before_it(parsed):
    expression = parsed('count() / "v"')
    state = expression.new_state()
    with pytest.raises(EvaluationError, match="integer divide by zero"):
        expression.row(state, 0, {"v": 0}, {})
    assert expression.row(state, 0, {"v": 1}, {}) == 2


def test_a_lambda_in_a_lambda_shares_its_state():
    inner = ast.LambdaNode(ast.FunctionNode("count"))
    outer = compile_lambda(
        ast.LambdaNode(ast.BinaryNode("+", inner, ast.FunctionNode("count")))
    )
    first, second = outer.new_state(), outer.new_state()
    results = [outer.row(state, 0, {}, {}) for state in (first, first, second)]
    assert results == [2, 4, 4]


def test_only_functions_that_remember_make_a_lambda_stateful(parsed):
    stateful = {"count() > 1", 'sigma("v")', 'spread("v")'}
    stateless = {"rand()", "unixNano(now())", '"count"', "nosuch()"}
    assert all(parsed(source).stateful for source in stateful)
    assert not any(parsed(source).stateful for source in stateless)
    nested = ast.LambdaNode(ast.LambdaNode(ast.FunctionNode("count")))
    assert compile_lambda(nested).stateful
