"""Registration places in Python files, found by syntax.

Reading uses the standard library's `ast` to find every entry that Python would find, in any
layout. Writing needs one holder, a literal or a call, that takes new entries; without one,
the slot holds the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scaffold.patching.imports import ImportBlock
from scaffold.patching.markdown_lists import Changelog, MarkdownList
from scaffold.patching.slots import Anchor, Entry, InBrackets, Slot, Unfit
from scaffold.patching.source import Source
from scaffold.patching.syntax import (
    Literal,
    Statements,
    bracket_entries,
    entry_of,
    first_line,
    items,
    last_name,
    line_after,
    spread,
    statements,
    targets,
    text_of,
)
from scaffold.patching.toml_tables import TomlSections

__all__ = [
    "Anchor",
    "CallArguments",
    "Changelog",
    "DictLiteral",
    "ImportBlock",
    "ListLiteral",
    "MarkdownList",
    "TomlSections",
]

_ADDING = {"add", "append", "extend", "update"}


@dataclass(frozen=True)
class DictLiteral(Anchor):
    """The entries of `name = {…}` in a module; keys are the literal's own."""

    variable: str
    label = "the dict literal {variable}"
    frame = ("entries = {\n", "}\n")

    def slot(self, source: Source, key: str) -> Slot:
        """The literal of that name."""
        return _literal_slot(source, self.variable, ast.Dict, "a dict literal")


@dataclass(frozen=True)
class ListLiteral(Anchor):
    """The strings in `name = […]` (or a tuple or set); keys are the strings."""

    variable: str
    label = "the list literal {variable}"
    frame = ("entries = [\n", "]\n")

    def slot(self, source: Source, key: str) -> Slot:
        """The literal of that name."""
        kinds = ast.List | ast.Tuple | ast.Set
        return _literal_slot(source, self.variable, kinds, "a list literal")


@dataclass(frozen=True)
class CallArguments(Anchor):
    """The keyword arguments of the one call of a function; keys are their names."""

    function: str
    label = "the call {function}(…)"
    frame = ("entries(\n", ")\n")

    def slot(self, source: Source, key: str) -> Slot:
        """The call of that function."""
        calls = [
            (statement, node)
            for statement in source.tree.body
            if source.holds(self.function, first_line(statement), line_after(statement))
            for node in ast.walk(statement)
            if isinstance(node, ast.Call) and self._is_function(node.func)
        ]
        if not calls:
            raise Unfit("not found")
        entries: list[Entry] = []
        holders = []
        for outer, call in calls:
            holders.append(InBrackets(_innermost(outer, call), call))
            entries += _with_spread(source, holders[-1], branch=id(call))
        return _bracket_slot(source, entries, holders, "a call")

    def _is_function(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name | ast.Attribute) and (
            last_name(node) == self.function
        )


def _literal_slot(source: Source, variable: str, kind: object, what: str) -> Slot:
    """The slot of a variable that holds a literal, with entries that are added later."""
    entries: list[Entry] = []
    holders: list[InBrackets] = []
    times = 0
    for node, suite in statements(source.tree.body):
        if variable in targets(node):
            value = getattr(node, "value", None)
            assert isinstance(value, ast.expr)
            # `x = MappingProxyType(x)` keeps the entries
            times += not _mentions(source, value, variable)
            found = [
                InBrackets(node, each)
                for each in _parts(value)
                if isinstance(each, kind)  # type: ignore[arg-type]  # a union
            ]
            holders += found[:1]
            for each in _parts(value):
                entries += _with_spread(source, InBrackets(node, each), id(suite))
        entries += _added(source, variable, suite, node)
    if not times:
        raise Unfit("not found")
    slot = _bracket_slot(source, entries, holders, what)
    return slot._replace(refusal=f"found {times} times") if times > 1 else slot


def _mentions(source: Source, value: ast.expr, name: str) -> bool:
    """True if an expression uses a name; large literals are looked through as text."""
    start, stop = source.span(value)
    is_written = name in source.text[start:stop]
    return is_written and name in map(last_name, ast.walk(value))


def _parts(value: ast.expr) -> Iterator[ast.expr]:
    """The literals that a value is made of: `{…} | {…}`, `frozenset((…))`, `dict(a=1)`."""
    if isinstance(value, ast.BinOp):
        yield from _parts(value.left)
        yield from _parts(value.right)
    elif isinstance(value, Literal):
        yield value
    elif isinstance(value, ast.Call):
        yield value
        for each in value.args:
            yield from _parts(each)


def _with_spread(
    source: Source, holder: InBrackets, branch: int, depth: int = 0
) -> Iterator[Entry]:
    """The entries between brackets, and those of `**OTHERS`."""
    node = holder.node
    yield from bracket_entries(holder.statement, node, branch)
    for value in spread(node) if depth < 8 else []:
        if isinstance(value, Literal):
            inner = InBrackets(holder.statement, value)
            yield from _with_spread(source, inner, branch, depth + 1)
        for other, _ in statements(source.tree.body):
            if last_name(value) in targets(other):
                for part in _parts(other.value):  # type: ignore[attr-defined]
                    inner = InBrackets(other, part)
                    yield from _with_spread(source, inner, id(part), depth + 1)


def _added(
    source: Source, variable: str, suite: Statements, node: ast.stmt
) -> Iterator[Entry]:
    """The entries that a statement adds: `x["a"] = 1`, `x.update(a=1)`, `x |= {…}`."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and last_name(target) == variable:
                key = text_of(target.slice)
                yield from [entry_of(key, node, suite)] if key else []
    elif isinstance(node, ast.AugAssign) and last_name(node.target) == variable:
        for part in _parts(node.value):
            yield from _with_spread(source, InBrackets(node, part), id(suite))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call, function = node.value, node.value.func
        if isinstance(function, ast.Attribute) and function.attr in _ADDING:
            if last_name(function.value) != variable:
                return
            for part in (call, *(each for arg in call.args for each in _parts(arg))):
                yield from bracket_entries(node, part, id(suite))
            for arg in call.args:
                if text_of(arg):
                    yield entry_of(text_of(arg), node, suite)


def _bracket_slot(
    source: Source, entries: Sequence[Entry], holders: Sequence[InBrackets], what: str
) -> Slot:
    """The slot whose new entries go into the one holder, if there is one."""
    if len(holders) != 1:
        refusal = f"found {len(holders)} times" if holders else f"is not {what}"
        return Slot(tuple(entries), refusal=refusal)
    holder = holders[0]
    indent = _inner_indent(source, holder)
    return Slot(tuple(entries), indent=indent, unit=source.unit, holder=holder)


def _inner_indent(source: Source, holder: InBrackets) -> str:
    """Indentation of the lines between brackets."""
    outer = first_line(holder.node)
    for _, item in items(holder.node):
        indent = source.indent_of(first_line(item))
        if first_line(item) > outer and getattr(item, "col_offset", 0) == len(indent):
            return indent
    return source.indent_of(outer) + source.unit


def _innermost(outer: ast.stmt, call: ast.Call) -> ast.stmt:
    """The innermost statement that contains a call."""
    found = outer
    # walked from the outside to the inside
    for node in ast.walk(outer):
        if isinstance(node, ast.stmt) and any(call is each for each in ast.walk(node)):
            found = node
    return found
