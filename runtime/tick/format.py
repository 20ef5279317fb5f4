"""Writes a syntax tree as TICKscript, in Kapacitor's layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from runtime.tick import ast
from runtime.units import influx_duration

_STEP = "    "
# Indentation of a chain's link relative to its statement.
_CHAIN_INDENT = {"|": _STEP, "@": _STEP, ".": _STEP * 2}


def format(program: ast.ProgramNode) -> str:
    """The script of `program`: a block per statement, and a line per link of a chain.

    Source: Kapacitor tick/ast/node.go, the Format methods.
    """
    blocks = [_statement(statement) for statement in program.statements]
    if program.comments:
        blocks.append(_comments(program.comments, ""))
    return "\n".join(f"{block}\n" for block in blocks)


def expression_text(expression: ast.Expression) -> str:
    """An expression on its own, as `"a" > 1`."""
    return _expression(_inlined(expression), "", at_start=True)


def _inlined(node: ast.Expression) -> ast.Expression:
    """`node` with lambdas among operands replaced by their expressions.

    The syntax does not allow them there, but they come from variables.
    """
    match node:
        case ast.BinaryNode():
            left, right = _opened(node.left), _opened(node.right)
            return replace(node, left=left, right=right)
        case ast.UnaryNode():
            return replace(node, operand=_opened(node.operand))
        case ast.FunctionNode():
            return replace(node, arguments=tuple(map(_opened, node.arguments)))
        case _:
            return node


def _opened(node: ast.Expression) -> ast.Expression:
    if not isinstance(node, ast.LambdaNode):
        return _inlined(node)
    inner = _inlined(node.expression)
    return replace(inner, parens=True) if isinstance(inner, ast.BinaryNode) else inner


def _statement(node: ast.Statement) -> str:
    match node:
        case ast.DeclarationNode():
            value = _expression(node.value, "")
            return f"{_comments(node.comments, '')}var {node.name} = {value}"
        case ast.TypeDeclarationNode():
            return f"{_comments(node.comments, '')}var {node.name} {node.type}"
        case ast.DBRPNode():
            database, policy = quoted(node.database), quoted(node.retention_policy)
            return f"{_comments(node.comments, '')}dbrp {database}.{policy}"
        case _:
            return _expression(node, "", at_start=True)


def _comments(comments: Sequence[str], indent: str) -> str:
    """Comments, one per line; `"\\n"` is the empty line between two blocks."""
    return "".join(
        comment if comment == "\n" else f"{indent}//{' ' * bool(comment)}{comment}\n"
        for comment in comments
    )


def _expression(node: ast.Expression, indent: str, *, at_start: bool = False) -> str:
    """The text of `node`, to be appended to the script.

    Args:
        node: the expression.
        indent: indentation of its lines.
        at_start: True at the start of a line.
    """
    if isinstance(node, ast.ChainNode):
        return _chain(node, indent, at_start)
    before = ""
    if node.comments:
        before = ("" if at_start else "\n") + _comments(node.comments, indent)
        at_start = True
    if at_start:
        before += indent
    return before + _commented(node, indent, at_start)


def _commented(node: ast.Expression, indent: str, at_start: bool) -> str:
    """The text of `node` without its comments."""
    match node:
        case ast.FunctionNode():
            return f"{node.name}({_arguments(node, indent)})"
        case ast.BinaryNode():
            return _binary(node, indent)
        case ast.UnaryNode():
            return node.operator + _expression(node.operand, indent)
        case ast.LambdaNode():
            return f"lambda: {_expression(node.expression, indent)}"
        case ast.ListNode():
            items = (_expression(i, indent, at_start=at_start) for i in node.items)
            return f"[{', '.join(items)}]"
        case _:
            return _single(node)


def _chain(node: ast.ChainNode, indent: str, at_start: bool) -> str:
    first, links = node.links()
    parts = [_expression(first, indent, at_start=at_start)]
    for link in links:
        inner = indent + _CHAIN_INDENT[link.operator]
        right = _expression(link.right, inner)
        parts.append(f"{_comments(link.comments, inner)}{inner}{link.operator}{right}")
    return "\n".join(parts)


def _arguments(node: ast.FunctionNode, indent: str) -> str:
    """Text between the brackets of a call."""
    inner = indent + _STEP
    if not (node.multiline and node.arguments):
        return ", ".join(_expression(each, inner) for each in node.arguments)
    lines = (_expression(each, inner, at_start=True) for each in node.arguments)
    return "\n" + ",\n".join(lines) + f"\n{indent}"


def _binary(node: ast.BinaryNode, indent: str) -> str:
    inner = indent + _STEP if node.parens else indent
    left = _expression(node.left, inner)
    right = _expression(node.right, inner, at_start=node.multiline)
    text = f"{left} {node.operator}{chr(10) if node.multiline else ' '}{right}"
    return f"({text})" if node.parens else text


def _single(node: ast.Expression) -> str:
    match node:
        case ast.NumberNode():
            octal = node.text.startswith("0") and node.text.isdigit()
            if octal and len(node.text) > 1:
                return f"0{node.value:o}"
            return number_text(node.value)
        case ast.DurationNode():
            return node.text or influx_duration(node.value)
        case ast.StringNode():
            return string_text(node.value, triple=node.triple)
        case ast.BoolNode():
            return "TRUE" if node.value else "FALSE"
        case ast.RegexNode():
            return f"/{node.pattern.replace('/', chr(92) + '/')}/"
        case ast.ReferenceNode():
            return quoted(node.name)
        case ast.IdentifierNode():
            return node.name
        case _:
            return "*"


def number_text(value: float) -> str:
    """A number literal; floats have a point and no exponent."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    text = f"{Decimal(repr(value)):f}"
    return text if "." in text else f"{text}.0"


def string_text(value: str, *, triple: bool = False) -> str:
    """A string literal: `'…'`, or `'''…'''` for values that need it."""
    if triple or value.endswith("\\") or "\\'" in value:
        return f"'''{value}'''"
    return "'" + value.replace("'", "\\'") + "'"


def quoted(name: str) -> str:
    """A reference literal."""
    return '"' + name.replace('"', '\\"') + '"'
