"""Python text from syntax trees, on one line and otherwise as black leaves it.

The one way from a value of a spec into generated code: a value is a constant of the tree,
and a constant is written as a literal.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

_UNQUOTED = re.compile(r"\\'")
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", 7),
    ast.Sub: ("-", 7),
    ast.Mult: ("*", 8),
}
# precedence of each form; an operand that binds less gets parentheses
_IF, _OR, _AND, _NOT, _COMPARISON, _UNARY, _ATOM = 1, 2, 3, 4, 5, 9, 10


def literal(value: object) -> str:
    """A constant as black writes it: double quotes, unless they need more escapes."""
    if not isinstance(value, str):
        return repr(value)
    return _quoted(repr(value + "'\"")[1:-4])


def _quoted(body: str, prefix: str = "") -> str:
    """A body with escaped single quotes, as a literal in the quotes with fewer escapes."""
    double = _UNQUOTED.sub("'", body.replace('"', '\\"'))
    if double.count("\\") <= body.count("\\"):
        return f'{prefix}"{double}"'
    return f"{prefix}'{body}'"


def source(node: ast.expr) -> str:
    """`node` on one line."""
    return _write(node)[0]


def _write(node: ast.expr) -> tuple[str, int]:
    writer = _WRITERS[type(node)]
    return writer(node)


def _at_least(node: ast.expr, level: int) -> str:
    text, binds = _write(node)
    return text if binds >= level else f"({text})"


def _constant(node: ast.Constant) -> tuple[str, int]:
    text = literal(node.value)
    return text, _UNARY if text.startswith("-") else _ATOM


def _attribute(node: ast.Attribute) -> tuple[str, int]:
    return f"{_at_least(node.value, _ATOM)}.{node.attr}", _ATOM


def _subscript(node: ast.Subscript) -> tuple[str, int]:
    return f"{_at_least(node.value, _ATOM)}[{source(node.slice)}]", _ATOM


def _slice(node: ast.Slice) -> tuple[str, int]:
    lower = source(node.lower) if node.lower else ""
    upper = source(node.upper) if node.upper else ""
    return f"{lower}:{upper}", _ATOM


def _call(node: ast.Call) -> tuple[str, int]:
    parts = [source(each) for each in node.args]
    parts += [f"{each.arg}={source(each.value)}" for each in node.keywords]
    return f"{_at_least(node.func, _ATOM)}({', '.join(parts)})", _ATOM


def _starred(node: ast.Starred) -> tuple[str, int]:
    return f"*{_at_least(node.value, _UNARY)}", _ATOM


def _list(node: ast.List) -> tuple[str, int]:
    return f"[{', '.join(source(each) for each in node.elts)}]", _ATOM


def _tuple(node: ast.Tuple) -> tuple[str, int]:
    items = [source(each) for each in node.elts]
    comma = "," if len(items) == 1 else ""
    return f"({', '.join(items)}{comma})", _ATOM


def _items(node: ast.Dict) -> list[str]:
    return [
        (
            f"**{_at_least(value, _UNARY)}"
            if key is None
            else f"{source(key)}: {source(value)}"
        )
        for key, value in zip(node.keys, node.values, strict=True)
    ]


def _dict(node: ast.Dict) -> tuple[str, int]:
    return f"{{{', '.join(_items(node))}}}", _ATOM


def _list_comp(node: ast.ListComp) -> tuple[str, int]:
    return f"[{source(node.elt)}{_generators(node)}]", _ATOM


def _dict_comp(node: ast.DictComp) -> tuple[str, int]:
    entry = f"{source(node.key)}: {source(node.value)}"
    return f"{{{entry}{_generators(node)}}}", _ATOM


def _target(node: ast.expr) -> str:
    # `k, v` needs no parentheses here
    if isinstance(node, ast.Tuple):
        return ", ".join(map(source, node.elts))
    return source(node)


def _generators(node: ast.ListComp | ast.DictComp) -> str:
    text = ""
    for each in node.generators:
        text += f" for {_target(each.target)} in {_at_least(each.iter, _OR)}"
        text += "".join(f" if {_at_least(test, _OR)}" for test in each.ifs)
    return text


def _if_exp(node: ast.IfExp) -> tuple[str, int]:
    body, test = _at_least(node.body, _OR), _at_least(node.test, _OR)
    return f"{body} if {test} else {_at_least(node.orelse, _IF)}", _IF


def _bool_op(node: ast.BoolOp) -> tuple[str, int]:
    word, level = ("or", _OR) if isinstance(node.op, ast.Or) else ("and", _AND)
    # `a and b or c` is read more easily with parentheses
    inner = _NOT if isinstance(node.op, ast.And) else _OR + 1
    parts = [
        f"({source(each)})" if isinstance(each, ast.BoolOp) else _at_least(each, inner)
        for each in node.values
    ]
    return f" {word} ".join(parts), level


def _unary(node: ast.UnaryOp) -> tuple[str, int]:
    if isinstance(node.op, ast.Not):
        return f"not {_at_least(node.operand, _NOT)}", _NOT
    return f"-{_at_least(node.operand, _UNARY)}", _UNARY


def _compare(node: ast.Compare) -> tuple[str, int]:
    parts = [_at_least(node.left, _COMPARISON + 1)]
    for operator, each in zip(node.ops, node.comparators, strict=True):
        parts += [_COMPARE[type(operator)], _at_least(each, _COMPARISON + 1)]
    return " ".join(parts), _COMPARISON


def _binary(node: ast.BinOp) -> tuple[str, int]:
    sign, level = _BINARY[type(node.op)]
    left, right = _at_least(node.left, level), _at_least(node.right, level + 1)
    return f"{left} {sign} {right}", level


def _joined(node: ast.JoinedStr) -> tuple[str, int]:
    body = ""
    for part in node.values:
        match part:
            case ast.Constant(value=str() as text):
                escaped = repr(text + "'\"")[1:-4]
                body += escaped.replace("{", "{{").replace("}", "}}")
            case ast.FormattedValue(value=value, conversion=conversion):
                text = source(value) + ("!s" if conversion == ord("s") else "")
                body += f"{{ {text}}}" if text.startswith("{") else f"{{{text}}}"
    return _quoted(body, "f"), _ATOM


_WRITERS: dict[type[ast.expr], Callable[..., tuple[str, int]]] = {
    ast.Constant: _constant,
    ast.Name: lambda node: (node.id, _ATOM),
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Call: _call,
    ast.Starred: _starred,
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Dict: _dict,
    ast.ListComp: _list_comp,
    ast.DictComp: _dict_comp,
    ast.IfExp: _if_exp,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.JoinedStr: _joined,
}


def operand(node: ast.expr) -> str:
    """`node` as an operand of `and`, another `and` or `or` in parentheses."""
    if isinstance(node, ast.BoolOp):
        return f"({source(node)})"
    return _at_least(node, _NOT)


def statement(prefix: str, node: ast.expr, suffix: str = "") -> str:
    """`prefix`, the source of `node`, and `suffix`: a statement on one line."""
    return f"{prefix}{source(node)}{suffix}"


def returned(call: ast.Call) -> str:
    """A `return` of a call; with a trailing comma, so that a long one is opened."""
    text = source(call)
    return f"return {text}" if text.endswith("()") else f"return {text[:-1]},)"
