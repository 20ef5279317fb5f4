"""Answers that a spec takes for a failure although their status means success."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from scaffold.expressions.code import Code, Type
from scaffold.rendering.samples.candidates import candidates
from scaffold.rendering.samples.standins import Answer

Keys = tuple[str, ...]


def answer_for(
    code: Code, accepted: str, status: int, is_meant: Callable[[Answer], bool]
) -> Answer | None:
    """An answer of a kind.

    Args:
        code: the expression that decides on the kind.
        accepted: a body that means success.
        status: the status of the answer.
        is_meant: true for an answer of that kind.

    Returns:
        The answer; None if no tried body gives one, or if the status allows no body.
    """
    if status in (204, 304):
        return None
    for body in _bodies(code.node, accepted):
        answer = Answer(status, body)
        if is_meant(answer):
            return answer
    return None


def answers_for(
    code: Code, accepted: str, status: int, is_meant: Callable[[Answer], bool]
) -> list[Answer]:
    """An answer of a kind for each constant that the answers may be compared with.

    Args:
        code: the expression that decides on the kind.
        accepted: a body that means success.
        status: the status of the answers.
        is_meant: true for an answer of that kind.

    Returns:
        The answers, that of `answer_for` first; empty if it finds none.
    """
    first = answer_for(code, accepted, status, is_meant)
    if first is None:
        return []
    found = {first: None}
    left = set(_compared(code.node))
    for body in _bodies(code.node, accepted):
        named = {each for each in left if each in body}
        if named and is_meant(Answer(status, body)):
            found[Answer(status, body)] = None
            left -= named
    return list(found)


def _compared(that: ast.expr) -> Iterator[str]:
    """The constants in comparisons, in JSON."""
    for node in ast.walk(that):
        if isinstance(node, ast.Compare):
            for side in ast.walk(node.comparators[0]):
                if isinstance(side, ast.Constant) and isinstance(side.value, str | int):
                    yield json.dumps(side.value)


def _bodies(that: ast.expr, accepted: str) -> Iterator[str]:
    """Bodies that may fail: the accepted one with another value, then others."""
    try:
        known = json.loads(accepted)
    except ValueError:
        known = {}
    read = [each for each in map(_keys, ast.walk(that)) if each]
    # the longest first: `reply.error` is read on the way to `reply.error.code`
    for keys in sorted(dict.fromkeys(read), key=len, reverse=True):
        for value in _others(that, _value(known, keys)):
            yield json.dumps(_with(known, keys, value), ensure_ascii=False)
    yield from candidates(Type.STR, [that], [accepted])
    yield from ("{}", "[]", "null", "refused")


def _keys(node: ast.AST) -> Keys:
    """The path of keys that an expression reads in the JSON of the answer."""
    match node:
        case ast.Call(
            func=ast.Name(id="get"), args=[holder, ast.Constant(value=str() as key), *_]
        ):
            if ast.unparse(holder) == "response.json":
                return (key,)
            above = _keys(holder)
            return (*above, key) if above else ()
    return ()


def _others(that: ast.expr, value: Any) -> Iterator[Any]:
    """Values that differ from an accepted one, of its type first."""
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str():
            yield "refused"
    for node in ast.walk(that):
        if isinstance(node, ast.Constant) and node.value is not Ellipsis:
            yield node.value
    yield from (False, True, "refused", "", 0, 1, None, [], ["refused"], {}, 7, 7000)


def _value(tree: Any, keys: Keys) -> Any:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _with(tree: Any, keys: Keys, value: Any) -> Any:
    """A copy of a tree with another value."""
    if not keys:
        return value
    made = copy.copy(tree) if isinstance(tree, dict) else {}
    made[keys[0]] = _with(made.get(keys[0]), keys[1:], value)
    return made
