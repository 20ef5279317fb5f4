"""The laws of changing fields: sequences of commands over several handlers, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold import state
from scaffold.errors import Conflict, SpecError
from scaffold.flags import Flags
from scaffold.spec import fields
from scaffold.spec.parse import from_flags, parse
from tests.scaffold.memory import Project

Files = Mapping[PurePosixPath, bytes]
SPECS = {
    "huddle": from_flags(Flags("huddle", fields=("channel:str", "token:secret"))).text,
    "ant_two": from_flags(Flags("ant_two", is_global=True, title="Ant 2")).text,
}
FIELDS = (
    "extra:str",
    "count:int=3",
    "who:list[str]=a,b",
    "wake:bool",
    "after:duration=1s",
)
KINDS = st.sampled_from(sorted(SPECS))


@pytest.fixture(scope="module")
def base(made_files: Files) -> Files:
    """The files of a project with these handlers."""
    made = Project(made_files)
    for spec in SPECS.values():
        made.create(spec)
    return made.files


def spec_text(made: Project, kind: str) -> str:
    return made.text(f"runtime/services/{kind}/handler.toml")


def keys(made: Project, kind: str) -> list[str]:
    """The fields of a handler."""
    document = parse(spec_text(made, kind)).document
    return sorted({*document["config"], *document.get("option", {})})


class Steps:
    """Commands and hand edits on a project."""

    def __init__(self, made: Project, data: st.DataObject) -> None:
        self.made = made
        self.data = data
        self.lines: list[str] = []

    def step(self) -> None:
        """One more; a command that is refused changes nothing."""
        kind = self.data.draw(KINDS)
        step = self.data.draw(
            st.sampled_from([self.add, self.rename, self.remove, self.edit])
        )
        before = dict(self.made.files)
        try:
            step(kind)
        except (Conflict, SpecError):
            assert self.made.files == before

    def add(self, kind: str) -> None:
        text = self.data.draw(st.sampled_from(FIELDS))
        flags = Flags(kind, (text,))
        self.made.evolve(kind, lambda spec: fields.added(spec, flags)[0])
        # again it changes nothing
        assert (
            self.made.evolve(kind, lambda spec: fields.added(spec, flags)[0]).changes
            == ()
        )

    def rename(self, kind: str) -> None:
        old = self.data.draw(st.sampled_from(keys(self.made, kind)))
        new = self.data.draw(st.sampled_from(("renamed", "of-two", "class", old)))
        self.made.evolve(kind, lambda spec: fields.renamed(spec, old, new))

    def remove(self, kind: str) -> None:
        key = self.data.draw(st.sampled_from(keys(self.made, kind)))
        self.made.evolve(kind, lambda spec: fields.removed(spec, key))

    def edit(self, kind: str) -> None:
        """A comment somewhere in a file of the handler, or in its spec."""
        record = state.read(self.made.tree, kind)
        assert record is not None
        path = self.data.draw(st.sampled_from(sorted(record.files)))
        lines = self.made.files.get(path, b"").decode().splitlines(keepends=True)
        at = self.data.draw(st.integers(0, len(lines)))
        line = f"# mine {len(self.lines)}"
        self.made.files[path] = "".join(
            [*lines[:at], f"{line}\n", *lines[at:]]
        ).encode()
        self.lines.append(line)


@settings(max_examples=10)
@given(st.data())
def test_nothing_that_people_wrote_is_lost_and_nothing_is_left_to_do(
    base: Files, data: st.DataObject
) -> None:
    made = Project(base)
    steps = Steps(made, data)
    for _ in range(data.draw(st.integers(1, 4))):
        steps.step()
        there = "".join(
            each.decode()
            for path, each in made.files.items()
            if path.parts[0] != ".scaffold"
        ).splitlines()
        assert [line for line in steps.lines if there.count(line) != 1] == []
        # an edited spec is recorded, and conflicts of a refused command are cleared
        changes = made.regenerate().changes
        assert {change.path.parts[0] for change in changes} <= {".scaffold"}
        assert made.regenerate().changes == ()
