"""Changes the spec of a handler, and its generated code with it."""

from __future__ import annotations

from scaffold.change import Change
from scaffold.generate import ChangeSet, combined, generate_all
from scaffold.outcomes import Updated
from scaffold.shared import Fresh, Settle, unsettled
from scaffold.tree import Overlay, Tree
from scaffold.wanted import Wanted


def evolved(
    want: Wanted, spec: bytes, tree: Tree, fresh: Fresh, settle: Settle = unsettled
) -> ChangeSet:
    """The changes that give a handler a new spec and update its code.

    Until all conflicts are settled, the spec stays unchanged as well.

    Args:
        want: the wanted state, by the new spec.
        spec: the file of the new spec.
        tree: the files.
        fresh: gives the shared files and places that an older project lacks.
        settle: gives the way to settle conflicts in a file.
    """
    path = want.spec_path
    before = tree.read(path)
    result = generate_all([want], Overlay(tree, {path: spec}), fresh, settle)
    if spec == before or result.unsettled:
        return result
    # `generate` never changes a spec, so the outcome is added here
    rest = [each for each in result.outcomes if each.path != path]
    outcome = Updated(path, want.files[path], "spec")
    first = ChangeSet((Change(path, before, spec),), (outcome,))
    return combined([first, result._replace(outcomes=tuple(rest))])
