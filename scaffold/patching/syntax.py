"""Queries on the syntax tree of a Python file: literals, entries, lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from scaffold.patching.slots import Entry, InBrackets, InSuite
from scaffold.patching.source import Source

Statements = Sequence[ast.stmt]
Literal = ast.Dict | ast.List | ast.Tuple | ast.Set
Function = ast.FunctionDef | ast.AsyncFunctionDef

_COMMENT = re.compile(r"#[^\n]*")
_CLOSING = re.compile(r"(?:\s|#[^\n]*\n)*\)")
_ALONE = re.compile(r"[ \t\f)]*,?[ \t\f]*(?:#.*)?\r?$")


def statements(body: Statements) -> Iterator[tuple[ast.stmt, Statements]]:
    """A module's statements, each with its suite.

    Those under `if`, `try`, `with`, `for`, `while` and `match` belong to it; those of
    functions and of classes do not.
    """
    for node in body:
        yield node, body
        if not isinstance(node, ast.ClassDef | Function):
            for suite in suites(node):
                yield from statements(suite)


def suites(node: ast.AST) -> Iterator[Statements]:
    """The blocks of a compound statement."""
    for name in ("body", "orelse", "finalbody"):
        suite = getattr(node, name, None)
        if isinstance(suite, list) and suite:
            yield suite
    for branch in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield branch.body


def targets(node: ast.stmt) -> list[str]:
    """The names that a statement assigns to."""
    if isinstance(node, ast.Assign):
        return [last_name(target) for target in node.targets]
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return [last_name(node.target)]
    return []


def bracket_entries(statement: ast.stmt, node: ast.AST, branch: int) -> list[Entry]:
    """The entries of a literal, a call or an import, in the order of the file."""
    holder = InBrackets(statement, node)
    return [
        Entry(key, first_line(item), line_after(item), holder, index, branch)
        for index, (key, item) in enumerate(items(node))
        if key
    ]


def items(node: ast.AST) -> list[tuple[str, ast.AST]]:
    """The entries between the brackets, by key; "" for a key that only a run would show."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [(text_of(key), _span(key, value)) for key, value in pairs]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name, alias) for alias in node.names]
    if isinstance(node, ast.Call):
        words: list[tuple[str, ast.AST]] = [("", each) for each in node.args]
        words += [(word.arg or "", word) for word in node.keywords]
        return sorted(words, key=lambda item: _start(item[1]))
    assert isinstance(node, ast.List | ast.Tuple | ast.Set)
    return [(text_of(item), item) for item in node.elts]


def _item(node: ast.AST, index: int) -> ast.AST:
    """One of the `items`."""
    if isinstance(node, ast.Dict):
        return _span(node.keys[index], node.values[index])
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return node.elts[index]
    return items(node)[index][1]


def spread(node: ast.AST) -> list[ast.expr]:
    """The sources of further entries of a literal or a call: `**OTHERS`, `*OTHERS`."""
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [value for key, value in pairs if key is None]
    if isinstance(node, ast.Call):
        return [word.value for word in node.keywords if word.arg is None]
    elements = getattr(node, "elts", [])
    return [each.value for each in elements if isinstance(each, ast.Starred)]


def _start(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _span(key: ast.expr | None, value: ast.expr) -> ast.AST:
    """A node that reaches from a dict's key to its value."""
    node = ast.Pass()
    start = key or value
    node.lineno, node.col_offset = start.lineno, start.col_offset
    node.end_lineno, node.end_col_offset = value.end_lineno, value.end_col_offset
    return node


def entry_of(key: str, node: ast.stmt, suite: Statements) -> Entry:
    """The entry that consists of a statement of a suite.

    A string below an assignment describes it, so it is part of the entry.
    """
    index, last = suite.index(node), node
    if isinstance(node, ast.AnnAssign | ast.Assign):
        for below in suite[index + 1 : index + 2]:
            last = below if docstring([below]) else last
    first, end = first_line(node), line_after(last)
    return Entry(key, first, end, InSuite(suite), index, id(suite))


def is_alone(source: Source, entry: Entry) -> bool:
    """True if an entry has its lines to itself."""
    start, stop = entry_span(source, entry)
    bottom = source.text.find("\n", stop)
    below = source.text[stop : bottom if bottom >= 0 else len(source.text)]
    above = source.text[source.text.rfind("\n", 0, start) + 1 : start]
    return not above.strip("\ufeff \t\f") and bool(_ALONE.match(below))


def entry_span(source: Source, entry: Entry) -> tuple[int, int]:
    """Start and end of an entry in a file's text, without its comma."""
    holder, index = entry.holder, entry.number
    if isinstance(holder, InBrackets):
        start, stop = source.span(_item(holder.node, index))
        if isinstance(holder.node, ast.Dict):
            stop = _with_parentheses(source, holder.node, index, stop)
        return start, stop
    assert holder is not None
    body = holder.statements
    start, stop = source.span(body[index])
    for below in body[index + 1 : index + 2]:
        if entry.end > line_after(body[index]) and docstring([below]):
            stop = source.span(below)[1]
    return start, stop


def _with_parentheses(source: Source, node: ast.Dict, index: int, stop: int) -> int:
    """End of a value, with the parentheses around it, which are not in the tree."""
    key = node.keys[index]
    if key is None:
        return stop
    between = source.text[source.span(key)[1] : source.span(node.values[index])[0]]
    for _ in range(_COMMENT.sub("", between).count("(")):
        closing = _CLOSING.match(source.text, stop)
        stop = closing.end() if closing else stop
    return stop


def logical_end(source: Source, body: Statements, index: int) -> int:
    """The line after all statements that share lines with this one."""
    end = line_after(body[index])
    for node in body[index + 1 :]:
        if first_line(node) >= end:
            break
        end = line_after(node)
    while end <= len(source.lines) and source.lines[end - 1].rstrip().endswith("\\"):
        # Python continues the statement, with an empty line
        end += 1
    return min(end, len(source.lines))


def first_line(node: ast.AST) -> int:
    """The line, from 0, that a node begins on, with its decorators."""
    decorators = getattr(node, "decorator_list", [])
    line: int = getattr(decorators[0] if decorators else node, "lineno", 1)
    return line - 1


def line_after(node: ast.AST) -> int:
    """The line after a node, from 0."""
    line: int | None = getattr(node, "end_lineno", None)
    return line or 0


def docstring(body: Statements) -> list[ast.stmt]:
    """The statement that is the docstring; empty where there is none."""
    if body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return [body[0]]
    return []


def last_name(node: ast.AST) -> str:
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
