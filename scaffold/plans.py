"""Plans: change sets in files, to be applied later exactly as they were shown.

    {
      "plan": 1,
      "command": "regenerate",
      "generator": "89dcd4…",                            this version of scaffold
      "inputs": {"docs/handlers.md": "f7bf66…", …},      digests of all that was read
      "changes": [{"path": …, "before": digest, "after": text, …}, …],
      "outcomes": […], "next": […], "notes": […]
    }

A folder among the inputs ends in `/`, and its digest is that of its names. The digest of a
file that does not exist is "". A path is absolute if it lies outside of the project.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from scaffold import outcomes as of
from scaffold.change import Change
from scaffold.disk.digests import digest, digest_of_names
from scaffold.errors import PlanError, PlanOutdated, UnreadableFile, UsageError
from scaffold.generate import ChangeSet
from scaffold.outcomes import FileOutcome, Outcome
from scaffold.patching import outcomes as at
from scaffold.patching.outcomes import PlaceOutcome
from scaffold.patching.place import Place
from scaffold.retired import Forgotten
from scaffold.tree import Tree

FORMAT = 1
_HEAD = b'{\n  "plan": '
_MAX_MODE = 0o777
_MAX_OUTSIDE_BYTES = 65_536
_STATE = ".scaffold"
_STATE_PARTS = frozenset(
    {"conflicts", "ejected", "handlers", "overrides", ".gitattributes", ".gitignore"}
)


class _File(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One change; `after` is text, or bytes in base 64, or null for a removed file."""

    path: str
    before: str
    after: str | None
    encoding: Literal["utf-8", "base64"] = "utf-8"
    mode: int | None = None


