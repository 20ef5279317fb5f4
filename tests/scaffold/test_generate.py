"""The core, on trees in memory."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import PurePosixPath

import pytest

from scaffold.errors import AnchorNotFound, PlanError, PlanErrors, SpecError
from scaffold.flags import Flags
from scaffold.generate import ChangeSet, generate, generate_all
from scaffold.refusal import refuse
from scaffold.rendering.render import render
from scaffold.spec.parse import from_flags, parse
from scaffold.tree import MemoryTree
from scaffold.wanted import Wanted, wanted

Files = dict[PurePosixPath, bytes]

ROOM = "runtime/integrations"


@pytest.fixture
def before(made_files: Mapping[PurePosixPath, bytes]) -> Files:
    return dict(made_files)


def want(name: str) -> Wanted:
    return wanted(from_flags(Flags(name, fields=("room:str",))), "runtime", render)


def after(files: Files, result: ChangeSet) -> Files:
    changed = dict(files)
    for change in result.changes:
        assert changed.get(change.path) == change.before
        assert change.after is not None
        changed[change.path] = change.after
    return changed


def test_generating_twice_changes_nothing(before: Files) -> None:
    once = after(before, generate(want("huddle"), MemoryTree(before)))
    assert generate(want("huddle"), MemoryTree(once)).changes == ()


def test_all_at_once_is_one_after_the_other(before: Files) -> None:
    names = ["huddle", "cuddle", "muddle"]
    files = before
    for name in names:
        files = after(files, generate(want(name), MemoryTree(files)))
    result = generate_all([want(name) for name in names], MemoryTree(before))
    assert after(before, result) == files


def test_every_order_gives_the_same_files_of_each_handler(before: Files) -> None:
    seen = set()
    for names in itertools.permutations(["huddle", "cuddle"]):
        result = generate_all([want(name) for name in names], MemoryTree(before))
        files = after(before, result)
        own = {path: data for path, data in files.items() if path not in before}
        seen.add(tuple(sorted((str(path), data) for path, data in own.items())))
    assert len(seen) == 1


def test_only_inserted_lines_differ_in_shared_files(before: Files) -> None:
    for change in generate(want("huddle"), MemoryTree(before)).changes:
        if change.before is not None:
            added, removed = change.counts()
            assert (added > 0, removed) == (True, 0), change.path


def test_a_missing_shared_file_is_refused(before: Files) -> None:
    del before[PurePosixPath("runtime/integrations/services.py")]
    result = generate(want("huddle"), MemoryTree(before))
    with pytest.raises(PlanError, match=r"services\.py: is missing"):
        refuse(result)


def test_all_places_that_are_missing_are_told_at_once(before: Files) -> None:
    files = dict(before)
    for path in (f"{ROOM}/services.py", f"{ROOM}/kinds.py"):
        files[PurePosixPath(path)] = b"x = 1\n"
    with pytest.raises(PlanErrors) as caught:
        refuse(generate(want("huddle"), MemoryTree(files)))
    assert f"{ROOM}/services.py: the dict literal SERVICES" in str(caught.value)
    assert f"{ROOM}/kinds.py: the dict literal KINDS" in str(caught.value)


def test_one_place_that_is_missing_is_told_with_its_snippet(before: Files) -> None:
    path = PurePosixPath(f"{ROOM}/services.py")
    text = before[path].replace(b"SERVICES:", b"OTHERS:")
    with pytest.raises(AnchorNotFound) as caught:
        refuse(generate(want("huddle"), MemoryTree({**before, path: text})))
    assert (
        '"huddle": "runtime.services.huddle.service:Service",' in caught.value.snippet
    )


def test_a_property_of_another_handler_is_refused(before: Files) -> None:
    toml = from_flags(Flags("huddle", fields=("room:str",))).to_toml()
    once = after(before, generate(want("huddle"), MemoryTree(before)))
    clash = toml.replace('name = "huddle"', 'name = "other"\nproperty = "huddle"')
    result = generate(wanted(parse(clash), "runtime", render), MemoryTree(once))
    with pytest.raises(SpecError, match="`huddle`"):
        refuse(result)
