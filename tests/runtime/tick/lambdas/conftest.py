from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from runtime.errors import EvaluationError
from runtime.tick import ast, parser
from runtime.tick.lambdas import Lambda, compile_lambda

Evaluate = Callable[..., Any]


def _parsed(source: str) -> Lambda:
    [statement] = parser.parse(f"var x = lambda: {source}").statements
    assert isinstance(statement, ast.DeclarationNode)
    assert isinstance(statement.value, ast.LambdaNode)
    return compile_lambda(statement.value)


@pytest.fixture(scope="session")
def parsed() -> Callable[[str], Lambda]:
    """The lambda of `lambda: source`."""
    return _parsed


@pytest.fixture(scope="session")
def evaluate() -> Evaluate:
    """The value of an expression at one point."""

    def run(
        source: str,
        fields: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        time: int = 0,
    ) -> Any:
        made = _parsed(source)
        return made.row(made.new_state(), time, fields or {}, tags or {})

    return run


@pytest.fixture(scope="session")
def error(evaluate: Evaluate) -> Callable[..., str]:
    """The text with which an expression fails at one point."""

    def run(source: str, *point: Any, **more: Any) -> str:
        with pytest.raises(EvaluationError) as caught:
            evaluate(source, *point, **more)
        return str(caught.value)

    return run
