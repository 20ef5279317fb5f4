"""Tells what is not as it was generated, and the command that puts it right."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import places, state
from scaffold.errors import AnchorNotFound, PlanError
from scaffold.generate import Wanted, same
from scaffold.patching.patch import find, fitted, is_same, text_of
from scaffold.patching.place import Place, Registration
from scaffold.patching.slots import Entry, Slot, Source
from scaffold.patching.syntax import is_alone
from scaffold.places import EDIT
from scaffold.state import Record
from scaffold.tree import Tree

CODES = {
    "SC101": "registration-missing",
    "SC102": "registration-doubled",
    "SC103": "registration-edited",
    "SC104": "file-missing",
    "SC105": "file-edited",
    "SC106": "template-moved-on",
    "SC107": "spec-changed",
    "SC108": "leftover",
    "SC109": "record-missing",
}
"""Every finding by its stable code."""

_INFORMATIONAL = frozenset({"SC103", "SC105"})


class Finding(NamedTuple):
    """One thing that is not as it was generated.

    Attributes:
        code: one of `CODES`.
        path: the file.
        line: in it, from 1; 0: the file as a whole.
        message: what is wrong, for people.
        fix: a command that puts it right, or "".
        surplus: the first and the last line of what should not be there.
    """

    code: str
    path: PurePosixPath
    line: int
    message: str
    fix: str
    surplus: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """What the code stands for."""
        return CODES[self.code]

    @property
    def is_informational(self) -> bool:
        """Whether this is a person's own choice, which needs no repair."""
        return self.code in _INFORMATIONAL


