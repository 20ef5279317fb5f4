"""Lambda expressions: row functions, column functions, the function library."""

from runtime.tick.lambdas.columns import Column
from runtime.tick.lambdas.expression import (
    Lambda,
    compile_lambda,
    constant,
    predicate,
)
from runtime.tick.lambdas.state import State

__all__ = ["Column", "Lambda", "State", "compile_lambda", "constant", "predicate"]
