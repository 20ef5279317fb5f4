"""Findings of `check`: a view of the outcomes that `generate` decides."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import conflicts, state
from scaffold import outcomes as of
from scaffold.adoption import is_generated
from scaffold.codes import CODES
from scaffold.errors import SpecError, StateError, TemplateFailed
from scaffold.formats import FIX
from scaffold.generate import ChangeSet, generate
from scaffold.outcomes import FileOutcome, Outcome
from scaffold.overrides import Found, product
from scaffold.patching import outcomes as at
from scaffold.patching.outcomes import PlaceOutcome
from scaffold.refusal import refusal
from scaffold.shared import Fresh
from scaffold.state import Record, same
from scaffold.tree import Tree
from scaffold.wanted import Wanted


class Finding(NamedTuple):
    """A difference from the generated state.

    Attributes:
        code: one of `codes.CODES`.
        path: the file.
        line: line in the file, from 1; 0 for the file as a whole.
        message: text for people.
        fix: a command that repairs it, or "".
        paste: the text to add there by hand, or "".
    """

    code: str
    path: PurePosixPath
    line: int
    message: str
    fix: str = ""
    paste: str = ""

    @property
    def name(self) -> str:
        """Name of the code."""
        return CODES[self.code].name

    @property
    def severity(self) -> str:
        """`info` for a person's own choice, which needs no repair, else `error`."""
        return CODES[self.code].severity

    @property
    def exit_code(self) -> int:
        """Exit code of `check`: 0 for information."""
        return 0 if self.is_informational else CODES[self.code].exit_code

    @property
    def is_informational(self) -> bool:
        """True if this is a person's own choice, which needs no repair."""
        return CODES[self.code].is_informational


def examine(want: Wanted, tree: Tree, result: ChangeSet) -> list[Finding]:
    """The findings about a handler.

    Args:
        want: its wanted state.
        tree: the files.
        result: outcome of `generate`.
    """
    fix = _fix(want, result)
    record = state.read(tree, want.kind)
    if want.is_gone:
        return list(_leftovers(want, result))
    if record is None:
        message = f"the handler `{want.kind}` has no record"
        if is_generated(result, want):
            fix = shlex.join(["scaffold", "adopt", want.kind])
        findings = [Finding("SC109", want.spec_path, 0, message, fix)]
        return findings + list(_findings(want, result.outcomes, _HINDRANCES, fix))
    findings = list(_findings(want, result.outcomes, _TABLE, fix))
    follow = [each for each in findings if each.code == "SC106"]
    is_behind = bool(result.changes) and not any(
        each.severity == "error" for each in findings
    )
    if _is_edited(want, tree, record) and (follow or is_behind):
        return _blamed(want, findings, follow, fix)
    if is_behind:
        record_path = state.path(want.kind)
        findings.append(Finding("SC106", record_path, 0, "is out of date", fix))
    return findings


def examined(
    want: Wanted, tree: Tree, fresh: Fresh = lambda path: None
) -> list[Finding]:
    """The findings about a handler; the arguments are those of `generate`."""
    return examine(want, tree, generate(want, tree, fresh))


def outdated(result: ChangeSet) -> list[Finding]:
    """The findings about a project of an older format.

    Args:
        result: outcome of `formats.upgraded`.
    """
    message = "is of an older format of projects"
    return [
        Finding("SC114", each.path, 0, message, FIX)
        for each in result.outcomes
        if isinstance(each, of.FormatUpgraded)
    ]


def invalid_spec(error: SpecError) -> list[Finding]:
    """The findings about a spec that cannot be used."""
    return [
        Finding("SC115", PurePosixPath(error.path), fault.line or 0, str(fault))
        for fault in error.faults
    ]


def damaged_record(error: StateError) -> Finding:
    """The finding about a record that cannot be read."""
    return Finding("SC116", error.path, error.line, error.problem, error.fix)


def unusable_template(error: TemplateFailed) -> Finding:
    """The finding about a template of the project that does not work."""
    return Finding("SC118", error.path, error.line, error.problem)


