"""`scaffold remove-handler`: the inverse of `new-handler`."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator

from scaffold import places, state
from scaffold.commands.change import ChangeOptions, change
from scaffold.commands.leftovers import add_leftovers
from scaffold.errors import Conflict, SpecError, StateError
from scaffold.formats import refuse_outdated
from scaffold.generate import ChangeSet, generate
from scaffold.handlers import chosen, seen
from scaffold.markers import refuse_markers
from scaffold.names import Names, default_property
from scaffold.outcomes import EntryReleased, FileOutcome, Released
from scaffold.project import Project
from scaffold.refusal import refuse
from scaffold.report import Report
from scaffold.spec.parse import parse
from scaffold.tree import DiskTree, Tree
from scaffold.wanted import nothing


def remove_handler(
    project: Project, kind: str, how: ChangeOptions, *, discard_edits: bool = False
) -> Report:
    """Remove a handler: its files, its registrations, its record.

    Args:
        project: the project.
        kind: the handler.
        how: the options of the command.
        discard_edits: also remove code edited by hand.

    Raises:
        UsageError: the handler does not exist.
        StateError: its record is missing or damaged.
        Conflict: an edit is in the way.
    """
    on_disk = DiskTree(project.root)
    refuse_markers(on_disk, project.package)
    refuse_outdated(project)
    found = seen(project, on_disk, [kind])
    chosen(project, found, [kind])
    others = set(chosen(project, found, [])) - {kind}
    names = _names(project, on_disk, kind)

    def generated(tree: Tree) -> ChangeSet:
        found = seen(project, tree, [kind])
        if state.read(found, kind) is None:
            raise _without_record(kind)
        want = nothing(kind, project.package, discards_edits=discard_edits)
        result = generate(want, found)
        # records in the overlay do not exist on disk
        changes = [each for each in result.changes if each.path not in found.files]
        result = result._replace(changes=tuple(changes))
        _refuse_edits(result, kind, project.package, discard_edits=discard_edits)
        return refuse(result)

    next_steps = ["scaffold check"] if others else []
    report = change("remove-handler", project, generated, how, next_steps)
    report.notes += _of_kept(report, kind)
    own = {
        each.path
        for each in report.result.outcomes
        if isinstance(each, FileOutcome) and each.verb == "keep"
    }
    add_leftovers(report, project, names, own)
    return report


def _names(project: Project, tree: Tree, kind: str) -> Names:
    """The names of a handler, by the spec that it was generated from."""
    path = places.spec_path(kind, project.package)
    with contextlib.suppress(SpecError, StateError):
        record = state.read(tree, kind)
        return parse(record.files[path] if record else "", str(path)).names
    return Names(kind, default_property(kind))


def _without_record(kind: str) -> StateError:
    return StateError(
        state.path(kind),
        "is missing, so generated text cannot be distinguished from edits",
        fix=shlex.join(["scaffold", "adopt", kind]),
    )


def _refuse_edits(
    result: ChangeSet, kind: str, package: str, *, discard_edits: bool
) -> None:
    """Check that no edit needs the rest of the handler.

    Raises:
        Conflict: a file contains edits.
    """
    spec = places.spec_path(kind, package)
    why = {}
    for each in result.outcomes:
        if isinstance(each, Released) and each.path == spec:
            why[each.path] = "was changed after the handler was generated"
        elif isinstance(each, EntryReleased) and each.path.suffix == ".py":
            key = f"`{each.place.key}` in {each.place.anchor.name}"
            why[each.path] = f"{key} was edited by hand and needs the handler"
    fix = ["scaffold", "remove-handler", kind, "--discard-edits"]
    if why:
        raise Conflict(why, fix="" if discard_edits else shlex.join(fix))


def _of_kept(report: Report, kind: str) -> Iterator[str]:
    """A note about edited text, which stays."""
    outcomes = report.result.outcomes
    if any(isinstance(each, Released | EntryReleased) for each in outcomes):
        again = shlex.join(["scaffold", "remove-handler", kind, "--discard-edits"])
        first = "" if report.dry_run else "scaffold undo; "
        yield f"edited text is kept; to remove it too: {first}{again}"