class Examiner:
    """Examines handlers of one tree; each shared file is read once for all of them.

    Attributes:
        tree: the files.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._sources: dict[PurePosixPath, Source] = {}

    def examine(self, want: Wanted) -> list[Finding]:
        """What is wrong with a handler that has a spec."""
        record = state.read(self.tree, want.kind)
        fix = shlex.join(["scaffold", "regenerate", want.kind])
        if record is None:
            message = f"nothing is recorded of the handler `{want.kind}`"
            return [Finding("SC109", want.spec_path, 0, message, fix)]
        findings = list(self._files(want, record, fix))
        findings += self._places(want, record, fix)
        return self._blame_spec(want, record, findings)

    def leftovers(self, kind: str, package: str) -> list[Finding]:
        """What is still there of a handler whose spec is gone."""
        record = state.read(self.tree, kind) or Record({}, {})
        message = f"is left of the handler `{kind}`, whose handler.toml is gone"
        findings = list(self._entries_left(record, package, message))
        paths = [path for path in record.files if self.tree.read(path) is not None]
        fix = shlex.join(["rm", "--", *map(str, sorted(paths))])
        if not paths and not findings:
            paths = [state.path(kind)]
            fix = shlex.join(["rm", "-r", str(state.HANDLERS / kind)])
        findings += [Finding("SC108", path, 0, message, fix) for path in sorted(paths)]
        return findings

    def _entries_left(
        self, record: Record, package: str, message: str
    ) -> Iterator[Finding]:
        anchors = {
            (places.within(edit.path, package), edit.place): edit.anchor
            for edit in EDIT
            if not edit.once
        }
        for each in record.places:
            name, place, key = each.split(" ")
            path = PurePosixPath(name)
            anchor = anchors.get((path, place))
            if anchor is None or self.tree.read(path) is None:
                continue
            asked = Registration(Place(path, place, anchor, key), "")
            with contextlib.suppress(AnchorNotFound):
                source, slot = self._slot(asked)
                for entry in slot.named(key):
                    text = f"`{key}` in {anchor.name}: {message}"
                    yield _surplus("SC108", source, entry, text, "")

    def _files(self, want: Wanted, record: Record, fix: str) -> Iterator[Finding]:
        for path, text in record.files.items():
            if path == want.spec_path:
                continue
            now = self.tree.read(path)
            if now is None:
                yield Finding("SC104", path, 0, "is missing", fix)
                continue
            if not same(now, text):
                look = f"scaffold diff {want.kind}"
                yield Finding("SC105", path, 0, "was edited by hand; kept", look)
            if want.files.get(path) != text:
                yield Finding("SC106", path, 0, "its template moved on", fix)
        for path in want.files:
            if path not in record.files:
                yield Finding("SC106", path, 0, "is generated nowadays", fix)

    def _places(self, want: Wanted, record: Record, fix: str) -> Iterator[Finding]:
        for place, text in want.places.items():
            base = record.places.get(place.id)
            if not place.once and (text.strip() or base is not None):
                asked = Registration(place, text, base)
                yield from self._place(want.kind, asked, base, fix)

    def _place(
        self, kind: str, asked: Registration, base: str | None, fix: str
    ) -> Iterator[Finding]:
        try:
            source, slot = self._slot(asked)
        except AnchorNotFound as error:
            message = f"{error.anchor}: {error.problem}"
            yield Finding("SC101", asked.place.path, 0, message, fix)
            return
        name = f"`{asked.place.key}` in {asked.place.anchor.name}"
        entries = slot.named(asked.place.key)
        if not entries:
            yield Finding(
                "SC101", asked.place.path, slot.end, f"{name}: is missing", fix
            )
            return
        if len(entries) > 1:
            message = f"{name}: is there twice"
            yield _surplus("SC102", source, entries[-1], message, fix)
        line = entries[0].first + 1
        now = text_of(source, entries[0], slot)
        is_edited = not (entries[0].is_indirect or is_same(asked, now, base))
        if base is not None and is_edited:
            look = f"scaffold diff {kind}"
            message = f"{name}: was edited by hand; kept"
            yield Finding("SC103", asked.place.path, line, message, look)
        if not is_same(asked, fitted(asked, slot), base or ""):
            yield Finding("SC106", asked.place.path, line, f"{name}: moved on", fix)

    def _slot(self, asked: Registration) -> tuple[Source, Slot]:
        path = asked.place.path
        if path not in self._sources:
            data = self.tree.read(path)
            if data is None:
                raise PlanError(path, "is missing")
            self._sources[path] = Source(path, data)
        source = self._sources[path]
        return source, find(source, asked)

    def _blame_spec(
        self, want: Wanted, record: Record, findings: list[Finding]
    ) -> list[Finding]:
        """Tell a changed spec once, instead of everything that follows from it."""
        now = self.tree.read(want.spec_path)
        base = record.files.get(want.spec_path, "")
        follow = [finding for finding in findings if finding.code == "SC106"]
        if now is None or same(now, base) or not follow:
            return findings
        paths = {finding.path for finding in follow}
        message = f"changed; {len(paths)} files do not follow yet"
        fix = follow[0].fix
        rest = [finding for finding in findings if finding.code != "SC106"]
        return [Finding("SC107", want.spec_path, 0, message, fix), *rest]


def kinds(tree: Tree, package: str) -> list[str]:
    """The handlers that have a spec."""
    services = places.services(package)
    return [
        name
        for name in tree.names(services)
        if "handler.toml" in tree.names(services / name)
    ]


def mended(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, with one command for each file that holds too much.

    Two commands would not do: the first one moves the lines that the second one means.
    """
    lines: dict[PurePosixPath, list[str]] = {}
    for finding in findings:
        if finding.surplus:
            first, last = finding.surplus
            which = f"{first}d" if first == last else f"{first},{last}d"
            lines.setdefault(finding.path, []).append(which)
    return [
        (
            finding._replace(
                fix=shlex.join(
                    ["sed", "-i", ";".join(lines[finding.path]), str(finding.path)]
                )
            )
            if finding.surplus
            else finding
        )
        for finding in findings
    ]


def _surplus(
    code: str, source: Source, entry: Entry, message: str, fix: str
) -> Finding:
    """An entry too much; `fix` is for one that shares its lines with others."""
    first, last = entry.first + 1, entry.end
    if entry.holder is not None and not is_alone(source, entry):
        return Finding(code, source.path, first, message, fix)
    return Finding(code, source.path, first, message, "", (first, last))