def of_overrides(found: Found, recorded: Mapping[str, str]) -> Iterator[Finding]:
    """The findings about templates of the project.

    Args:
        found: its templates.
        recorded: the product's templates, as they were copied.
    """
    ours = product() if found.overrides else {}
    for name, text, path in found.overrides:
        base, fix = recorded.get(name), shlex.join(["scaffold", "override", name])
        if base is None and text != ours[name]:
            message = "has no record of the template that it was copied from"
            yield Finding("SC117", path, 0, message, fix)
        elif base not in (None, ours[name]):
            message = "scaffold's template changed since it was copied"
            yield Finding("SC117", path, 0, message, fix)
    for path in found.unknown:
        yield Finding("SC119", path, 0, "no template of scaffold has that name")


def _fix(want: Wanted, result: ChangeSet) -> str:
    """The command that repairs a handler; never one that would be refused."""
    error = refusal(result)
    if error is not None:
        return error.fix
    for conflict in result.unsettled:
        return conflicts.ways_out(conflict.path)[0]
    return shlex.join(["scaffold", "regenerate", want.kind])


def _is_edited(want: Wanted, tree: Tree, record: Record) -> bool:
    """True if the spec changed after the code was generated."""
    now = tree.read(want.spec_path)
    return now is not None and not same(now, record.files.get(want.spec_path, ""))


def _blamed(
    want: Wanted, findings: Sequence[Finding], follow: Sequence[Finding], fix: str
) -> list[Finding]:
    """Report a changed spec once, instead of every finding that follows from it."""
    count = len({finding.path for finding in follow})
    behind = "1 file is" if count == 1 else f"{count} files are"
    message = f"changed; {behind} out of date" if count else "changed"
    rest = [finding for finding in findings if finding.code != "SC106"]
    return [Finding("SC107", want.spec_path, 0, message, fix), *rest]


class _Rule(NamedTuple):
    """Finding for one kind of outcome.

    Attributes:
        code: one of `codes.CODES`.
        message: the error; `{entry}` is the registration's key and place.
        has_fix: true if `regenerate` repairs it.
    """

    code: str
    message: str
    has_fix: bool = True


_ENTRY = "{entry}: "
_TABLE: dict[type[Outcome], _Rule] = {
    of.Created: _Rule("SC106", "is new in this version of scaffold"),
    of.Restored: _Rule("SC104", "is missing"),
    of.Updated: _Rule("SC106", "its template changed"),
    of.Removed: _Rule("SC108", "is no longer generated"),
    of.Kept: _Rule("SC105", "was edited by hand; kept"),
    of.Released: _Rule("SC108", "is no longer generated; edited by hand, so kept"),
    of.EditedConflict: _Rule("SC110", "{reason}"),
    of.ForeignConflict: _Rule("SC110", "exists with different content"),
    of.SharedFileCreated: _Rule("SC104", "is missing"),
    of.PlaceAdded: _Rule("SC101", "{anchor}: is missing"),
    of.NameOwned: _Rule("SC110", _ENTRY + "belongs to another handler"),
    of.EntryReleased: _Rule("SC108", _ENTRY + "is no longer generated; kept"),
    of.DocumentationMissing: _Rule("SC111", "{error}"),
    of.FileUnusable: _Rule("SC112", "{error}"),
    at.Registered: _Rule("SC101", _ENTRY + "is missing"),
    at.EntryUpdated: _Rule("SC106", _ENTRY + "its template changed"),
    at.Unregistered: _Rule("SC108", _ENTRY + "is no longer generated"),
    at.EntryKept: _Rule("SC103", _ENTRY + "was edited by hand; kept"),
    of.Merged: _Rule("SC106", "its template changed; edited by hand, which is kept"),
    of.Unresolved: _Rule("SC113", "{reason}"),
    at.EntryMerged: _Rule(
        "SC106", _ENTRY + "its template changed; edited by hand, which is kept"
    ),
    at.EntryConflict: _Rule("SC110", _ENTRY + "{reason}"),
    at.SurplusRemoved: _Rule("SC102", _ENTRY + "is there twice"),
    at.SurplusKept: _Rule(
        "SC102", _ENTRY + "is registered twice, with different text; remove one", False
    ),
    at.PlaceMissing: _Rule("SC101", "{error}"),
    at.NameTaken: _Rule("SC110", _ENTRY + "is already used for something else"),
}
"""The finding for each outcome; outcomes without one need no report."""

