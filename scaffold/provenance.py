"""The handler, the template and the keys of the spec that a file, or a line, comes from."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from runtime.toml_lines import positions
from scaffold import places, state
from scaffold.errors import AnchorNotFound, SpecError, UnreadableFile
from scaffold.generate import ChangeSet
from scaffold.handlers import committed, kinds
from scaffold.names import Names, camel_case, identifier
from scaffold.patching.place import Place, Registration
from scaffold.patching.reading import find, read
from scaffold.project import Project
from scaffold.rendering.overrides import Overrides
from scaffold.rendering.product import templates_path
from scaffold.rendering.render import render
from scaffold.rendering.traces import Origin, origins
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.reader import Path as SpecPath
from scaffold.spec.reader import shown
from scaffold.spec.variants import variants
from scaffold.tree import Tree

_IMPORTS = "parts/imports.py.j2"


class Source(NamedTuple):
    """The origin of a file, or of an entry of a shared file.

    Attributes:
        kind: the handler.
        template: the name of the template, or "" for a spec or a record.
        role: `owned`, `shared`, `spec` or `state`.
        place: the place of the entry, or None.
        first: the first line of the entry, from 1.
        last: its last line.
    """

    kind: str
    template: str
    role: str
    place: Place | None = None
    first: int = 0
    last: int = 0


class Key(NamedTuple):
    """A key of a spec.

    Attributes:
        name: its path, as `option.room.doc`.
        line: line in `handler.toml`, from 1.
        reach: number of generated lines that depend on it.
        is_sure: false if only its name is on the line.
    """

    name: str
    line: int
    reach: int
    is_sure: bool = True


def sources(tree: Tree, project: Project, path: PurePosixPath) -> Iterator[Source]:
    """The origins of a file: one, or for a shared file one per entry."""
    package = project.package
    for kind in state.kinds(tree):
        if path in state.paths(kind):
            yield Source(kind, "", "state")
    for kind in kinds(tree, package):
        if path == places.spec_path(kind, package):
            yield Source(kind, "", "spec")
            continue
        try:
            names = committed(project, tree, kind).names
        except SpecError:  # `check` reports it
            continue
        for file in places.files(names, package):
            if file.path == path:
                yield Source(kind, file.template, "owned")
        yield from _entries(tree, path, names, package)


def is_shared(path: PurePosixPath, package: str) -> bool:
    """True for a file that handlers are registered in."""
    return path in {places.within(place.path, package) for place in places.EDIT}


def line_in(base: Sequence[str], now: Sequence[str], line: int) -> int:
    """The line of the generated text that a file's line matches, from 1; 0: it was edited."""
    for tag, a0, _, b0, b1 in _opcodes(base, now):
        if tag == "equal" and b0 < line <= b1:
            return a0 + line - b0
    return 0


def origin(
    template: str,
    spec: HandlerSpec,
    project: Project,
    overrides: Overrides,
    line: int,
) -> Origin | None:
    """The template line that a line of the generated text comes from."""
    found = origins(template, spec, project.package, project.style, overrides)
    if found[line - 1] is not None:
        return found[line - 1]
    text = render(template, spec, project.package, project.style, overrides)
    return _import(text.split("\n")[line - 1], overrides)


def _import(line: str, overrides: Overrides) -> Origin | None:
    """The line of the table of imports that a line was taken from."""
    imported = re.match(r"(?:from \S+ )?import \(?(\w+)", line)
    if not imported:
        return None
    own = {each.name: each.text for each in overrides}
    text = own.get(_IMPORTS) or (templates_path() / _IMPORTS).read_text("utf-8")
    name = re.compile(rf"import .*\b{imported[1]}\b")
    for number, each in enumerate(text.split("\n"), start=1):
        if name.search(each):
            return Origin(_IMPORTS, number)
    return None


def keys(
    template: str,
    spec: HandlerSpec,
    project: Project,
    overrides: Overrides,
    line: int,
) -> list[Key]:
    """The keys of the spec that a generated line depends on, the closest first.

    Each key is changed alone, and the text is generated again.
    """

    def lines(of: HandlerSpec) -> list[str]:
        text = render(template, of, project.package, project.style, overrides)
        return text.split("\n")

    now = lines(spec)
    where = positions(spec.text.removeprefix("\ufeff"))
    found: list[Key] = []
    for path, other in variants(spec):
        changed = list(_changed(now, lines(other)))
        if line in changed:
            found.append(Key(shown(path), where.line(path), len(changed)))
    by_name = () if found else _named(spec, now[line - 1])
    found += [Key(shown(path), where.line(path), 1, False) for path in by_name]
    return sorted(found, key=lambda key: key.reach)


def _named(spec: HandlerSpec, line: str) -> Iterator[SpecPath]:
    """The settings and options whose name is on a line, in any form."""
    words = set(re.findall(r"[\w-]+", line))
    for table in ("config", "option", "test"):
        for key in spec.document.get(table, {}):
            if words & {key, identifier(key), camel_case(key)}:
                yield (table, key)


def becomes(result: ChangeSet, path: PurePosixPath, line: int) -> list[str] | None:
    """The lines that replace a line; None: it stays. 0 stands for any line."""
    for change in result.changes:
        if change.path != path:
            continue
        before, after = _lines(change.before), _lines(change.after)
        for tag, a0, a1, b0, b1 in _opcodes(before, after):
            if tag != "equal" and (not line or a0 < line <= a1):
                return list(after[b0:b1])
    return None


def _entries(
    tree: Tree, path: PurePosixPath, names: Names, package: str
) -> Iterator[Source]:
    """The entries of a handler in a shared file."""
    for place in places.places(names, package):
        if place.path != path:
            continue
        try:
            source = read(path, tree.read(path) or b"")
            entries = find(source, Registration(place, "")).named(place.key)
        except (AnchorNotFound, UnreadableFile):
            continue
        for entry in entries:
            first, last = entry.first + 1, entry.end
            yield Source(names.kind, place.template, "shared", place, first, last)


def _changed(before: Sequence[str], after: Sequence[str]) -> Iterator[int]:
    """The numbers, from 1, of the lines that are removed or changed."""
    if before != after:
        for tag, a0, a1, _, _ in _opcodes(before, after):
            if tag != "equal":
                yield from range(a0 + 1, a1 + 1)


def _opcodes(
    before: Sequence[str], after: Sequence[str]
) -> Sequence[tuple[str, int, int, int, int]]:
    return difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "replace").split("\n")
