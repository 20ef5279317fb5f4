"""Imports of a module, of any form and anywhere on its top level."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.patching.slots import Anchor, Entry, InBrackets, InSuite, Slot
from scaffold.patching.source import Source
from scaffold.patching.syntax import (
    Statements,
    docstring,
    entry_of,
    first_line,
    line_after,
    logical_end,
    statements,
    targets,
)

_HEADER = re.compile(r"#!|#.*coding[:=]")


class Import(NamedTuple):
    """One name that an import statement binds.

    Attributes:
        module: its module, absolute: `runtime.alert`.
        name: the name there; "" where the module itself is imported, `*` for all.
        bound: the name here.
        node: the statement.
        suite: the statements that it is one of.
        number: its place among the statement's names, from 0.
    """

    module: str
    name: str
    bound: str
    node: ast.Import | ast.ImportFrom
    suite: Statements
    number: int

    def entry(self, key: str) -> Entry:
        """The registration that it is."""
        entry = entry_of(key, self.node, self.suite)
        if len(self.node.names) == 1:
            return entry
        return entry._replace(
            holder=InBrackets(self.node, self.node), number=self.number
        )

    def leads_to(self, module: str) -> bool:
        """True if the bound name gives access to `module`, or all its names are imported."""
        if self.module == module and self.name:
            return self.name == "*"
        path = f"{self.module}.{self.name}" if self.name else self.module
        return f"{module}.".startswith(f"{path}.")


def _natural(text: str) -> list[tuple[str, int]]:
    """Sort key that puts `foo2` before `foo10`, as import sorters do.

    Numbers and other characters are compared where they meet, so that `foo.x` comes
    before `foo2.x`.
    """
    return [
        ("0", int(part)) if part.isdecimal() else (part, 0)
        for part in re.findall(r"[0-9]+|[^0-9]", text)
    ]


@dataclass(frozen=True)
class ImportBlock(Anchor):
    """The `from package.… import …` lines of one package; keys are `module:name`."""

    label = "the import block"
    frame = ("", "")
    # import sorters compare the modules
    orders = (lambda key: _natural(key.partition(":")[0]), str)

    def scope(self, key: str) -> str:
        """The whole key: an import may make another one needless."""
        return key

    def slot(self, source: Source, key: str) -> Slot:
        """The imports of the package that `key` begins with."""
        module, _, name = key.partition(":")
        package = module.partition(".")[0]
        found = [
            each
            for each in imports(source, package)
            if each.module.partition(".")[0] == package
        ]
        if ("block", package) not in source.memo:
            source.memo["block", package] = [
                each.entry(f"{each.module}:{each.bound}") for each in found
            ]
        entries = list(source.memo["block", package])
        if not any(entry.key == key for entry in entries):
            leading = [
                each
                for each in found
                if each.leads_to(module)
                # for example `Service` for `FooService`
                or (each.module == module and name.endswith(each.name or "."))
            ]
            entries += _other_form(source, leading, name, key)
        entries.sort(key=lambda entry: entry.first)
        return _block(source, entries, key, name)


def uses(path: PurePosixPath, data: bytes, key: str) -> bool:
    """True if a module uses the name that an import binds; `key` is `module:name`.

    Raises:
        UnreadableFile: the module is not valid Python.
    """
    name = key.rpartition(":")[2]
    nodes = ast.walk(Source(path, data).tree)
    return any(isinstance(each, ast.Name) and each.id == name for each in nodes)


def imports(source: Source, package: str) -> list[Import]:
    """Imports of a module, on its top level or in a branch of `if`, `try` or `with`.

    Args:
        source: the module.
        package: the top-level package that it belongs to.
    """
    key = ("imports", package)
    if key not in source.memo:
        source.memo[key] = list(_imports(source, package))
    found: list[Import] = source.memo[key]
    return found


def _imports(source: Source, package: str) -> Iterator[Import]:
    for node, suite in statements(source.tree.body):
        if isinstance(node, ast.Import):
            for index, each in enumerate(node.names):
                bound = each.asname or each.name.partition(".")[0]
                yield Import(each.name, "", bound, node, suite, index)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(source, node, package)
            for index, each in enumerate(node.names):
                bound = each.asname or each.name
                yield Import(module, each.name, bound, node, suite, index)


def _absolute(source: Source, node: ast.ImportFrom, package: str) -> str:
    """The module that a statement imports from, without leading dots."""
    if not node.level:
        return node.module or ""
    parts = list(source.path.parts[:-1])
    if package in parts:
        # for example below `src/`
        parts = parts[parts.index(package) :]
    above = parts[: len(parts) - (node.level - 1)]
    return ".".join([*above, *([node.module] if node.module else [])])


def _other_form(
    source: Source, leading: list[Import], name: str, key: str
) -> Iterator[Entry]:
    """The statement that makes an import of `name` needless.

    Args:
        source: the module.
        leading: the imports that give access to the same object.
        name: the name that the import would bind.
        key: the import's key.
    """
    entries = [each.entry(key) for each in leading if each.name == "*"]
    if leading and not entries and name in _mentioned(source):
        # an assignment that gives the module's object a name of its own
        entries = [
            entry_of(key, node, suite)
            for node, suite in statements(source.tree.body)
            if name in targets(node)
        ]
    elif not entries:
        entries = [each.entry(key) for each in leading]
    for entry in entries[:1]:
        yield entry._replace(is_indirect=True)


def _mentioned(source: Source) -> set[str]:
    """The names that a module uses, also in annotations that are strings."""
    if "mentioned" in source.memo:
        known: set[str] = source.memo["mentioned"]
        return known
    words: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name):
            words.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.update(re.findall(r"\w+", node.value))
    source.memo["mentioned"] = words
    return words


def _block(source: Source, entries: list[Entry], key: str, name: str) -> Slot:
    """The slot for a statement of its own, among imports that come before its use."""
    body = source.tree.body
    limit = _first_use(source, name)
    top = [
        entry
        for entry in entries
        if entry.branch == id(body) and (limit < 0 or entry.first < limit)
    ]
    taken = frozenset([key] if name in _defined(body) else [])
    slot = Slot(tuple(entries), 0, lead=1, taken=taken, holder=InSuite(body))
    if top:
        node = max(top, key=lambda entry: entry.first)
        index = next(i for i, each in enumerate(body) if first_line(each) == node.first)
        return slot._replace(end=logical_end(source, body, index))
    before = [
        index
        for index, each in enumerate(body)
        if isinstance(each, ast.Import | ast.ImportFrom)
        if limit < 0 or first_line(each) < limit
    ] or [0] * len(docstring(body))
    if before:
        return slot._replace(end=logical_end(source, body, before[-1]))
    return slot._replace(end=_below_header(source), lead=0)


def _below_header(source: Source) -> int:
    """The first possible line of an import: after `#!` and the encoding."""
    line = 0
    for text in source.lines[:2]:
        if not _HEADER.match(text.removeprefix("\ufeff")):
            break
        line += 1
    return line


def _first_use(source: Source, name: str) -> int:
    """The line of the first top-level statement that needs `name`; -1: none does."""
    for node in source.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if source.holds(name, first_line(node), line_after(node)) and any(
            isinstance(each, ast.Name) and each.id == name for each in ast.walk(node)
        ):
            return first_line(node)
    return -1


def _defined(body: Statements) -> Iterator[str]:
    """The names that a module defines itself."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        yield from targets(node)
