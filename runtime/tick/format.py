"""Writes a syntax tree back as TICKscript, laid out as Kapacitor lays it out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from runtime.tick import ast
from runtime.units import influx_duration

_STEP = "    "
# How far below its statement a link of a chain stands.
_CHAIN_INDENT = {"|": _STEP, "@": _STEP, ".": _STEP * 2}


def format(program: ast.ProgramNode) -> str:
    """The script of `program`: one statement a block, one link of a chain a line.

    Source: Kapacitor tick/ast/node.go, the Format methods.
    """
    blocks = [_comments(_leading(s), "") + _statement(s) for s in program.statements]
    if program.comments:
        blocks.append(_comments(program.comments, ""))
    return "\n".join(b if b.endswith("\n") else f"{b}\n" for b in blocks)


def expression_text(expression: ast.Expression) -> str:
    """An expression on its own, as `"a" > 1`."""
    return _expression(_inlined(expression), "")


def _inlined(node: ast.Expression) -> ast.Expression:
    """`node` with lambdas that stand inside of operators opened up.

    A script cannot write them there, but variables can put them there.
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
            return f"var {node.name} ={_after_blank(node.value, '')}"
        case ast.TypeDeclarationNode():
            return f"var {node.name} {node.type}"
        case ast.DBRPNode():
            database, policy = quoted(node.database), quoted(node.retention_policy)
            return f"dbrp {database}.{policy}"
        case _:
            return _expression(node, "")


def _comments(comments: Sequence[str], indent: str) -> str:
    return "".join(f"{indent}// {comment}".rstrip() + "\n" for comment in comments)


def _leading(node: ast.Statement) -> tuple[str, ...]:
    """The comments that stand before a statement or expression."""
    while isinstance(node, ast.ChainNode):  # may be longer than Python's stack is deep
        node = node.left
    if isinstance(node, ast.BinaryNode):
        return _leading(node.left) + node.comments
    return node.comments


def _commented(node: ast.Expression, indent: str) -> str:
    """`node` in the middle of a line; its comments, if any, start a new one."""
    text = _expression(node, indent)
    comments = _leading(node)
    if not comments:
        return text
    return f"\n{_comments(comments, indent)}{indent}{text}"


def _after_blank(node: ast.Expression, indent: str) -> str:
    text = _commented(node, indent)
    return text if text.startswith("\n") else f" {text}"


def _expression(node: ast.Expression, indent: str) -> str:
    """`node` without its leading comments, from where the line has got to."""
    match node:
        case ast.ChainNode():
            return _chain(node, indent)
        case ast.FunctionNode():
            items = _items(node.arguments, indent, multiline=node.multiline)
            return f"{node.name}({items})"
        case ast.BinaryNode():
            return _binary(node, indent)
        case ast.UnaryNode():
            return node.operator + _commented(node.operand, indent)
        case ast.LambdaNode():
            return f"lambda:{_after_blank(node.expression, indent)}"
        case ast.ListNode():
            return f"[{_items(node.items, indent, multiline=False)}]"
        case _:
            return _single(node)


def _chain(node: ast.ChainNode, indent: str) -> str:
    first, links = node.links()
    lines = [_expression(first, indent)]
    for link in links:
        inner = indent + _CHAIN_INDENT[link.operator]
        # Comments between the operator and the name cannot stay there.
        comments = _comments((*link.comments, *link.right.comments), inner)
        right = _expression(link.right, inner)
        lines.append(f"{comments}{inner}{link.operator}{right}")
    return "\n".join(lines)


def _items(items: Sequence[ast.Expression], indent: str, *, multiline: bool) -> str:
    """What stands between brackets; comments need a line each, so do their items."""
    inner = indent + _STEP
    if not multiline and not any(map(_leading, items)):
        return ", ".join(_expression(item, inner) for item in items)
    lines = [
        _comments(_leading(item), inner) + inner + _expression(item, inner)
        for item in items
    ]
    return "\n" + ",\n".join(lines) + f"\n{indent}"


def _binary(node: ast.BinaryNode, indent: str) -> str:
    inner = indent + _STEP
    left = _expression(node.left, inner if node.parens else indent)
    if node.multiline:
        comments = _comments(_leading(node.right), inner)
        right = f"\n{comments}{inner}{_expression(node.right, inner)}"
    else:
        right = _after_blank(node.right, inner)
    text = f"{left} {node.operator}{right}"
    return f"({text})" if node.parens else text


def _single(node: ast.Expression) -> str:
    match node:
        case ast.NumberNode():
            return node.text or number_text(node.value)
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
    """A number as a script writes it: floats have a point and no exponent."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return str(value)
    text = f"{Decimal(repr(value)):f}"
    return text if "." in text else f"{text}.0"


def string_text(value: str, *, triple: bool = False) -> str:
    """A string literal; a value that `'…'` cannot hold is put in `'''…'''`."""
    if triple or value.endswith("\\") or "\\'" in value:
        return f"'''{value}'''"
    return "'" + value.replace("'", "\\'") + "'"


def quoted(name: str) -> str:
    """A reference literal."""
    return '"' + name.replace('"', '\\"') + '"'
