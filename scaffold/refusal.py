"""Turns the outcomes that stop a command into errors."""

from __future__ import annotations

import shlex

from scaffold.errors import (
    Conflict,
    Fault,
    PlanErrors,
    ScaffoldError,
    SpecError,
    UsageError,
)
from scaffold.generate import ChangeSet
from scaffold.outcomes import FileUnusable, ForeignConflict, NameOwned
from scaffold.patching.outcomes import NameTaken, PlaceMissing


def refuse(result: ChangeSet) -> ChangeSet:
    """The change set, if nothing is in its way.

    Raises:
        PlanError: places are not as expected; all of them are reported.
        SpecError: a name that the handler needs belongs to another one.
        UsageError: a name that the handler needs has another meaning.
        Conflict: files that were not generated are in the way.
    """
    error = refusal(result)
    if error is not None:
        raise error
    return result


def refusal(result: ChangeSet) -> ScaffoldError | None:
    """The error for a change set; None if nothing is in its way."""
    return _of_places(result) or _of_names(result) or _of_files(result)


def _of_places(result: ChangeSet) -> ScaffoldError | None:
    """The error for places that take no entry."""
    errors = {
        str(each.error): each.error
        for each in result.outcomes
        if isinstance(each, PlaceMissing | FileUnusable) and each.error
    }
    if not errors:
        return None
    first, *others = errors.values()
    return PlanErrors([first, *others]) if others else first


def _of_names(result: ChangeSet) -> ScaffoldError | None:
    """The error for names that are taken."""
    faults = [
        Fault(
            f"{each.path} ({each.place.place})",
            f"`{each.place.key}` belongs to the handler `{each.owner}`",
        )
        for each in result.outcomes
        if isinstance(each, NameOwned)
    ]
    if faults:
        return SpecError(faults)
    for each in result.outcomes:
        if isinstance(each, NameTaken):
            return UsageError(
                f"{each.path}: {each.place.anchor.name}: "
                f"`{each.place.key}` is already used for something else"
            )
    return None


def _of_files(result: ChangeSet) -> ScaffoldError | None:
    """The error for files that were not generated and would be overwritten."""
    foreign = {
        each.path: each.reason
        for each in result.outcomes
        if isinstance(each, ForeignConflict)
    }
    if not foreign:
        return None
    return Conflict(foreign, fix=shlex.join(["scaffold", "eject", *map(str, foreign)]))
