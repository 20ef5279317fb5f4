"""Interpolation: the `${…}` of a string, as syntax trees."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from scaffold.expressions.code import ExpressionError
from scaffold.names import identifier

_LENGTH = 2_000
_DEPTH = 40
_MOST_PIECES = 400
_LINE_END_IN_TEXT = re.compile(
    r"""^[^'"]*(?:'[^'\n]*'[^'"]*|"[^"\n]*"[^'"]*)*['"][^'"]*\n"""
)
_ATTRIBUTE = re.compile(r"\.([a-z]+)\b")


def parsed(text: str) -> ast.expr:
    """The syntax tree of one expression.

    Raises:
        ExpressionError: it is not a Python expression.
    """
    if len(text) > _LENGTH:
        raise ExpressionError(
            f"has more than {_LENGTH} characters; split it with [let]"
        )
    if _LINE_END_IN_TEXT.search(text):
        raise ExpressionError(
            f"{text.strip()!r} has a line end inside quotes; "
            r"write \\n, with two backslashes, or use a TOML string in '…'"
        )
    try:
        with warnings.catch_warnings():
            # of `\d` in a regular expression, which is meant as it is written
            warnings.simplefilter("ignore")
            node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError(
            f"{text.strip()!r} is not an expression", suggestion=_without_keywords(text)
        ) from None
    if _is_deep(node):
        raise ExpressionError(
            f"is nested deeper than {_DEPTH} levels; split it with [let]"
        )
    return node


def _is_deep(node: ast.AST) -> bool:
    level = [node]
    for _ in range(_DEPTH):
        level = [child for each in level for child in ast.iter_child_nodes(each)]
    return bool(level)


def _without_keywords(text: str) -> str:
    """Text of an expression in which keywords, as in `config.from`, end with `_`."""
    fixed = _ATTRIBUTE.sub(lambda found: f".{identifier(found[1])}", text.strip())
    return repr(fixed) if fixed != text.strip() else ""


def pieces(text: str) -> list[str | ast.expr]:
    """A string of a spec cut into its plain parts and its expressions; `$${` is a plain `${`.

    Raises:
        ExpressionError: a `${` has no end, or is not followed by an expression.
    """
    found: list[str | ast.expr] = []
    at = 0
    for start, end, node in expressions(text):
        if len(found) > _MOST_PIECES:
            raise ExpressionError(
                f"has more than {_MOST_PIECES // 2} expressions; split it with [let]"
            )
        found += [*_plain(text[at : start - 2]), node]
        at = end + 1
    return [*found, *_plain(text[at:])]


def expressions(text: str) -> Iterator[tuple[int, int, ast.expr]]:
    """The expressions of a string: start and end without `${` and `}`, and the tree.

    Raises:
        ExpressionError: as `pieces`.
    """
    at = 0
    while (at := text.find("${", at)) >= 0:
        if text.startswith("$${", at - 1):
            at += 2
            continue
        node, end = _expression(text, at + 2)
        yield at + 2, end - 1, node
        at = end


def _plain(text: str) -> list[str]:
    return [text.replace("$${", "${")] if text else []


def _expression(text: str, start: int) -> tuple[ast.expr, int]:
    """The expression at `start`, and its end; a brace inside does not end it."""
    problem = None
    end = text.find("}", start)
    first = text[start:end] if end >= 0 else text[start:]
    while end >= 0:
        try:
            return parsed(text[start:end]), end + 1
        except ExpressionError as error:
            problem = problem or error
            end = text.find("}", end + 1)
    if problem is not None:
        raise problem
    raise ExpressionError(
        f"'${{{first.strip()}' has no closing brace; add '}}', or write $${{ for a plain ${{"
    )
