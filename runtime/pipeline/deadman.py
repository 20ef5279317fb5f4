"""`|deadman()`: an alert on the number of points that another node has emitted."""

from __future__ import annotations

from dataclasses import replace

from runtime.pipeline.alert import AlertNode, alert
from runtime.pipeline.node import DeadmanSettings, Node
from runtime.pipeline.source import stats
from runtime.pipeline.transform import derivative
from runtime.tick import ast
from runtime.units import Duration, go_duration


def deadman(
    parent: Node, threshold: float, interval: Duration, *conditions: ast.LambdaNode
) -> AlertNode:
    """`|deadman(0.0, 10s)`: critical while `parent` emits too few points.

    Source: Kapacitor pipeline/node.go, Deadman.
    """
    counted = stats(parent, interval)
    counted.align = True
    rate = derivative(counted, "emitted")
    rate.unit = interval
    rate.non_negative = True
    node = alert(rate)
    expression: ast.Expression = ast.BinaryNode(
        "<=", ast.ReferenceNode("emitted"), ast.NumberNode(threshold)
    )
    for condition in conditions:
        expression = ast.BinaryNode("AND", expression, _brackets(condition.expression))
    node.crit = ast.LambdaNode(expression)
    owner = parent.pipeline
    settings = DeadmanSettings() if owner is None else owner.deadman
    node.id = settings.id.replace("NODE_NAME", parent.name, 1)
    node.message = settings.message.replace("INTERVAL", go_duration(interval), 1)
    return node


def _brackets(expression: ast.Expression) -> ast.Expression:
    if isinstance(expression, ast.BinaryNode):
        return replace(expression, parens=True)
    return expression