class _Line(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One outcome, as reports need it.

    `place` and `key` are those of a registration, `source` of a file that is moved.
    """

    kind: str
    path: str
    role: str = ""
    place: str = ""
    key: str = ""
    line: int = 0
    was: int = 0
    source: str = ""


class Plan(msgspec.Struct, forbid_unknown_fields=True):
    """A change set to be applied later, as its file holds it.

    Attributes:
        plan: the format.
        command: the command that made it.
        generator: digest of the scaffold that made it.
        is_proven: false if the changes restore files that need not compile.
        inputs: the digests of all files and folders that it depends on, by path.
        changes: the files.
        outcomes: the status lines.
        next: suggested next commands.
        notes: further messages.
    """

    plan: int
    command: str
    generator: str
    is_proven: bool
    inputs: dict[str, str]
    changes: list[_File]
    outcomes: list[_Line]
    next: list[str]
    notes: list[str]


def digest_outside(file: Path) -> str:
    """The digest of a file outside of the project, such as a spec on the command line."""
    try:
        if not file.is_file():
            return ""
        with file.open("rb") as stream:
            return digest(stream.read(_MAX_OUTSIDE_BYTES))
    except (OSError, ValueError):
        return "unreadable"


def is_plan(head: bytes) -> bool:
    """True if a file that begins like this is a plan."""
    return head.startswith(_HEAD)


def made(
    command: str,
    generator: str,
    inputs: Mapping[str, str],
    result: ChangeSet,
    *,
    is_proven: bool,
) -> Plan:
    """The plan of a change set."""
    return Plan(
        FORMAT,
        command,
        generator,
        is_proven,
        dict(sorted(inputs.items())),
        [_file(change) for change in result.changes],
        [_line(outcome) for outcome in result.outcomes],
        [],
        [],
    )


def text(plan: Plan) -> bytes:
    """The file that holds a plan."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"


def parse(data: bytes, name: str) -> Plan:
    """The plan that a file holds.

    Raises:
        UsageError: it is not a plan that this version can read.
    """
    try:
        plan = msgspec.json.decode(data, type=Plan)
        if plan.plan != FORMAT:
            raise ValueError(f"its format is {plan.plan}, not {FORMAT}")
        for file in plan.changes:
            _check(file)
        for line in plan.outcomes:
            _outcome(line)
    except ValueError as error:
        raise UsageError(f"{name}: is not a plan: {error}") from None
    return plan


def again(plan: Plan, file: str) -> str:
    """The command that makes a plan again, without arguments, which may be secrets."""
    return f"scaffold {shlex.quote(plan.command)} … --plan {shlex.quote(file)}"


def result(plan: Plan, tree: Tree, name: str) -> ChangeSet:
    """The change set of a plan; its registrations have only the parts that reports need.

    Args:
        plan: the plan.
        tree: the files of the project.
        name: the path of the plan.

    Raises:
        PlanOutdated: an input changed since; all of them are reported.
    """
    _refuse_changed(plan, tree, again(plan, name))
    changes: list[Change] = []
    for file in plan.changes:
        path = PurePosixPath(file.path)
        changes.append(Change(path, tree.read(path), _after(file), file.mode))
    return ChangeSet(tuple(changes), tuple(map(_outcome, plan.outcomes)))


def _refuse_changed(plan: Plan, tree: Tree, fix: str) -> None:
    """Check that no input changed since the plan was made.

    Raises:
        PlanOutdated: inputs changed; all of them are reported.
    """
    inputs = plan.inputs | {file.path: file.before for file in plan.changes}
    errors = [
        PlanError(path.rstrip("/"), "changed since the plan was made")
        for path, known in sorted(inputs.items())
        if _now(path, tree) != known
    ]
    if errors:
        raise PlanOutdated(errors, fix=fix)


def _now(path: str, tree: Tree) -> str:
    if path.endswith("/"):
        return digest_of_names(tree.names(PurePosixPath(path)))
    if path.startswith("/"):
        return digest_outside(Path(path))
    try:
        return digest(tree.read(PurePosixPath(path)))
    except UnreadableFile:
        return "unreadable"


def _file(change: Change) -> _File:
    path, before = str(change.path), digest(change.before)
    if change.after is None:
        return _File(path, before, None, mode=change.mode)
    try:
        return _File(path, before, change.after.decode(), mode=change.mode)
    except UnicodeDecodeError:
        coded = base64.b64encode(change.after).decode()
        return _File(path, before, coded, "base64", change.mode)


def _check(file: _File) -> None:
    """Check that a command could make this change.

    Raises:
        ValueError: no command could make it.
    """
    first, *rest = parts = file.path.split("/")
    if {"", ".", "..", ".git"} & {*parts} or not file.path.isprintable():
        raise ValueError(f"{file.path!r} is not a path in the project")
    if first == _STATE and not {*rest[:1]} & _STATE_PARTS:
        raise ValueError(f"{file.path!r} is not written by plans")
    if file.mode is not None and not 0 <= file.mode <= _MAX_MODE:
        raise ValueError(f"{file.path!r} has invalid permissions")
    _after(file)


def _after(file: _File) -> bytes | None:
    if file.after is None:
        return None
    if file.encoding == "base64":
        return base64.b64decode(file.after, validate=True)
    return file.after.encode()


def _line(outcome: Outcome) -> _Line:
    kind, path = type(outcome).__name__, str(outcome.path)
    if isinstance(outcome, of.Moved):
        return _Line(kind, path, role=outcome.role, source=str(outcome.source))
    if isinstance(outcome, FileOutcome):
        return _Line(kind, path, role=outcome.role)
    place = outcome.place
    return _Line(
        kind,
        path,
        place=place.place,
        key=place.key,
        line=outcome.line,
        was=outcome.was,
    )


def _outcome(line: _Line) -> Outcome:
    """The outcome that a line is about.

    Raises:
        ValueError: the name is unknown.
    """
    kind = vars(of).get(line.kind) or vars(at).get(line.kind)
    if not isinstance(kind, type):
        raise ValueError(f"unknown outcome {line.kind!r}")
    path = PurePosixPath(line.path)
    if issubclass(kind, of.Moved):
        return kind(path, role=line.role, source=PurePosixPath(line.source))
    if issubclass(kind, FileOutcome):
        return kind(path, role=line.role)
    if issubclass(kind, PlaceOutcome):
        place = Place(path, line.place, Forgotten(), line.key)
        return kind(place, line=line.line, was=line.was)
    raise ValueError(f"unknown outcome {line.kind!r}")
