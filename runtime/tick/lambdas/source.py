"""A lambda's expression as text, laid out as scripts are."""

from __future__ import annotations

from runtime.golang.numbers import plain
from runtime.tick import ast
from runtime.units import influx_duration

_TIGHTEST = 7
_PRECEDENCE = {
    **{"OR": 0, "AND": 1},
    **dict.fromkeys(("==", "!=", "=~", "!~"), 2),
    **dict.fromkeys(("<", "<=", ">", ">="), 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys("*/%", 5),
}


def write(node: ast.Expression) -> str:
    """The expression on one line, with the brackets it was written with or needs."""
    return _write(node, 0)


def _write(node: ast.Expression, outer: int) -> str:
    match node:
        case ast.BinaryNode(operator, left, right):
            level = _PRECEDENCE.get(operator, _TIGHTEST)
            text = f"{_write(left, level)} {operator} {_write(right, level + 1)}"
            return f"({text})" if node.parens or level < outer else text
        case ast.UnaryNode(operator, operand):
            return operator + _write(operand, _TIGHTEST)
        case ast.FunctionNode(name, arguments):
            return f"{name}({', '.join(_write(each, 0) for each in arguments)})"
        case ast.LambdaNode(expression):
            return _write(expression, outer)
        case _:
            return _literal(node)


def _literal(node: ast.Expression) -> str:
    match node:
        case ast.NumberNode(value, text):
            return text or (_float(value) if isinstance(value, float) else str(value))
        case ast.DurationNode(value, text):
            return text or influx_duration(value)
        case ast.StringNode(value, True):
            return f"'''{value}'''"
        case ast.StringNode(value):
            return "'" + value.replace("'", "\\'") + "'"
        case ast.BoolNode(value):
            return "TRUE" if value else "FALSE"
        case ast.RegexNode(pattern):
            return "/" + pattern.replace("/", "\\/") + "/"
        case ast.ReferenceNode(name):
            return '"' + name.replace('"', '\\"') + '"'
        case ast.IdentifierNode(name):
            return name
        case _:
            return "*"


def _float(value: float) -> str:
    text = plain(value)
    return text if "." in text or not text[-1].isdigit() else f"{text}.0"
