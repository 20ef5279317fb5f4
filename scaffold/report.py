"""Report of a command: lines for people, one object for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from scaffold.change import Change, unified
from scaffold.errors import Conflict, Problem
from scaffold.escaping import escaped
from scaffold.findings import Finding
from scaffold.generate import ChangeSet
from scaffold.outcomes import FileOutcome, Moved, Outcome
from scaffold.patching.outcomes import PlaceOutcome
from scaffold.statuses import status

_QUIET = frozenset({"identical", "registered"})
_MAX_STEPS = 3


@dataclass(slots=True)
class Report:
    """The result of one command.

    Attributes:
        command: its name.
        exit_code: exit code of the process.
        result: its changes.
        findings: findings of `check`.
        summary: the last status line.
        output: data for standard output.
        next: suggested next commands.
        extra: more members of the JSON object.
        dry_run: true if nothing was written.
        plan: the file that the plan of the changes is in, or "".
        brief: true if files are only counted.
        notes: further messages.
    """

    command: str
    exit_code: int = 0
    result: ChangeSet = field(default_factory=ChangeSet)
    findings: list[Finding] = field(default_factory=list)
    summary: str = ""
    output: str = ""
    next: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    plan: str = ""
    brief: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def has_written(self) -> bool:
        """True if the command changed the tree."""
        return bool(self.result.changes) and not self.dry_run


def lines(
    report: Report, *, verbose: bool = False, colour: bool = False
) -> Iterator[str]:
    """The report for people, on standard error, without the time that it took."""
    for each in report.result.outcomes:
        if verbose or not (report.brief or each.verb in _QUIET):
            yield status(each.verb, _described(each), colour=colour)
    for finding in report.findings:
        verb = "keep" if finding.is_informational else "stale"
        where = f"{finding.path}:{finding.line}" if finding.line else str(finding.path)
        text = f"{where} ({finding.code} {finding.name}) {finding.message}"
        yield status(verb, text, colour=colour)
        if finding.fix and not finding.is_informational:
            yield status("fix:", finding.fix)
        if finding.paste and not finding.is_informational:
            first, *others = finding.paste.split("\n")
            yield status("paste:", first)
            yield from (status("", line) for line in others)
    would_write = report.dry_run and bool(report.result.changes)
    yield status("would" if would_write else "done", report.summary or _counted(report))
    for note in report.notes:
        first, *others = note.split("\n")
        yield status("note:", first)
        yield from (status("", line) for line in others)
    if report.plan:
        yield f"Plan: {escaped(report.plan)}; nothing else was written."
    elif report.dry_run:
        yield "Dry run: nothing was written."
        return
    for number, command in enumerate(report.next[:_MAX_STEPS]):
        yield status("" if number else "next:", command)


def as_json(report: Report, elapsed_s: float) -> dict[str, Any]:
    """The report for machines."""
    counted = {change.path: change.counts() for change in report.result.changes}
    outcomes = report.result.outcomes
    return {
        "schema": 2,
        "command": report.command,
        "ok": report.exit_code == 0,
        "exit_code": report.exit_code,
        "dry_run": report.dry_run,
        "changes": [
            _change(each, counted)
            for each in outcomes
            if not isinstance(each, PlaceOutcome)
        ],
        "registrations": [
            _registration(each) for each in outcomes if isinstance(each, PlaceOutcome)
        ],
        "conflicts": [str(path) for path in report.result.conflicts],
        "findings": [_finding(finding) for finding in report.findings],
        "next": report.next[:_MAX_STEPS],
        "notes": report.notes,
        **report.extra,
        "elapsed_ms": round(elapsed_s * 1000),
    }


def failure(
    command: str, exit_code: int, problems: Sequence[Problem], fix: str
) -> dict[str, Any]:
    """The report for machines about a command that was refused."""
    is_conflict = exit_code == Conflict.exit_code
    return {
        "schema": 2,
        "command": command,
        "ok": False,
        "exit_code": exit_code,
        "changes": [],
        "registrations": [],
        "conflicts": [each.path for each in problems] if is_conflict else [],
        "findings": [],
        "errors": [{"severity": "error", **each._asdict()} for each in problems],
        "next": [fix] if fix else [],
    }


def patch(changes: tuple[Change, ...], *, whole: bool) -> str:
    """The changes as a patch; unless `whole`, without new files and records."""
    shown = [
        change
        for change in changes
        if whole or not (change.is_state or change.before is None)
    ]
    return unified(shown)


def _described(outcome: Outcome) -> str:
    where, what = str(outcome.path), ""
    if isinstance(outcome, PlaceOutcome):
        line = outcome.line or outcome.was
        where += f":{line}" if line else ""
        what = f" {outcome.place.place} `{outcome.place.key}`"
    if isinstance(outcome, Moved):
        where = f"{outcome.source} -> {where}"
    reason = f" ({outcome.reason})" if outcome.reason else ""
    return where + what + reason


def _counted(report: Report) -> str:
    verbs = [each.verb for each in report.result.outcomes]
    if all(verb in _QUIET or verb == "keep" for verb in verbs):
        return "nothing to do"
    return ", ".join(f"{count} {verb}" for verb, count in Counter(verbs).items())


def _change(
    outcome: FileOutcome, counted: Mapping[PurePosixPath, tuple[int, int]]
) -> dict[str, Any]:
    added, removed = counted.get(outcome.path, (0, 0))
    moved = {"source": str(outcome.source)} if isinstance(outcome, Moved) else {}
    return {
        "action": outcome.verb,
        "path": str(outcome.path),
        **moved,
        "role": outcome.role,
        "reason": outcome.reason,
        "added": added,
        "removed": removed,
    }


def _registration(outcome: PlaceOutcome) -> dict[str, Any]:
    return {
        "action": outcome.verb,
        "path": str(outcome.path),
        "place": outcome.place.place,
        "key": outcome.place.key,
        "line": outcome.line,
        "reason": outcome.reason,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "path": str(finding.path),
        "line": finding.line,
        "message": finding.message,
        "fix": finding.fix,
        "paste": finding.paste,
    }
