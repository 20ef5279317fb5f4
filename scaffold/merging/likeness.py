"""Compares texts regardless of layout: a difference in layout only is not an edit.

Formatters, import sorters and hooks rewrite files without an edit of a person. Line length, kind of
quotes, order of imports, blank lines, line ends and the padding of tables do not count;
comments do.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from scaffold.patching.layout import comments

_RULE = re.compile(r"^\|[ :|-]+$")
_CELL = re.compile(r"\s*\|\s*")
_QUOTED = frozenset({".conf", ".toml", ".yaml", ".yml"})

Meaning = tuple[object, ...]


def is_alike(path: PurePosixPath, one: str, other: str) -> bool:
    """True if two texts of a file differ in layout only."""
    if one == other:
        return True
    if path.suffix != ".py":
        return list(plain_lines(path, one)) == list(plain_lines(path, other))
    try:
        return meaning(one) == meaning(other)
    except (SyntaxError, ValueError):  # a person may have broken it
        return False


def meaning(code: str) -> Meaning:
    """The meaning of Python statements: their syntax and comments.

    Raises:
        SyntaxError: it is not Python.
        ValueError: it has a NUL.
    """
    tree = ast.parse(code)
    imports, others = [], []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += [each for each, _ in imported(node)]
        else:
            others.append(node)
    for each in ast.walk(tree):
        _clean_docstring(each)
    notes = comments(code)
    if imports:  # their order shows which one a comment is about
        notes = sorted(("", comment) for _, comment in notes)
    syntax = [ast.dump(node) for node in others]
    return sorted(imports), syntax, notes


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The imports of a statement, each in its shortest form, and the names they bind."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            renamed = f" as {alias.asname}" if alias.asname else ""
            bound = alias.asname or alias.name.partition(".")[0]
            yield f"import {alias.name}{renamed}", bound
        return
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        renamed = f" as {alias.asname}" if alias.asname else ""
        yield f"from {module} import {alias.name}{renamed}", alias.asname or alias.name


def plain_lines(path: PurePosixPath, text: str) -> Iterator[str]:
    """The lines of a document, without empty ones and without differences by formatters."""
    for line in text.split("\n"):
        plain = plain_line(path, line)
        if plain:
            yield plain


def plain_line(path: PurePosixPath, line: str) -> str:
    """A line of a document, without differences by formatters."""
    line = line.rstrip()
    if line.startswith("|"):
        return "|---|" if _RULE.match(line) else _CELL.sub("|", line)
    return line.replace("'", '"') if path.suffix in _QUOTED else line


def _clean_docstring(node: ast.AST) -> None:
    """Remove the indentation of a docstring, which depends on the code around it."""
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            lines = (line.strip() for line in value.value.split("\n"))
            value.value = "\n".join(lines).strip()
