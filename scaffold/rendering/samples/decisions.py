"""The decisions of generated code, instrumented so that a run records their results."""

from __future__ import annotations

import ast
import copy
from typing import NamedTuple

from scaffold.expressions.functions import is_truth

RECORDER = "<decided>"
"""Name that an observed module calls with a decision's number and value; no spec can use it."""


class Decision(NamedTuple):
    """A condition that the request of a handler depends on.

    Attributes:
        nodes: the condition; for one in a loop, also the items of the loop.
        check: index of the check that it belongs to, or None.
    """

    nodes: tuple[ast.expr, ...]
    check: int | None


def observed(tree: ast.Module, function: str) -> list[Decision]:
    """The decisions of a function of a module, which is changed to record them.

    Operands of `and` and `or` are decisions of their own. A last operand that is a
    value, as in `opt.room or 'ops'`, is not: it decides nothing.
    """
    observer = _Observer()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            node.body = [observer.visit(each) for each in node.body]
    ast.fix_missing_locations(tree)
    return observer.decisions


class _Observer(ast.NodeTransformer):
    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self._checks = 0
        self._check: int | None = None

    def visit_If(self, node: ast.If) -> ast.If:
        if isinstance(node.body[0], ast.Raise):
            self._check, self._checks = self._checks, self._checks + 1
        node.test = self._condition(node.test)
        self._check = None
        node.body = [self.visit(each) for each in node.body]
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.IfExp:
        node.test = self._condition(node.test)
        node.body, node.orelse = self.visit(node.body), self.visit(node.orelse)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.BoolOp:
        *deciding, last = node.values
        ending = self._condition if is_truth(last) else self.visit
        node.values = [*map(self._condition, deciding), ending(last)]
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        node.ifs = [self._condition(each, node.iter) for each in node.ifs]
        node.iter = self.visit(node.iter)
        return node

    def _condition(self, node: ast.expr, *more: ast.expr) -> ast.expr:
        """A condition that records its value."""
        match node:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                node.operand = self._condition(operand, *more)
                return node
            case ast.BoolOp(values=values):
                node.values = [self._condition(each, *more) for each in values]
                return node
        nodes = (copy.deepcopy(node), *map(copy.deepcopy, more))
        number = ast.Constant(len(self.decisions))
        self.decisions.append(Decision(nodes, self._check))
        made = ast.Call(ast.Name(RECORDER, ast.Load()), [number, self.visit(node)], [])
        return ast.copy_location(made, node)
