"""Plans in files: written plans are read back, and invalid ones are refused."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest

from scaffold import plans
from scaffold.change import Change
from scaffold.errors import PlanError, PlanErrors, UsageError
from scaffold.generate import ChangeSet
from scaffold.outcomes import Created, Outcome, Updated
from scaffold.patching.outcomes import Registered
from scaffold.patching.place import Place
from scaffold.retired import Forgotten
from scaffold.tree import MemoryTree, WatchedTree

NEW, OLD, GONE = map(PurePosixPath, ("docs/new.md", "a/old.bin", "gone.py"))
FILES = {OLD: b"\xff\r\n", GONE: b"x = 1\n"}
CHANGES = (
    Change(NEW, None, "é\r\n\N{LINE SEPARATOR}".encode(), 0o755),
    Change(OLD, FILES[OLD], b"\xfe\x00"),
    Change(GONE, FILES[GONE], None),
)
PLACE = Place(OLD, "kind", Forgotten(), "huddle")
OUTCOMES: tuple[Outcome, ...] = (
    Created(NEW, role="owned"),
    Updated(OLD, role="shared"),
    Registered(PLACE, line=7, was=0),
)


def made(*changes: Change) -> dict[str, Any]:
    """A plan as its file has it."""
    tree = WatchedTree(MemoryTree(FILES))
    tree.read(OLD)
    tree.read(NEW)
    tree.names(PurePosixPath("a"))
    result = ChangeSet(changes or CHANGES, OUTCOMES)
    plan = plans.made("regenerate", "me", tree.digests, result, is_proven=True)
    document: dict[str, Any] = json.loads(plans.text(plan))
    return document


def read(document: dict[str, Any]) -> plans.Plan:
    return plans.parse(json.dumps(document).encode(), "plan.json")


def test_a_plan_is_read_as_it_was_written() -> None:
    plan = read(made())
    result = plans.result(plan, MemoryTree(FILES), "plan.json")
    assert result.changes == CHANGES
    lines = [(type(each), each.verb, each.path, each.role) for each in result.outcomes]
    assert lines == [(type(each), each.verb, each.path, each.role) for each in OUTCOMES]
    [registered] = [each for each in result.outcomes if isinstance(each, Registered)]
    assert (registered.place.key, registered.line) == ("huddle", 7)


def test_a_plan_is_the_same_each_time_and_can_be_read_by_people() -> None:
    plan = read(made())
    text = plans.text(plan)
    assert text == plans.text(read(json.loads(text)))
    assert plans.is_plan(text)
    assert b'      "path": "docs/new.md",\n' in text


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (OLD, None),
        (OLD, b"\xff\n"),
        (NEW, b"somebody's"),
        (GONE, b"x = 2\n"),
        (PurePosixPath("a/another"), b""),
    ],
)
def test_a_changed_input_is_refused(path: PurePosixPath, data: bytes | None) -> None:
    files = {**FILES, path: data}
    tree = MemoryTree({name: data for name, data in files.items() if data is not None})
    with pytest.raises(PlanError, match="changed since the plan was made") as caught:
        plans.result(read(made()), tree, "plan.json")
    paths = {problem.path for problem in caught.value.problems}
    assert paths <= {str(path), "a"}


def test_every_changed_input_is_reported() -> None:
    tree = MemoryTree({OLD: b"1", GONE: b"2"})
    with pytest.raises(PlanErrors) as caught:
        plans.result(read(made()), tree, "plan.json")
    paths = [problem.path for problem in caught.value.problems]
    assert paths == [str(OLD), str(GONE)]


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../x", "a/../../x", "a//b", "./a", "", "a/", "a\nb", "a\x1b"),
        *(".git/hooks/pre-commit", "a/.git/config"),
        *(".scaffold/lock", ".scaffold/txn/commit", ".scaffold/undo/commit"),
        *(".scaffold", ".scaffold/x"),
    ],
)
def test_a_plan_changes_nothing_that_no_command_would(path: str) -> None:
    document = made()
    document["changes"][0]["path"] = path
    with pytest.raises(UsageError, match=r"plan\.json: is not a plan"):
        read(document)


@pytest.mark.parametrize(
    "wrong",
    [
        {"plan": 2},
        {"plan": "1"},
        {"more": 1},
        {"changes": [{"path": "a"}]},
        {"changes": [{"path": "a", "before": "", "after": "!", "encoding": "base64"}]},
        {"changes": [{"path": "a", "before": "", "after": "", "mode": 0o4755}]},
        {"changes": [{"path": "a", "before": "", "after": "", "mode": -1}]},
        {"outcomes": [{"kind": "Path", "path": "a"}]},
        {"outcomes": [{"kind": "FileOutcome.__init__", "path": "a"}]},
        {"outcomes": [{"kind": "Conflicting", "path": "a"}]},
        {"inputs": {"a": 1}},
    ],
    ids=str,
)
def test_what_is_not_a_plan_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"plan\.json: is not a plan"):
        read(made() | wrong)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b"{", b"null"])
def test_what_is_not_even_json_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"plan\.json: is not a plan"):
        plans.parse(data, "plan.json")
    assert not plans.is_plan(data)
