"""The `${…}` of specs: checked on the syntax tree, turned into plain Python.

Expressions are a subset of Python. Their names are replaced with those in the generated
code. Anything that is not listed here is refused, so a spec cannot run other code.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scaffold.expressions import functions
from scaffold.expressions.code import (
    FAILED,
    LEVELS,
    Code,
    ExpressionError,
    Type,
    UnresolvedError,
    name_node,
)
from scaffold.expressions.interpolation import parsed, pieces
from scaffold.names import closest, identifier

_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_EQUALITY = (ast.Eq, ast.NotEq)
_NUMBERS = frozenset((Type.INT, Type.FLOAT, Type.DURATION, Type.TIME))
_TEXTS = frozenset((Type.STR, Type.SECRET))
_LISTS = frozenset((Type.LIST, Type.VALUES))
_MAPS = frozenset((Type.MAP, Type.FIELDS))
# types whose values have an order
_FAMILIES = (_NUMBERS, _TEXTS, frozenset((Type.BOOL,)), frozenset((Type.LEVEL,)))
# beyond these a product exceeds the numbers of Go and JSON
_MAX_BITS = 900
_TOTAL: dict[type[ast.cmpop], str] = {
    ast.Lt: "less",
    ast.LtE: "at_most",
    ast.Gt: "more",
    ast.GtE: "at_least",
}
_SIGNS: dict[type[ast.operator], str] = {
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitAnd: "&",
    ast.BitXor: "^",
}
_OTHER_LANGUAGES = {
    "true": "True",
    "false": "False",
    "null": "None",
    "nil": "None",
    "none": "None",
    "undefined": "None",
}


@dataclass(frozen=True)
class Scope:
    """The names that an expression may use.

    Attributes:
        tables: code by table and key: `config` → `room` → its code.
        names: names without a table.
        elsewhere: names that are known in other parts of a spec, each with a hint for
                this part, in which `{expression}` is replaced by the expression.
    """

    tables: Mapping[str, Mapping[str, Code]] = field(default_factory=dict)
    names: Mapping[str, Code] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def with_name(self, name: str, code: Code) -> Scope:
        """This scope with one more name."""
        return replace(self, names={**self.names, name: code})

    def known(self) -> list[str]:
        """All names, for messages."""
        return sorted([*self.names, *self.tables])


def compile_expression(text: str, scope: Scope) -> Code:
    """One expression, without its `${` and `}`.

    Raises:
        ExpressionError: it is not Python, or not in the subset.
    """
    return _Compiler(scope).compile(parsed(text)).bounded()


def compile_pieces(text: str, scope: Scope) -> list[Code]:
    """The strings and the expressions of a string with `${…}`, in order.

    Raises:
        ExpressionError: an expression is wrong.
    """
    return [
        (
            constant_text(piece)
            if isinstance(piece, str)
            else _Compiler(scope).compile(piece).bounded()
        )
        for piece in pieces(text)
    ]


class _Compiler:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def compile(self, node: ast.expr) -> Code:
        """The code of a node."""
        handler = _FORMS.get(type(node))
        if handler is None:
            raise ExpressionError(
                f"{ast.unparse(node)!r} is not allowed in expressions",
                "names, attributes, constants, comparisons, and, or, not, if else, "
                "+, -, *, in, lists, maps, function calls",
            )
        return handler(self, node)

    def _constant(self, node: ast.Constant) -> Code:
        match node.value:
            case bool():
                return Code(node, Type.BOOL)
            case str(text):
                return constant_text(text)
            case int(number):
                if number >= 1 << 63:
                    raise ExpressionError(f"{number} does not fit 64 bits")
                return Code(node, Type.INT, bits=max(number.bit_length(), 1))
            case float(number):
                if number == math.inf:
                    raise ExpressionError("a number must be below 1.8e308")
                return Code(node, Type.FLOAT)
            case None:
                return Code(node, Type.ANY)
        raise ExpressionError(
            f"{ast.unparse(node)!r} is not a string, number or boolean"
        )

    def _name(self, node: ast.Name) -> Code:
        if node.id in self._scope.names:
            return _resolved(self._scope.names[node.id], node.id)
        if node.id in self._scope.tables:
            keys = sorted(self._scope.tables[node.id])
            allowed = ", ".join(f"{node.id}.{key}" for key in keys)
            raise ExpressionError(f"{node.id!r} needs a key", allowed)
        if node.id in self._scope.elsewhere:
            raise self._elsewhere(node)
        guess = closest(node.id, self._scope.known())
        guess = _OTHER_LANGUAGES.get(node.id.lower(), guess)
        raise ExpressionError(
            f"unknown name {node.id!r}", ", ".join(self._scope.known()), guess
        )

    def _elsewhere(self, node: ast.expr) -> ExpressionError:
        """A name that is known in other parts of a spec."""
        text = ast.unparse(node)
        hint = self._scope.elsewhere[text.partition(".")[0]]
        hint = hint.replace("{expression}", text)
        return ExpressionError(f"{text!r} is not available here: {hint}")

    def _attribute(self, node: ast.Attribute) -> Code:
        if isinstance(node.value, ast.Name):
            name = node.value.id
            known = {*self._scope.tables, *self._scope.names}
            if name in self._scope.elsewhere.keys() - known:
                raise self._elsewhere(node)
        found = self._in_table(node)
        if found is not None:
            return found
        value = self.compile(node.value)
        if value.type not in (Type.ANY, Type.MAP, Type.FIELDS):
            raise ExpressionError(
                f"{ast.unparse(node.value)!r} is {value.type.noun} and has no attributes"
            )
        return functions.get([value, Code(ast.Constant(node.attr), Type.STR)])

    def _in_table(self, node: ast.Attribute) -> Code | None:
        """`config.room`, `event.row.tags`: a key of a table of the scope."""
        path = ast.unparse(node.value)
        table = self._scope.tables.get(path)
        if table is None:
            return None
        key = identifier(node.attr)
        if key in table:
            return _resolved(table[key], key)
        if f"{path}.{node.attr}" in self._scope.tables:
            return None
        guess = closest(key, table)
        none = "" if table else f"; '{path}' is empty in this spec"
        raise ExpressionError(
            f"unknown name '{path}.{node.attr}'{none}",
            ", ".join(f"{path}.{each}" for each in sorted(table)),
            f"{path}.{guess}" if guess else "",
        )

    def _compare(self, node: ast.Compare) -> Code:
        if len(node.ops) != 1:
            raise ExpressionError(
                f"{ast.unparse(node)!r} compares more than two values; join comparisons with 'and'"
            )
        [operator], [right_node] = node.ops, node.comparators
        if not isinstance(operator, (*_ORDERED, *_EQUALITY, ast.In, ast.NotIn)):
            raise ExpressionError(
                f"{ast.unparse(node)!r}: unknown operator 'is'",
                "==, !=, <, <=, >, >=, in, not in",
            )
        left, right = self.compile(node.left), self.compile(right_node)
        left, right = self._levels(left, right)
        if Type.LEVEL not in (left.type, right.type):
            left, right = left.revealed(), right.revealed()
        if isinstance(operator, (ast.In, ast.NotIn)):
            return self._membership(left, right, node, isinstance(operator, ast.NotIn))
        if isinstance(operator, _ORDERED):
            return self._order(left, right, node)
        left, right = _as_tuples(left, right)
        made = ast.Compare(left.node, [_identity(operator, left, right)], [right.node])
        return Code(made, Type.BOOL).using(left, right)

    def _levels(self, left: Code, right: Code) -> tuple[Code, Code]:
        """A level is compared with levels: `event.level == 'OK'` names one."""
        if left.type is Type.LEVEL and right.type is not Type.LEVEL:
            return left, self._as_level(right)
        if right.type is Type.LEVEL and left.type is not Type.LEVEL:
            return self._as_level(left), right
        return left, right

    def _as_level(self, code: Code) -> Code:
        match code.node:
            case ast.Constant(value=str() as word) if word in LEVELS:
                made = ast.Attribute(name_node("Level"), word)
                return Code(made, Type.LEVEL)
            case ast.List(elts=items):
                made_items = [self._as_level(Code(each, Type.STR)) for each in items]
                made_list = ast.List([each.node for each in made_items])
                return Code(made_list, Type.LIST).using(*made_items)
            case ast.Constant(value=word):
                raise ExpressionError(
                    f"unknown level {word!r}",
                    ", ".join(LEVELS),
                    closest(word, LEVELS),
                )
        raise ExpressionError(
            "a level can only be compared with a level", ", ".join(LEVELS)
        )

    def _membership(
        self, item: Code, holder: Code, node: ast.Compare, is_negative: bool
    ) -> Code:
        """`in`: for values of any type by a function that never raises."""
        types = {item.type, holder.type}
        if holder.type not in (*_TEXTS, *_LISTS, *_MAPS, Type.ANY):
            raise ExpressionError(
                f"the right side of 'in' is {holder.type.noun}",
                "a list, a map, a string",
            )
        takes_level = holder.type is Type.LIST and item.type is Type.LEVEL
        is_untyped = holder.type in (Type.VALUES, Type.ANY) or item.type is Type.ANY
        if not (is_untyped or takes_level or item.type in _TEXTS):
            raise ExpressionError(
                f"{ast.unparse(node)!r} searches for {item.type.noun} in {holder.type.noun}; "
                "text(…) turns a value into a string"
            )
        if isinstance(holder.node, ast.List):  # as ruff wants it
            holder = replace(holder, node=ast.Tuple(holder.node.elts))
        elif Type.ANY in types or holder.type in _LISTS - {Type.LIST}:
            return _total("contains", holder, item, is_negative=is_negative)
        operator = ast.NotIn() if is_negative else ast.In()
        made = ast.Compare(item.node, [operator], [holder.node])
        return Code(made, Type.BOOL).using(item, holder)

    def _order(self, left: Code, right: Code, node: ast.Compare) -> Code:
        """`<` and the like: false where the values have no order."""
        types = {left.type, right.type}
        [operator] = node.ops
        if any(types <= family for family in _FAMILIES):
            made = ast.Compare(left.node, [operator], [right.node])
            return Code(made, Type.BOOL).using(left, right)
        if Type.ANY in types and types <= {Type.ANY, *_NUMBERS, *_TEXTS}:
            return _total(_TOTAL[type(operator)], left, right)
        raise ExpressionError(
            f"{ast.unparse(node)!r} compares the order of {left.type.noun} and {right.type.noun}",
            "two numbers, two strings, two levels",
        )

    def _bool_op(self, node: ast.BoolOp) -> Code:
        parts = [self.compile(each) for each in node.values]
        return functions.either(parts, node.op)

    def _unary(self, node: ast.UnaryOp) -> Code:
        value = self.compile(node.operand)
        if isinstance(node.op, ast.Not):
            made = functions.negated(value.node)
            if not functions.is_truth(made):
                # `not not x` and the like would be x itself, perhaps a string or a secret
                made = ast.UnaryOp(ast.Not(), value.node)
            return Code(made, Type.BOOL).using(value)
        if isinstance(node.op, ast.USub) and value.type in _NUMBERS:
            made = ast.UnaryOp(ast.USub(), value.node)
            return replace(Code(made, value.type).using(value), bits=value.bits)
        raise ExpressionError(f"{ast.unparse(node)!r}: only numbers can have a sign")

    def _if_exp(self, node: ast.IfExp) -> Code:
        test = self.compile(node.test)
        body, other = self.compile(node.body), self.compile(node.orelse)
        if body.type is not other.type:
            body, other = body.revealed(), other.revealed()
        type_ = body.type if body.type is other.type else Type.ANY
        made = ast.IfExp(test.node, body.node, other.node)
        return Code(made, type_).using(test, body, other)

    def _binary(self, node: ast.BinOp) -> Code:
        sign = _SIGNS.get(type(node.op))
        if sign:
            raise ExpressionError(f"unknown operator {sign!r}", "+, -, *")
        left, right = self.compile(node.left), self.compile(node.right)
        left, right = left.revealed(), right.revealed()
        types = {left.type, right.type}
        is_sum = isinstance(node.op, ast.Add)
        if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)) and types <= _NUMBERS:
            type_ = Type.FLOAT if Type.FLOAT in types else Type.INT
        elif is_sum and types == {Type.STR}:
            type_ = Type.STR
        elif is_sum and types <= {Type.LIST, Type.VALUES}:
            type_ = left.type if len(types) == 1 else Type.VALUES
        else:
            raise ExpressionError(
                f"{ast.unparse(node)!r} combines {left.type.noun} and {right.type.noun}; "
                "text(…) turns a value into a string",
                "+ of two strings or two lists; +, - and * of numbers",
            )
        made: ast.expr = ast.BinOp(left.node, node.op, right.node)
        if type_ in _LISTS:  # a list of the configuration is a tuple in Python
            made = ast.List([*_items(left.node), *_items(right.node)])
        is_product = isinstance(node.op, ast.Mult)
        bits = left.bits + right.bits if is_product else max(left.bits, right.bits) + 1
        if Type.FLOAT not in types and types <= _NUMBERS and bits > _MAX_BITS:
            raise ExpressionError("a product of integers can exceed 900 bits")
        return replace(Code(made, type_).using(left, right), bits=bits)

    def _list(self, node: ast.List | ast.Tuple) -> Code:
        items = [self.compile(each).revealed() for each in node.elts]
        made = ast.List([each.node for each in items])
        return Code(made, list_type(items)).using(*items)

    def _dict(self, node: ast.Dict) -> Code:
        if None in node.keys:
            raise ExpressionError(
                'unknown operator "**"; merge maps with "..." in the table'
            )
        keys = [self.compile(each).as_text() for each in node.keys if each is not None]
        values = [self.compile(each).revealed() for each in node.values]
        made = ast.Dict([each.node for each in keys], [each.node for each in values])
        return Code(made, Type.FIELDS).using(*keys, *values)

    def _call(self, node: ast.Call) -> Code:
        if not isinstance(node.func, ast.Name):
            raise ExpressionError(
                f"{ast.unparse(node.func)!r} is not a function", functions.listed()
            )
        if node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
            raise ExpressionError(
                f"{ast.unparse(node)!r}: arguments have no names; give them in order"
            )
        return functions.call(node.func.id, [self.compile(each) for each in node.args])


def _resolved(code: Code, name: str) -> Code:
    if code is FAILED:
        raise UnresolvedError(f"the definition of {name!r} is wrong")
    return code


def constant_text(text: str) -> Code:
    """A string as code.

    Raises:
        ExpressionError: it has a character that cannot be sent.
    """
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ExpressionError(f"{text!a} contains a lone surrogate")
    return Code(ast.Constant(text), Type.STR, weight=1 + len(text) // 16)


def list_type(items: Sequence[Code]) -> Type:
    """Type of a list of these: `Type.LIST` where all are strings."""
    is_texts = all(each.type is Type.STR for each in items)
    return Type.LIST if is_texts else Type.VALUES


def _total(name: str, *values: Code, is_negative: bool = False) -> Code:
    """A comparison by the runtime, which is false for values that cannot be compared."""
    made: ast.expr = ast.Call(name_node(name), [each.node for each in values], [])
    if is_negative:
        made = ast.UnaryOp(ast.Not(), made)
    return Code(made, Type.BOOL).using(*values)


def _as_tuples(left: Code, right: Code) -> tuple[Code, Code]:
    """Lists that are compared: those of a configuration are tuples in Python."""
    if not {left.type, right.type} & _LISTS:
        return left, right
    both = [
        (
            replace(each, node=ast.Tuple(each.node.elts))
            if isinstance(each.node, ast.List)
            else each
        )
        for each in (left, right)
    ]
    return both[0], both[1]


def _items(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.List) else [ast.Starred(node)]


def _identity(operator: ast.cmpop, left: Code, right: Code) -> ast.cmpop:
    """`is` where something is compared with True, False or None."""
    if isinstance(left.node, ast.Constant | ast.Tuple | ast.UnaryOp):
        return operator  # Python warns of an identity of literals
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
