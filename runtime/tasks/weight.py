"""Tasks that may work long on few points."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import singledispatch

from runtime.golang import regex
from runtime.pipeline.merge import CombineNode
from runtime.pipeline.node import Node, Pipeline
from runtime.tick import ast

# Instructions of a regular expression: with more, a string of two kilobytes may take
# 40 ms to search.
_LARGE_PROGRAM = 512
# Functions that may return strings of a megabyte.
_GROWING = frozenset(("regexReplace", "strReplace"))


def is_heavy(pipeline: Pipeline) -> bool:
    """True if a single point may take the task a tenth of a second or more.

    Only the script matters here, not the state of the task: expressions that build long
    strings or search them, nested loops in templates, combinations.
    """
    return any(map(_is_heavy, pipeline.nodes))


def _is_heavy(node: Node) -> bool:
    if isinstance(node, CombineNode):
        return True
    values = (getattr(node, each.name) for each in dataclasses.fields(node))
    return any(map(_takes_long, values))


@singledispatch
def _takes_long(value: object) -> bool:
    return False


@_takes_long.register
def _(value: str) -> bool:
    # perhaps a template; in any other string the word does not matter
    return value.count("range") > 1


@_takes_long.register
def _(value: tuple) -> bool:  # type: ignore[type-arg]
    return any(map(_takes_long, value))


@_takes_long.register
def _(value: ast.LambdaNode) -> bool:
    return any(map(_is_long, _parts(value)))


def _is_long(part: ast.Expression) -> bool:
    match part:
        case ast.FunctionNode(name):
            return name in _GROWING
        case ast.RegexNode(pattern):
            return regex.compile(pattern).programsize > _LARGE_PROGRAM
    return False


def _parts(expression: ast.Expression) -> Iterator[ast.Expression]:
    waiting = [expression]
    while waiting:
        part = waiting.pop()
        yield part
        match part:
            case ast.LambdaNode(inner) | ast.UnaryNode(_, inner):
                waiting.append(inner)
            case ast.BinaryNode(_, left, right):
                waiting += (left, right)
            case ast.FunctionNode(_, arguments):
                waiting += arguments
