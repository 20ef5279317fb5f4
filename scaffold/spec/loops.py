"""The heads of loops, `x in EXPRESSION`, and loops that leave their items unchanged."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from scaffold.expressions.code import (
    Code,
    Type,
    called,
    dotted,
    method,
    name_node,
    rendered,
)
from scaffold.expressions.compiler import Scope
from scaffold.names import identifier, key_faults
from scaffold.spec.reader import Path, Reader
from scaffold.spec.strings import EMPTY
from scaffold.spec.variables import RESERVED, loop_names

_LOOPED = (
    Type.LIST, Type.VALUES, Type.MAP, Type.FIELDS, Type.RECORDS, Type.ANY,
)  # fmt: skip
_MOST_NAMES = 2


class Head(NamedTuple):
    """The head of a loop, `x in EXPRESSION` or `k, v in EXPRESSION`.

    Attributes:
        variables: its variables in Python.
        scope: the names that expressions inside of the loop may use.
        items: the items of the loop.
    """

    variables: Sequence[str]
    scope: Scope
    items: Code

    def comprehension(self, tests: list[ast.expr]) -> ast.comprehension:
        """The loop in Python, over the items that pass tests."""
        names: list[ast.expr] = [ast.Name(each, ast.Store()) for each in self.variables]
        target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
        return ast.comprehension(target, self.items.node, tests, 0)


def read_head(
    reader: Reader,
    text: object,
    path: Path,
    scope: Scope,
    compiled: Callable[[str, Path], Code],
) -> Head:
    """The head of a loop.

    Args:
        reader: collects faults.
        text: the head, such as `x in opt.to`.
        path: its place.
        scope: the names outside of the loop.
        compiled: compiles its expression.
    """
    names = loop_names(text) if isinstance(text, str) else [""]
    expression = text.strip().partition(" in ")[2] if isinstance(text, str) else ""
    if (
        not expression
        or len(names) > _MOST_NAMES
        or any(key_faults(each, "") or identifier(each) != each for each in names)
    ):
        problem = f"{text!r} is not a loop; write 'x in EXPRESSION'"
        hint = ", or 'k, v in EXPRESSION' for a map" if "," in str(text) else ""
        reader.fault(path, f"{problem}{hint}")
        return Head(["item"], _with_item(scope, "item", "item", EMPTY), EMPTY)
    for each in names:
        if each in scope.names or each in {*scope.tables, *RESERVED}:
            reader.fault(path, f"{each!r} is already defined; use another name")
    code = compiled(expression, path)
    if len(names) == _MOST_NAMES:
        return Head(names, *_entries(reader, names, path, scope, code))
    if code is not EMPTY and code.type not in _LOOPED:
        reader.fault(path, f"loops over {code.type.noun}; use a list or a map")
    [name] = names
    # linters take `l` for a one
    variable = "item" if name == "l" and "item" not in scope.tables else name
    items = called("items_of", code, Type.ANY) if code.type is Type.ANY else code
    return Head([variable], _with_item(scope, name, variable, items), items)


def _entries(
    reader: Reader, names: Sequence[str], path: Path, scope: Scope, code: Code
) -> tuple[Scope, Code]:
    """The scope of a loop over the entries of a map, and these entries."""
    key, value = names
    if key == value:
        reader.fault(path, f"{key!r} occurs twice; use two names")
    if code.type is Type.ANY:
        code = called("entries_of", code, Type.FIELDS)
    elif code.type not in (Type.MAP, Type.FIELDS) and code is not EMPTY:
        problem = f"'{key}, {value}' needs a map, not {code.type.noun}"
        reader.fault(path, problem)
    type_ = Type.STR if code.type is Type.MAP else Type.ANY
    scope = scope.with_name(key, Code(name_node(key), Type.STR))
    scope = scope.with_name(value, Code(name_node(value), type_))
    return scope, replace(code, node=method(code.node, "items"))


def _with_item(scope: Scope, name: str, variable: str, sequence: Code) -> Scope:
    """The scope with the name of an item of a sequence, a variable in Python."""
    if sequence.type is not Type.RECORDS:
        type_ = Type.STR if sequence.type in (Type.LIST, Type.MAP) else Type.ANY
        return scope.with_name(name, Code(name_node(variable), type_))
    fields = {}
    for item in sequence.items:
        node = dotted(f"{variable}.{item.attribute}")
        is_template = item.type is Type.TEMPLATE
        code = (
            rendered(node, Type.STR, item.scope)
            if is_template
            else Code(node, item.type)
        )
        fields[item.name] = code
    return replace(scope, tables={**scope.tables, name: fields})


def unlooped(node: ast.ListComp) -> ast.expr:
    """The items of a loop that leaves all of them unchanged; else the loop."""
    [loop] = node.generators
    is_plain = isinstance(loop.target, ast.Name) and not loop.ifs
    if is_plain and ast.unparse(node.elt) == ast.unparse(loop.target):
        return loop.iter
    return node


def is_identity(loop: ast.comprehension, key: ast.expr, value: ast.expr) -> bool:
    """True if a loop over entries leaves all of them unchanged."""
    match loop.target:
        case ast.Tuple(elts=names):
            entry = [ast.unparse(each) for each in (key, value)]
            return not loop.ifs and entry == [ast.unparse(each) for each in names]
    return False