_HINDRANCES = {
    kind: rule for kind, rule in _TABLE.items() if rule.code in {"SC110", "SC112"}
}
"""The outcomes that prevent recreating a lost record."""

_LEFT = "is a leftover of the handler `{kind}`, whose handler.toml was removed"
_LEFTOVERS: dict[type[Outcome], _Rule] = {
    **_HINDRANCES,
    of.Removed: _Rule("SC108", _LEFT),
    of.Released: _Rule("SC108", _LEFT + "; edited by hand, so kept"),
    of.FileStillNeeded: _Rule("SC108", _LEFT),
    of.EntryStillNeeded: _Rule("SC108", _ENTRY + _LEFT),
    of.EntryReleased: _Rule("SC108", _ENTRY + _LEFT + "; edited by hand, so kept"),
    of.RecordRemoved: _Rule("SC108", "is the record of the removed handler `{kind}`"),
    at.Unregistered: _Rule("SC108", _ENTRY + _LEFT),
}


def _leftovers(want: Wanted, result: ChangeSet) -> Iterator[Finding]:
    """Leftovers of a handler whose spec is gone."""
    error = refusal(result)
    command = ["scaffold", "remove-handler", want.kind]
    # edited code needs the rest of the handler; documentation does not
    if any(
        isinstance(each, of.EntryReleased) and each.path.suffix == ".py"
        for each in result.outcomes
    ):
        command.append("--discard-edits")
    fix = error.fix if error is not None else shlex.join(command)
    found = list(_findings(want, result.outcomes, _LEFTOVERS, fix))
    yield from [each for each in found if each.path.parts[0] != ".scaffold"] or found


def _findings(
    want: Wanted,
    outcomes: Sequence[Outcome],
    table: dict[type[Outcome], _Rule],
    fix: str,
) -> Iterator[Finding]:
    reported: set[Finding] = set()
    for outcome in outcomes:
        rule = table.get(type(outcome))
        if rule is None:
            continue
        message = rule.message.format(
            kind=want.kind,
            entry=_entry(outcome),
            anchor=_anchor(outcome),
            error=_problem(outcome),
            reason=outcome.reason,
        )
        helps = fix if rule.has_fix else ""
        if isinstance(outcome, of.Unsettled):
            helps = conflicts.ways_out(outcome.path)[0]
            message += f"; {conflicts.CHOICE}"
        if CODES[rule.code].is_informational:
            helps = f"scaffold diff {want.kind}" if rule.code != "SC111" else ""
        line, paste = _line(outcome), _snippet(outcome)
        finding = Finding(rule.code, outcome.path, line, message, helps, paste)
        # several places of one file that is missing
        if finding not in reported:
            reported.add(finding)
            yield finding


def _line(outcome: Outcome) -> int:
    if isinstance(outcome, PlaceOutcome):
        return outcome.was or outcome.line
    return 0


def _entry(outcome: Outcome) -> str:
    if isinstance(outcome, FileOutcome):
        return ""
    return f"`{outcome.place.key}` in {outcome.place.anchor.name}"


def _anchor(outcome: Outcome) -> str:
    return "" if isinstance(outcome, FileOutcome) else outcome.place.anchor.name


def _problem(outcome: Outcome) -> str:
    """The problem of a place or a shared file, without its path."""
    error = getattr(outcome, "error", None)
    return getattr(error, "problem", "") if error is not None else ""


def _snippet(outcome: Outcome) -> str:
    """The text to paste where a place is missing, or ""."""
    if isinstance(outcome, at.PlaceMissing | of.DocumentationMissing):
        return outcome.text.strip("\n") if outcome.error is not None else ""
    return ""
