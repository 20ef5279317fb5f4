"""The formats of projects, and the steps from each to the next.

`[tool.scaffold] format` names the format of a project. `regenerate --all` takes the steps
that are due, `check` reports them, and other commands that write refuse to run before.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from scaffold import branches, places
from scaffold.change import Change
from scaffold.errors import AnchorNotFound, UsageError
from scaffold.generate import ChangeSet, combined
from scaffold.outcomes import FormatUpgraded
from scaffold.patching.imports import uses
from scaffold.project import FORMAT, Project
from scaffold.rendering.vocabulary import vocabulary_files
from scaffold.tree import Overlay, Tree

FIX = "scaffold regenerate --all"
_SETTINGS = PurePosixPath("pyproject.toml")
_HEADER = re.compile(r"\s*\[\s*tool\s*\.\s*scaffold\s*\]\s*(#.*)?$")
_FORMAT = re.compile(r"(\s*format\s*=\s*)\d+")

Step = Callable[[Tree, str], Iterator[Change]]
"""Gives the changes that bring a project, with its package, to the next format."""


def _merged_by_entries(tree: Tree, package: str) -> Iterator[Change]:
    """Format 3: `.gitattributes` names the files that git merges with scaffold."""
    yield branches.attributed(tree, package)


def _references(tree: Tree, package: str) -> Iterator[Change]:
    """Format 4: the tables hold references, and `docs/` has the vocabulary of specs."""
    yield from _vocabulary(tree, package, is_new=True)
    for name, table, word, module in _TABLES:
        path = places.within(f"{places.ROOM}/{name}.py", package)
        data = tree.read(path)
        if data is not None:
            yield Change(path, data, _referring(path, data, table, word, module))


def _referring(
    path: PurePosixPath, data: bytes, table: str, word: str, module: str
) -> bytes:
    """A module whose table is declared with `Reference` in place of `type[WORD]`."""
    old = f"{table}: dict[str, type[{word}]]".encode()
    if data.count(old) != 1:
        return data
    data = data.replace(old, f"{table}: dict[str, Reference]".encode())
    line, new = f"from {module} import {word}".encode(), _REFERENCE
    if uses(path, data, f"{module}:{word}"):
        newline = b"\r\n" if b"\r\n" in data else b"\n"
        gap = newline * 2 if module == "typing" else newline
        new = line + gap + new
    return re.sub(rb"(?m)^%s(?=\r?$)" % re.escape(line), lambda _: new, data, count=1)


_REFERENCE = b"from runtime.references import Reference"
_TABLES = (
    ("configuration", "SECTIONS", "Any", "typing"),
    ("services", "SERVICES", "Service", "runtime.integration"),
    ("kinds", "KINDS", "Any", "typing"),
    ("properties", "PROPERTIES", "AlertHandler", "runtime.pipeline.handler"),
    ("node_handlers", "NODE_HANDLERS", "AlertHandler", "runtime.pipeline.handler"),
)
"""Module, table, and the class that its values were declared with, with its module."""

STEPS: Mapping[int, Step] = {2: _merged_by_entries, 3: _references}
"""The step from each format. Format 1, a copy of the runtime, has none: the error of
`project.find` names the remedy: move the specs to a new project."""


def _vocabulary(tree: Tree, package: str, *, is_new: bool) -> Iterator[Change]:
    """The page and the schema of specs, as this version has them.

    Args:
        tree: the project.
        package: the import package of its handlers.
        is_new: true to create missing files; false to leave files out that were removed.
    """
    for path, text in vocabulary_files().items():
        if package == "runtime" and path != places.SCHEMA:
            continue  # the checkout of this program, whose page is the source
        before = tree.read(path)
        if is_new or before is not None:
            yield Change(path, before, text.encode())


def is_outdated(project: Project) -> bool:
    """True if steps are due."""
    return project.format < FORMAT


def refuse_outdated(project: Project) -> None:
    """Check that no step is due.

    Raises:
        UsageError: the project is outdated.
    """
    if is_outdated(project):
        raise UsageError(
            f"{project.root / _SETTINGS}: the project is of format {project.format}, this "
            f"version of scaffold writes format {FORMAT}; upgrade the project first",
            fix=FIX,
        )


def upgraded(project: Project, tree: Tree) -> ChangeSet:
    """The steps that are due.

    Raises:
        AnchorNotFound: the format cannot be set in `pyproject.toml`.
    """
    files: dict[PurePosixPath, bytes | None] = {}
    results: list[ChangeSet] = []
    for format in range(project.format, FORMAT):
        now = Overlay(tree, dict(files))
        steps = [*STEPS[format](now, project.package), _set(now, format + 1)]
        changes = [change for change in steps if change.before != change.after]
        files |= {change.path: change.after for change in changes}
        outcomes = [FormatUpgraded(change.path, role="shared") for change in changes]
        results.append(ChangeSet(tuple(changes), tuple(outcomes)))
    now = Overlay(tree, dict(files))
    changes = [
        change
        for change in _vocabulary(now, project.package, is_new=False)
        if change.before != change.after
    ]
    outcomes = [FormatUpgraded(change.path, role="shared") for change in changes]
    results.append(ChangeSet(tuple(changes), tuple(outcomes)))
    return combined(results)


def _set(tree: Tree, format: int) -> Change:
    """The change that sets the format of a project."""
    data = tree.read(_SETTINGS) or b""
    text = data.decode()
    lines = text.splitlines(keepends=True)
    at = next((n for n, line in enumerate(lines) if _HEADER.match(line.rstrip())), None)
    if at is not None:
        _set_below(lines, at, format)
    after = "".join(lines)
    wanted: dict[str, Any] = tomllib.loads(text)
    wanted["tool"]["scaffold"]["format"] = format
    if _read(after) != wanted:
        # as it is now: the steps to the next are still due
        setting = f"format = {format - 1}"
        raise AnchorNotFound(_SETTINGS, "[tool.scaffold]", "not found", setting)
    return Change(_SETTINGS, data, after.encode())


def _set_below(lines: list[str], header: int, format: int) -> None:
    """Replace the setting in a section, or add it at its top."""
    for number in range(header + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            break
        if _FORMAT.match(lines[number]):
            lines[number] = _FORMAT.sub(rf"\g<1>{format}", lines[number], count=1)
            return
    newline = "\r\n" if lines[header].endswith("\r\n") else "\n"
    lines[header] = lines[header].rstrip("\r\n") + newline
    lines.insert(header + 1, f"format = {format}{newline}")


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
