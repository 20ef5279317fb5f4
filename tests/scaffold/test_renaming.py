"""The laws of renaming a handler: over specs, edits and names, in memory."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold.disk import commit, recovery
from scaffold.errors import Conflict
from scaffold.flags import Flags
from scaffold.names import Names, default_property, rewording
from scaffold.spec.parse import from_flags
from tests.draws import drawn
from tests.examples import share
from tests.scaffold.files import files
from tests.scaffold.memory import Project, record
from tests.scaffold.rendered import spec_of

Files = Mapping[PurePosixPath, bytes]
LOG = PurePosixPath("CHANGELOG.md")
SPECS = {
    "huddle": from_flags(Flags("huddle", fields=("channel:str", "token:secret"))).text,
    "ant_two": from_flags(Flags("ant_two", is_global=True, title="Ant 2")).text,
    "every_thing": spec_of("everything").text,
}
_UNDO = ".scaffold/undo"
NEW = ("ivy", "chime_in", "huddle_two", "zz")


@pytest.fixture(scope="module")
def bases(made_files: Files) -> dict[str, Files]:
    """The files of a project with all handlers but one, and with that one too."""
    made = Project(made_files)
    bases = {"": dict(made.files)}
    for kind, spec in SPECS.items():
        made = Project(made_files)
        made.create(spec)
        bases[kind] = dict(made.files)
    return bases


@pytest.mark.parametrize("new", drawn(NEW, 2))
@pytest.mark.parametrize("kind", SPECS)
def test_there_and_back_is_no_change(
    bases: dict[str, Files], kind: str, new: str
) -> None:
    made = Project(bases[kind])
    made.rename_handler(kind, new)
    assert not [path for path in made.files if kind in path.parts]
    assert made.codes() == []
    assert made.regenerate(new).changes == ()
    title = {"ant_two": "Ant 2", "every_thing": "Every Thing"}.get(kind, "")
    made.rename_handler(new, kind, property=default_property(kind), title=title)
    assert made.files == bases[kind]


@pytest.mark.parametrize("new", NEW)
def test_a_renamed_handler_is_as_a_new_one(bases: dict[str, Files], new: str) -> None:
    made = Project(bases["huddle"])
    made.rename_handler("huddle", new)
    other = Project(bases[""])
    fields = ("channel:str", "token:secret")
    other.create(from_flags(Flags(new, fields=fields)).text)
    own = PurePosixPath(record(new))  # has the line that was written into the changelog
    assert {
        path: data for path, data in made.files.items() if path not in (LOG, own)
    } == {path: data for path, data in other.files.items() if path not in (LOG, own)}


LINES = (
    "# of Huddle and of huddle",
    "# HuddleServer, test_huddle_service",
    "# footer, huddled, shuddle, a-huddle",
    "# https://huddle.example.com/huddle",
    "# plain",
)


@settings(max_examples=share(1 / 4))
@given(st.data())
def test_lines_of_people_come_along(
    bases: dict[str, Files], data: st.DataObject
) -> None:
    made = Project(bases["huddle"])
    new = data.draw(st.sampled_from(("hum", "hive", "ivy", "zz_top")))
    own = sorted(
        path for path in made.files if path.suffix == ".py" and "huddle" in path.parts
    )
    reword = rewording(Names("huddle", "huddle"), Names(new, default_property(new)))
    wanted = []
    for number in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(own))
        lines = made.files[path].decode().splitlines(keepends=True)
        at = data.draw(st.integers(0, len(lines)))
        line = f"{data.draw(st.sampled_from(LINES))} {number}"
        lines.insert(at, f"{line}\n")
        made.files[path] = "".join(lines).encode()
        wanted.append(reword(line))
    before = dict(made.files)
    try:
        made.rename_handler("huddle", new)
    except Conflict:
        assert made.files == before
        return
    there = "".join(
        each.decode()
        for path, each in made.files.items()
        if path.suffix == ".py" and path.parts[0] != ".scaffold"
    ).splitlines()
    assert [line for line in wanted if there.count(line) != 1] == []
    # edited or not, what is there is what would be generated, and what people wrote
    assert made.regenerate(new).changes == ()
    assert set(made.codes(new)) <= {"SC103", "SC105"}


class Stopped(BaseException):
    """The process is gone."""


class Dying:
    """Lets a number of calls of the system through, and none after them.

    Attributes:
        calls: the number of calls that were asked for.
    """

    def __init__(self, calls: int) -> None:
        self.left = calls
        self.calls = 0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls > self.left:
                raise Stopped
            return call(*args, **kwargs)

        return wrapped


def on_disk(root: Path) -> dict[str, bytes]:
    return {
        path: data for path, data in files(root).items() if not path.startswith(_UNDO)
    }


def written(root: Path, found: Files) -> None:
    for path, data in found.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def test_stopped_at_any_call_a_handler_has_its_old_name_or_its_new_one(
    bases: dict[str, Files], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Project(bases["huddle"])
    made.edit("runtime/services/huddle/service.py", '"""The', '# mine\n"""The')
    before = dict(made.files)
    changes = made.rename_handler("huddle", "hive").changes
    old, new = (
        {str(path): data for path, data in each.items()}
        for each in (before, made.files)
    )
    seen = set()
    for number in itertools.count():
        root = tmp_path / str(number)
        written(root, before)
        dying = Dying(number * 67)
        with contextlib.suppress(Stopped), monkeypatch.context() as patch:
            for name in (
                "open",
                "write",
                "fsync",
                "fchmod",
                "replace",
                "mkdir",
                "unlink",
            ):
                patch.setattr(os, name, dying.wrap(getattr(os, name)))
            with recovery.locked(root):
                commit.apply(root, changes, "rename-handler")
        recovery.recover(root)
        found = on_disk(root)
        assert found in (old, new)
        seen.add("old" if found == old else "new")
        shutil.rmtree(root)
        if dying.calls <= dying.left:
            break
    assert number > 5
    assert seen == {"old", "new"}
