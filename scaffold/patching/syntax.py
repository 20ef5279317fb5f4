"""What anchors ask of a Python file's syntax tree: classes, literals, lines, indents."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

from scaffold.patching.slots import Entry, Slot, Source, Unfit


def classes(source: Source, name: str) -> list[ast.ClassDef]:
    """The classes of a module that have this name."""
    return [
        node
        for node in _statements(source.tree.body)
        if isinstance(node, ast.ClassDef) and node.name == name
    ]


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """A module's statements, also those under `if` and `try`."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _statements([*node.body, *node.orelse])
        if isinstance(node, ast.Try):
            yield from _statements(node.finalbody)
            for handler in node.handlers:
                yield from _statements(handler.body)


def assigned(source: Source, name: str) -> Iterator[ast.expr]:
    """What a module assigns to a name."""
    for node in _statements(source.tree.body):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if name in [last_name(target) for target in targets]:
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            if node.value is not None:
                yield node.value


def bracketed(
    source: Source, node: ast.AST, items: Sequence[tuple[str, ast.AST]]
) -> Slot:
    """The slot between the brackets of a literal, a call or an import."""
    first, end = first_line(node), line_after(node)
    if first == end - 1:
        raise Unfit("is written on one line; put each entry on a line of its own")
    commas = [_comma(source, item, end) for _, item in items]
    found = (entry_of(source, key, item) for key, item in items)
    entries = separate(
        entry._replace(end=max(entry.end, comma + 1))
        for entry, comma in zip(found, commas, strict=True)
    )
    closing = source.lines[end - 1].lstrip()
    inside = not entries or (entries[0].first > first and entries[-1].end < end)
    if not inside or closing[:1] not in {")", "]", "}"}:
        raise Unfit("does not have each entry on a line of its own")
    outer = source.indent_of(end - 1)
    indent, unit = _inner_indent(source, outer, [entry.first for entry in entries])
    if not entries:
        return Slot((), end - 1, indent, unit)
    return Slot(entries, entries[-1].end, indent, unit, closed=commas[-1] >= 0)


def _comma(source: Source, node: ast.AST, end: int) -> int:
    """The line, from 0, of the comma after an entry; -1: there is none.

    Between the two stand only brackets around the entry, blanks and comments.
    """
    line = line_after(node) - 1
    column = getattr(node, "end_col_offset", 0)
    # Columns count bytes, and not those of a byte order mark.
    text = source.lines[line].removeprefix("\ufeff").encode()[column:].decode()
    while True:
        text = text.lstrip(" \t\f\r\n)")
        if text.startswith(","):
            return line
        line += 1
        if line >= end or not (text == "" or text.startswith("#")):
            return -1
        text = source.lines[line]


def span(key: ast.expr | None, value: ast.expr) -> ast.AST:
    """A node that reaches from a dict's key to its value."""
    node = ast.Pass()
    start = key or value
    node.lineno, node.col_offset = start.lineno, start.col_offset
    node.end_lineno, node.end_col_offset = value.end_lineno, value.end_col_offset
    return node


def entry_of(source: Source, key: str, node: ast.AST) -> Entry:
    """The entry that a node is, with the comments above it."""
    first = first_line(node)
    return Entry(key, source.with_comments(first), first, line_after(node))


def separate(entries: Iterator[Entry]) -> tuple[Entry, ...]:
    """The entries, none of which shares a line with another."""
    found = tuple(entries)
    for before, after in itertools.pairwise(found):
        if after.first < before.end:
            raise Unfit(f"has two entries on line {after.first + 1}")
    return found


def first_line(node: ast.AST) -> int:
    """The line, from 0, that a node begins on, with its decorators."""
    decorators = getattr(node, "decorator_list", [])
    line: int = getattr(decorators[0] if decorators else node, "lineno", 1)
    return line - 1


def line_after(node: ast.AST) -> int:
    """The line after a node, from 0."""
    line: int | None = getattr(node, "end_lineno", None)
    return line or 0


def docstring(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statement that is the docstring; empty where there is none."""
    if body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return [body[0]]
    return []


def body_indent(source: Source, owner: ast.ClassDef) -> tuple[str, str]:
    """How a class's body is indented, and one step of it."""
    if owner.body[0].lineno == owner.lineno:
        raise Unfit("is written on one line")
    lines = [node.lineno - 1 for node in owner.body]
    outer = source.indent_of(owner.lineno - 1)
    return _inner_indent(source, outer, lines)


def _inner_indent(source: Source, outer: str, lines: Sequence[int]) -> tuple[str, str]:
    """How lines inside something are indented, and one step of it."""
    indents = {source.indent_of(line) for line in lines}
    if len(indents) > 1:
        raise Unfit("mixes indentations")
    if not indents:
        unit = "\t" if outer.startswith("\t") else "    "
        return outer + unit, unit
    [indent] = indents
    if not indent.startswith(outer) or len(indent) == len(outer):
        return indent, "    "
    return indent, indent[len(outer) :]


def members(owner: ast.ClassDef) -> Iterator[str]:
    """The names that a class's body gives."""
    for node in owner.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign):
            yield last_name(node.target)
        elif isinstance(node, ast.Assign):
            yield from (last_name(target) for target in node.targets)


def last_name(node: ast.expr) -> str:
    """The last name in `a.b`, `a.b(…)` or `a[…]`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    return ""


def text_of(node: ast.expr | None) -> str:
    """The text of a string literal; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""
