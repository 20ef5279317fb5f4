"""The `${…}` of specs: checked on the syntax tree, turned into plain Python.

An expression is a subset of Python. Names are replaced by what they are called in the
generated code; what is not listed here is refused, so a spec cannot become code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from scaffold.vocabulary import functions
from scaffold.vocabulary.code import Code, ExpressionError, Kind, name_node
from scaffold.vocabulary.names import closest, identifier

_LENGTH = 2_000
_DEPTH = 40
_ATTRIBUTE = re.compile(r"\.([a-z]+)\b")
_LEVELS = ("OK", "INFO", "WARNING", "CRITICAL")
_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_EQUALITY = (ast.Eq, ast.NotEq)
_NUMBERS = frozenset((Kind.INT, Kind.FLOAT, Kind.DURATION, Kind.TIME))


@dataclass(frozen=True)
class Scope:
    """What an expression may name.

    Attributes:
        tables: by table and key: `config` → `room` → its code.
        names: names that stand alone.
        where: what the tables and names belong to, for messages.
    """

    tables: Mapping[str, Mapping[str, Code]] = field(default_factory=dict)
    names: Mapping[str, Code] = field(default_factory=dict)

    def with_name(self, name: str, code: Code) -> Scope:
        """This scope and one name more."""
        return replace(self, names={**self.names, name: code})

    def known(self) -> list[str]:
        """All that may be named, for messages."""
        return sorted([*self.names, *self.tables])


def compile_expression(text: str, scope: Scope) -> Code:
    """One expression, without its `${` and `}`.

    Raises:
        ExpressionError: it is no Python, or more than the subset.
    """
    return _Compiler(scope).compile(parse(text))


def compile_pieces(text: str, scope: Scope) -> list[Code]:
    """The texts and the expressions of a string with `${…}`, in order.

    Raises:
        ExpressionError: an expression is wrong.
    """
    return [
        (
            Code(ast.Constant(piece), Kind.STR)
            if isinstance(piece, str)
            else _Compiler(scope).compile(piece)
        )
        for piece in pieces(text)
    ]


def parse(text: str) -> ast.expr:
    """The syntax tree of one expression.

    Raises:
        ExpressionError: it is no Python expression.
    """
    if len(text) > _LENGTH:
        raise ExpressionError(f"an expression has more than {_LENGTH} characters")
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError(
            f"{text.strip()!r} is no expression", suggestion=_without_keywords(text)
        ) from None
    if _is_deep(node):
        raise ExpressionError(f"an expression is nested deeper than {_DEPTH}")
    return node


def _is_deep(node: ast.AST) -> bool:
    level = [node]
    for _ in range(_DEPTH):
        level = [child for each in level for child in ast.iter_child_nodes(each)]
    return bool(level)


def _without_keywords(text: str) -> str:
    """What was meant by `config.from`: a key that Python keeps for itself."""
    fixed = _ATTRIBUTE.sub(lambda found: f".{identifier(found[1])}", text.strip())
    return repr(fixed) if fixed != text.strip() else ""


def pieces(text: str) -> list[str | ast.expr]:
    """A string of a spec cut into its texts and its expressions; `$${` is a plain `${`.

    Raises:
        ExpressionError: a `${` has no end, or holds no expression.
    """
    found: list[str | ast.expr] = []
    plain = ""
    at = 0
    while at < len(text):
        if text.startswith("$${", at):
            plain += "${"
            at += 3
        elif text.startswith("${", at):
            end, node = _ends(text, at + 2)
            if plain:
                found.append(plain)
                plain = ""
            found.append(node)
            at = end
        else:
            plain += text[at]
            at += 1
    if plain:
        found.append(plain)
    return found


def _ends(text: str, start: int) -> tuple[int, ast.expr]:
    """Where the expression at `start` ends; a brace inside it does not end it."""
    problem = None
    end = text.find("}", start)
    first = text[start:end] if end >= 0 else text[start:]
    while end >= 0:
        try:
            return end + 1, parse(text[start:end])
        except ExpressionError as error:
            problem = problem or error
            end = text.find("}", end + 1)
    if problem is not None:
        raise problem
    raise ExpressionError(f"'${{{first.strip()}' has no end", "'}'")


class _Compiler:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def compile(self, node: ast.expr) -> Code:
        """The code of a node."""
        handler = _FORMS.get(type(node))
        if handler is None:
            raise ExpressionError(
                f"{ast.unparse(node)!r} is more than an expression may hold",
                "names, attributes, constants, comparisons, and or not, if else, + - *, "
                "in, lists, calls of functions",
            )
        return handler(self, node)

    def _constant(self, node: ast.Constant) -> Code:
        match node.value:
            case bool():
                return Code(node, Kind.BOOL)
            case str():
                return Code(ast.Constant(node.value), Kind.STR)
            case int():
                return Code(node, Kind.INT)
            case float():
                return Code(node, Kind.FLOAT)
            case None:
                return Code(node, Kind.ANY)
        raise ExpressionError(
            f"{ast.unparse(node)!r} is no text, number or true or false"
        )

    def _name(self, node: ast.Name) -> Code:
        if node.id in self._scope.names:
            return self._scope.names[node.id]
        if node.id in self._scope.tables:
            keys = sorted(self._scope.tables[node.id])
            allowed = ", ".join(f"{node.id}.{key}" for key in keys)
            raise ExpressionError(f"{node.id!r} alone is no value", allowed)
        guess = closest(node.id, self._scope.known())
        if node.id in ("true", "false"):
            guess = node.id.capitalize()
        raise ExpressionError(
            f"unknown name {node.id!r}", ", ".join(self._scope.known()), guess
        )

    def _attribute(self, node: ast.Attribute) -> Code:
        found = self._in_table(node)
        if found is not None:
            return found
        value = self.compile(node.value)
        if value.kind not in (Kind.ANY, Kind.MAP, Kind.FIELDS):
            raise ExpressionError(
                f"{ast.unparse(node.value)!r} has nothing called {node.attr!r}"
            )
        return functions.get([value, Code(ast.Constant(node.attr), Kind.STR)])

    def _in_table(self, node: ast.Attribute) -> Code | None:
        """`config.room`, `event.row.tags`: a key of a table of the scope."""
        path = ast.unparse(node.value)
        table = self._scope.tables.get(path)
        if table is None:
            return None
        key = identifier(node.attr)
        if key in table:
            return table[key]
        if f"{path}.{node.attr}" in self._scope.tables:
            return None
        guess = closest(key, table)
        raise ExpressionError(
            f"unknown name '{path}.{node.attr}'",
            ", ".join(f"{path}.{each}" for each in sorted(table)) or "none",
            f"{path}.{guess}" if guess else "",
        )

    def _compare(self, node: ast.Compare) -> Code:
        if len(node.ops) != 1:
            raise ExpressionError(
                f"{ast.unparse(node)!r} compares more than two values; use 'and'"
            )
        [operator], [right_node] = node.ops, node.comparators
        if not isinstance(operator, (*_ORDERED, *_EQUALITY, ast.In, ast.NotIn)):
            raise ExpressionError(
                f"{ast.unparse(node)!r}: 'is' is not known", "== != < <= > >= in not in"
            )
        left, right = self.compile(node.left), self.compile(right_node)
        left, right = self._levels(left, right)
        if isinstance(operator, (ast.In, ast.NotIn)):
            right = self._container(right)
        elif isinstance(operator, _ORDERED):
            self._orderable(left, right, node)
        if Kind.LEVEL not in (left.kind, right.kind):
            left, right = left.revealed(), right.revealed()
        made = ast.Compare(left.node, [_identity(operator, right)], [right.node])
        return Code(made, Kind.BOOL).using(left, right)

    def _levels(self, left: Code, right: Code) -> tuple[Code, Code]:
        """A level is compared with levels: `event.level == 'OK'` names one."""
        if left.kind is Kind.LEVEL and right.kind is not Kind.LEVEL:
            return left, self._as_level(right)
        if right.kind is Kind.LEVEL and left.kind is not Kind.LEVEL:
            return self._as_level(left), right
        return left, right

    def _as_level(self, code: Code) -> Code:
        match code.node:
            case ast.Constant(value=str() as word) if word in _LEVELS:
                made = ast.Attribute(name_node("Level"), word)
                return Code(made, Kind.LEVEL, frozenset({"Level"}))
            case ast.List(elts=items):
                made_items = [self._as_level(Code(each, Kind.STR)) for each in items]
                made_list = ast.List([each.node for each in made_items])
                return Code(made_list, Kind.LIST).using(*made_items)
            case ast.Constant(value=word):
                raise ExpressionError(
                    f"{word!r} is no level", ", ".join(_LEVELS), closest(word, _LEVELS)
                )
        raise ExpressionError("a level is compared with a level", ", ".join(_LEVELS))

    def _container(self, code: Code) -> Code:
        if isinstance(code.node, ast.List):  # as ruff wants it
            return replace(code, node=ast.Tuple(code.node.elts))
        if code.kind in (Kind.LIST, Kind.MAP, Kind.FIELDS, Kind.STR, Kind.ANY):
            return code
        raise ExpressionError("the right side of 'in' is no list, map or text")

    def _orderable(self, left: Code, right: Code, node: ast.Compare) -> None:
        kinds = {left.kind, right.kind}
        if Kind.ANY in kinds or len(kinds) == 1 or kinds <= _NUMBERS:
            return
        raise ExpressionError(
            f"{ast.unparse(node)!r} orders a {left.kind} and a {right.kind}"
        )

    def _bool_op(self, node: ast.BoolOp) -> Code:
        parts = [self.compile(each) for each in node.values]
        return functions.either(parts, node.op)

    def _unary(self, node: ast.UnaryOp) -> Code:
        value = self.compile(node.operand)
        if isinstance(node.op, ast.Not):
            return Code(functions.negated(value.node), Kind.BOOL).using(value)
        if isinstance(node.op, ast.USub) and value.kind in _NUMBERS:
            return Code(ast.UnaryOp(ast.USub(), value.node), value.kind).using(value)
        raise ExpressionError(f"{ast.unparse(node)!r} is no number with a sign")

    def _if_exp(self, node: ast.IfExp) -> Code:
        test = self.compile(node.test)
        body, other = self.compile(node.body), self.compile(node.orelse)
        if body.kind is not other.kind:
            body, other = body.revealed(), other.revealed()
        kind = body.kind if body.kind is other.kind else Kind.ANY
        made = ast.IfExp(test.node, body.node, other.node)
        return Code(made, kind).using(test, body, other)

    def _binary(self, node: ast.BinOp) -> Code:
        left, right = self.compile(node.left), self.compile(node.right)
        left, right = left.revealed(), right.revealed()
        kinds = {left.kind, right.kind}
        is_sum = isinstance(node.op, ast.Add)
        if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)) and kinds <= _NUMBERS:
            kind = Kind.FLOAT if Kind.FLOAT in kinds else Kind.INT
        elif is_sum and (kinds == {Kind.STR} or kinds == {Kind.LIST}):
            kind = left.kind
        else:
            raise ExpressionError(
                f"{ast.unparse(node)!r} joins a {left.kind} and a {right.kind}",
                "two texts with +, two lists with +, numbers with + - *",
            )
        made: ast.expr = ast.BinOp(left.node, node.op, right.node)
        if kind is Kind.LIST:  # a list of the configuration is a tuple in Python
            made = ast.List([*_items(left.node), *_items(right.node)])
        return Code(made, kind).using(left, right)

    def _list(self, node: ast.List | ast.Tuple) -> Code:
        items = [self.compile(each).revealed() for each in node.elts]
        made = ast.List([each.node for each in items])
        return Code(made, Kind.LIST).using(*items)

    def _dict(self, node: ast.Dict) -> Code:
        if None in node.keys:
            raise ExpressionError('"**" is not known; use "..." in the table')
        keys = [self.compile(each) for each in node.keys if each is not None]
        values = [self.compile(each).revealed() for each in node.values]
        made = ast.Dict([each.node for each in keys], [each.node for each in values])
        return Code(made, Kind.FIELDS).using(*keys, *values)

    def _call(self, node: ast.Call) -> Code:
        if not isinstance(node.func, ast.Name):
            raise ExpressionError(
                f"{ast.unparse(node.func)!r} is no function", functions.listed()
            )
        if node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
            raise ExpressionError(f"{ast.unparse(node)!r}: values are given in order")
        return functions.call(node.func.id, [self.compile(each) for each in node.args])


def _items(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.List) else [ast.Starred(node)]


def _identity(operator: ast.cmpop, right: Code) -> ast.cmpop:
    """`is` where something is compared with True, False or None."""
    match right.node:
        case ast.Constant(value=bool() | None):
            if isinstance(operator, ast.Eq):
                return ast.Is()
            if isinstance(operator, ast.NotEq):
                return ast.IsNot()
    return operator


_FORMS: dict[type[ast.expr], Callable[..., Code]] = {
    ast.Constant: _Compiler._constant,
    ast.Name: _Compiler._name,
    ast.Attribute: _Compiler._attribute,
    ast.Compare: _Compiler._compare,
    ast.BoolOp: _Compiler._bool_op,
    ast.UnaryOp: _Compiler._unary,
    ast.IfExp: _Compiler._if_exp,
    ast.BinOp: _Compiler._binary,
    ast.List: _Compiler._list,
    ast.Tuple: _Compiler._list,
    ast.Dict: _Compiler._dict,
    ast.Call: _Compiler._call,
}
