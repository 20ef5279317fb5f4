"""Strings of a spec as code: their pieces put together, and hints for those that fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from scaffold.expressions.code import Code, ExpressionError, Type, UnresolvedError

EMPTY = Code(ast.Constant(""), Type.STR)
"""An empty string, also in place of code that has a fault."""
# a string whose inner quotes were forgotten
_WORDS = re.compile(r"[#@]?\w+(?:[ -]+\w+)*")


def printable(code: Code) -> Code:
    """The code.

    Raises:
        ExpressionError: it is a list or a map, which endpoints cannot read in Go's format.
    """
    if code.type in (Type.LIST, Type.VALUES, Type.MAP, Type.FIELDS):
        hint = "join(…, ', ')" if code.type in (Type.LIST, Type.VALUES) else "json(…)"
        raise ExpressionError(
            f"is {code.type.noun} inside a string; use ${{{hint}}}, "
            "or ${text(…)} to print it as Go does"
        )
    return code


def with_quotes(text: str, error: ExpressionError) -> ExpressionError:
    """The error; for words without quotes, with a hint on writing a string."""
    is_words = _WORDS.fullmatch(text.strip()) is not None
    if not is_words or error.suggestion or isinstance(error, UnresolvedError):
        return error
    hint = f"""{error}; write a string as "'{text.strip()}'\""""
    return ExpressionError(hint, error.allowed)


def joined(codes: Sequence[Code]) -> Code:
    """Strings and values as one string: an f-string, or a sum where quotes would clash.

    The choice does not depend on the contents of the strings.
    """
    codes = [printable(code) for code in codes]
    shown = [
        code if code.type in (Type.STR, Type.INT) else code.as_text() for code in codes
    ]
    if any(_holds_text(code.node) for code in shown):
        texts = [code.as_text() for code in shown]
        node = texts[0].node
        for each in texts[1:]:
            node = ast.BinOp(node, ast.Add(), each.node)
        return Code(node, Type.STR).using(*texts).bounded()
    values: list[ast.expr] = [
        (
            code.node
            if isinstance(code.node, ast.Constant) and code.type is Type.STR
            else formatted(code.node)
        )
        for code in shown
    ]
    return Code(ast.JoinedStr(values), Type.STR).using(*shown).bounded()


def formatted(node: ast.expr) -> ast.FormattedValue:
    """A value inside an f-string; `{level!s}` instead of `{str(level)}`."""
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return ast.FormattedValue(inner, ord("s"), None)
    return ast.FormattedValue(node, -1, None)


def _holds_text(node: ast.expr) -> bool:
    """True if an expression that is not a string itself contains a string."""
    if isinstance(node, ast.Constant):
        return False
    return any(
        isinstance(each, ast.JoinedStr)
        or (isinstance(each, ast.Constant) and isinstance(each.value, str))
        for each in ast.walk(node)
    )
