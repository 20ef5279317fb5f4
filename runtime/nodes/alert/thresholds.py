"""Bounds of fields within which no condition of an alert can hold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import NamedTuple

from runtime.tick import ast


class Interval(NamedTuple):
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float


Bounds = Mapping[str, Interval]
"""Intervals by field. If all fields are numbers inside, no condition holds or fails."""

ANY = Interval(-math.inf, math.inf)
# below this, ints and floats compare equally
_EXACT = 1 << 53
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def bounds_of(conditions: Iterable[ast.LambdaNode | None]) -> Bounds | None:
    """The bounds within which all conditions are false; None if they are not intervals.

    Supports comparisons of a field with a number, and AND and OR of these.
    """
    parts = [_bounds(each.expression) for each in conditions if each is not None]
    known = [part for part in parts if part is not None]
    return within_all(known) if len(known) == len(parts) else None


def within_all(parts: Iterable[Bounds]) -> Bounds:
    """The intersection of bounds."""
    empty: Bounds = {}
    return reduce(_narrowed, parts, empty)


def _narrowed(left: Bounds, right: Bounds) -> Bounds:
    merged = dict(left)
    for name, (low, high) in right.items():
        known = merged.get(name, ANY)
        merged[name] = Interval(max(known.low, low), min(known.high, high))
    return merged


def _bounds(node: ast.Expression) -> Bounds | None:
    match node:
        case ast.LambdaNode(expression):
            return _bounds(expression)
        case ast.BinaryNode("OR", left, right):
            first, second = _bounds(left), _bounds(right)
            if first is None or second is None:
                return None
            return _narrowed(first, second)
        case ast.BinaryNode("AND", left, right):
            first, second = _bounds(left), _bounds(right)
            if first is None or second is None:
                return None
            # the left side decides; the right one is only required not to fail
            return _narrowed(first, dict.fromkeys(second, ANY))
        case ast.BinaryNode(operator, ast.ReferenceNode(name), limit):
            return _comparison(operator, name, limit)
        case ast.BinaryNode(operator, limit, ast.ReferenceNode(name)):
            return _comparison(_FLIPPED.get(operator, ""), name, limit)
    return None


def _comparison(operator: str, name: str, limit: ast.Expression) -> Bounds | None:
    value = _number(limit)
    # `time` is not a field
    if name == "time" or value is None or abs(value) >= _EXACT:
        return None
    match operator:
        case ">":
            return {name: Interval(-math.inf, value)}
        case ">=":
            return {name: Interval(-math.inf, math.nextafter(value, -math.inf))}
        case "<":
            return {name: Interval(value, math.inf)}
        case "<=":
            return {name: Interval(math.nextafter(value, math.inf), math.inf)}
    return None


def _number(node: ast.Expression) -> float | None:
    match node:
        case ast.NumberNode(value):
            return float(value)
        case ast.UnaryNode("-", ast.NumberNode(value)):
            return -float(value)
    return None
