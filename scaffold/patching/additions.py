"""Adds missing tables to registration modules that an older generator made."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.errors import UnreadableFile
from scaffold.patching.anchors import CallArguments
from scaffold.patching.imports import ImportBlock
from scaffold.patching.place import Place, Registration
from scaffold.patching.slots import Unfit
from scaffold.patching.source import Source


class Wire(NamedTuple):
    """The argument that passes one table to the call that combines all of them.

    Attributes:
        argument: the argument of the call.
        imported: the import of the table, needed with the argument.
    """

    argument: Registration
    imported: Registration


def added(
    path: PurePosixPath, data: bytes, fresh: str, missing: Sequence[Place]
) -> tuple[bytes, list[Place]]:
    """A module with the tables that it lacks, taken from a new one, at its end.

    Args:
        path: the module.
        data: its content.
        fresh: the same module of a new project.
        missing: the places that it lacks.

    Returns:
        The module, and the places that it has now.

    Raises:
        UnreadableFile: the module is not valid Python.
    """
    if path.suffix != ".py":
        return data, []
    source = Source(path, data)
    lines = fresh.splitlines(keepends=True)
    bound = set(_bound(source.tree.body))
    texts: list[str] = []
    found: list[Place] = []
    needed: set[str] = set()
    for node in ast.parse(fresh).body:
        if bound & set(_bound([node])) or isinstance(node, ast.Import | ast.ImportFrom):
            continue
        first = min([node.lineno, *(each.lineno for each in _decorators(node))])
        text = "".join(lines[first - 1 : node.end_lineno])
        here = [place for place in missing if _holds(path, text, place)]
        if here:
            texts.append(text)
            found += here
            needed |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    if not texts:
        return data, []
    imports = _imports(ast.parse(fresh).body, needed - bound)
    at = _after_imports(source.tree.body)
    newline = source.newline
    head, tail = "".join(source.lines[:at]), "".join(source.lines[at:])
    block = "".join(line + newline for line in imports)
    if block and head.strip() and not _ends_in_import(source.tree.body):
        block = newline + block
    ending = "".join(newline * 2 + text.replace("\n", newline) for text in texts)
    whole = head + block + tail
    return source.encode(whole.rstrip("\r\n") + newline + ending), found


def wiring(path: PurePosixPath, fresh: str) -> list[Wire]:
    """Arguments of the call that combines the tables of a project.

    Args:
        path: the module, whose value is a call such as `Integrations(kinds=KINDS)`.
        fresh: the module of a new project.
    """
    body = ast.parse(fresh).body
    modules = {
        alias.name: node.module or ""
        for node in body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    wires: list[Wire] = []
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            anchor = CallArguments(ast.unparse(node.value.func))
            for keyword in node.value.keywords:
                name = ast.unparse(keyword.value)
                table = Place(path, "table", anchor, keyword.arg or "")
                key = f"{modules[name]}:{name}"
                wires.append(
                    Wire(
                        Registration(table, f"{keyword.arg}={name},\n"),
                        Registration(
                            Place(path, "import", ImportBlock(), key),
                            f"from {modules[name]} import {name}\n",
                        ),
                    )
                )
    return wires


def _holds(path: PurePosixPath, text: str, place: Place) -> bool:
    """True if the text of a statement contains the place."""
    try:
        place.anchor.slot(Source(path, text.encode()), place.key)
    except (Unfit, UnreadableFile):
        return False
    return True


def _decorators(node: ast.stmt) -> list[ast.expr]:
    return getattr(node, "decorator_list", [])


def _bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that the statements of a module bind."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (
                (each.asname or each.name).partition(".")[0] for each in node.names
            )
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            names = [each for each in node.targets if isinstance(each, ast.Name)]
            yield from (each.id for each in names)


def _imports(body: Sequence[ast.stmt], names: set[str]) -> Iterator[str]:
    """The import statements that bind these names, without other names."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            kept = [each for each in node.names if set(_bound_by(each)) & names]
            if kept:
                if isinstance(node, ast.ImportFrom):
                    yield ast.unparse(ast.ImportFrom(node.module, kept, node.level))
                else:
                    yield ast.unparse(ast.Import(kept))


def _bound_by(alias: ast.alias) -> Iterator[str]:
    yield (alias.asname or alias.name).partition(".")[0]


def _after_imports(body: Sequence[ast.stmt]) -> int:
    """The line after the last import, or after the docstring."""
    ends = [
        node.end_lineno or 0
        for at, node in enumerate(body)
        if isinstance(node, ast.Import | ast.ImportFrom)
        or (at == 0 and isinstance(node, ast.Expr))
    ]
    return max(ends, default=0)


def _ends_in_import(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Import | ast.ImportFrom) for node in body)
