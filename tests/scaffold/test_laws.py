"""The laws of removing: sequences of commands over several handlers, in memory.

1. A new handler, made again, changes nothing.
2. A new handler, removed, leaves every byte as it was, among others and in any order.
4. A line that a person added is still there, after any command.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold import handlers, places, state
from scaffold.errors import Conflict, PlanError, SpecError
from scaffold.flags import Flags
from scaffold.rendering.projects import project_file, project_files
from scaffold.spec.parse import from_flags
from scaffold.tree import MemoryTree
from tests.scaffold.memory import Project
from tests.scaffold.rendered import spec_of

Files = Mapping[PurePosixPath, bytes]

SPECS = {
    "every_thing": spec_of("everything").to_toml(),
    **{
        kind: from_flags(Flags(kind, fields=fields)).to_toml()
        for kind, fields in (
            ("huddle", ("channel:str", "token:secret")),
            ("ant", ()),
            ("ant_hill", ("room:str",)),
        )
    },
}
kinds = st.sampled_from(sorted(SPECS))
_FRESH = functools.cache(functools.partial(project_file, package="alerts"))


def project(files: Files, package: str) -> Project:
    made = Project(files, package)
    if package == "alerts":
        made.fresh = _FRESH
    return made


@pytest.fixture(scope="session")
def bases(made_files: Files) -> dict[str, Files]:
    """The files of a new project, and those of this repository, by their package."""
    new = {path: text.encode() for path, text in project_files("alerts").items()}
    new |= {
        change.path: change.after
        for change in state.settings(MemoryTree(new))
        if change.after is not None
    }
    return {"alerts": new, "runtime": dict(made_files)}


_built: dict[tuple[str, ...], dict[PurePosixPath, bytes]] = {}


def built(
    package: str, base: Files, order: tuple[str, ...]
) -> dict[PurePosixPath, bytes]:
    """The files after making these handlers, in this order."""
    key = package, *order
    if key not in _built:
        files = built(package, base, order[:-1]) if order else dict(base)
        made = project(files, package)
        if order:
            made.create(SPECS[order[-1]])
        _built[key] = made.files
    return dict(_built[key])


@settings(max_examples=12, deadline=None)
@given(
    package=st.sampled_from(["alerts", "runtime"]), steps=st.lists(kinds, max_size=7)
)
def test_what_is_removed_was_never_there(
    bases: dict[str, Files], package: str, steps: list[str]
) -> None:
    base = bases[package]
    made = project(base, package)
    order: list[str] = []
    for kind in steps:
        if kind in order:
            made.remove_handler(kind)
            order.remove(kind)
        else:
            made.create(SPECS[kind])
            order.append(kind)
        assert made.files == built(package, base, tuple(order))
    for kind in order:
        made.remove_handler(kind)
    assert made.files == base


TYPES = (
    *("str", "str=a 'b' \\ {c}", "int=3", "float=1.5", "bool", "duration=10s"),
    *("secret", "url=http://x.example.com", "list[str]=a,b", "map[str]=a=b", "any"),
)


@st.composite
def flags(draw: st.DrawFn) -> Flags:
    """Flags of a handler with settings of any types."""
    settings_ = draw(
        st.dictionaries(
            st.sampled_from(["room", "a-b", "class", "config", "x1", "message"]),
            st.tuples(st.sampled_from(["fields", "config"]), st.sampled_from(TYPES)),
            max_size=4,
        )
    )
    kinds_of: dict[str, list[str]] = {"fields": [], "config": []}
    for name, (kind, type_) in settings_.items():
        kinds_of[kind].append(f"{name}:{type_}")
    is_global = draw(st.booleans())
    return Flags(
        "zoo_two",
        fields=kinds_of["fields"],
        config=kinds_of["config"],
        is_global=is_global,
        state_changes_only=is_global and draw(st.booleans()),
        title=draw(st.sampled_from(["", "Zoo", 'A "Zoo" \\ of {2}'])),
        is_form=draw(st.booleans()),
    )


@settings(max_examples=5, deadline=None)
@given(flags=flags(), other=kinds)
def test_any_handler_is_made_once_and_leaves_nothing(
    bases: dict[str, Files], flags: Flags, other: str
) -> None:
    before = built("alerts", bases["alerts"], (other,))
    made = project(before, "alerts")
    try:
        spec = from_flags(flags).to_toml()
    except SpecError:
        hypothesis.reject()
    made.create(spec)
    assert made.create(spec).changes == ()
    assert made.regenerate().changes == ()
    for path, data in made.files.items():
        if path.suffix == ".py" and before.get(path) != data:
            compile(data, str(path), "exec", dont_inherit=True)
    made.remove_handler("zoo_two")
    assert made.files == before


@pytest.mark.parametrize("package", ["alerts", "runtime"])
def test_a_removal_says_all_that_it_does(bases: dict[str, Files], package: str) -> None:
    made = project(built(package, bases[package], ("huddle",)), package)
    recorded = state.read(made.tree, "huddle")
    assert recorded is not None
    verbs = Counter(each.verb for each in made.remove_handler("huddle").outcomes)
    # the record itself is one more
    assert verbs == {
        "remove": len(recorded.files) + 1,
        "unregister": len(recorded.places),
    }


class Person:
    """Adds lines to the files of a project, each of them once."""

    def __init__(self, made: Project) -> None:
        self.made = made
        self.lines: list[str] = []

    def add(self, data: st.DataObject) -> None:
        """Insert a comment somewhere in a file."""
        shared = {places.within(each.path, self.made.package) for each in places.EDIT}
        own = {
            path
            for kind in handlers.kinds(self.made.tree, self.made.package)
            if (record := state.read(self.made.tree, kind))
            for path in record.files
            # a handler is removed with its spec; `test_regenerate_laws` edits specs, too
            if path != places.spec_path(kind, self.made.package)
        }
        path = data.draw(st.sampled_from(sorted(shared | own)))
        lines = self.made.files.get(path, b"").decode().splitlines(keepends=True)
        at = data.draw(st.integers(0, len(lines)))
        line = f"# mine {len(self.lines)}"
        lines[at:at] = [f"{line}\n"]
        self.lines.append(line)
        self.made.files[path] = "".join(lines).encode()

    def has_all(self) -> bool:
        """True if every line is still in the tree."""
        text = "".join(
            data.decode()
            for path, data in self.made.files.items()
            if path.parts[0] != ".scaffold"
        )
        there = text.splitlines()
        return all(there.count(line) == 1 for line in self.lines)


@settings(max_examples=15, deadline=None)
@given(package=st.sampled_from(["alerts", "runtime"]), data=st.data())
def test_no_line_of_a_person_is_lost(
    bases: dict[str, Files], package: str, data: st.DataObject
) -> None:
    order = tuple(data.draw(st.lists(kinds, max_size=3, unique=True)))
    made = project(built(package, bases[package], order), package)
    person = Person(made)
    for _ in range(data.draw(st.integers(1, 5))):
        there = handlers.kinds(made.tree, package)
        commands = ["edit", "edit", "remove", "regenerate", "eject", "adopt"]
        command = data.draw(st.sampled_from(commands))
        before = dict(made.files)
        try:
            if command == "edit":
                person.add(data)
            elif command == "regenerate" and there:
                made.regenerate()
            elif command == "adopt" and there:
                kind = data.draw(st.sampled_from(there))
                made.remove(str(state.path(kind)))
                before = dict(made.files)
                made.adopt(kind)
            elif command == "eject" and there:
                record = state.read(made.tree, data.draw(st.sampled_from(there)))
                # an adoption that was refused leaves none
                if record is not None:
                    made.eject(data.draw(st.sampled_from(sorted(record.files))))
            elif command == "remove" and there:
                made.remove_handler(data.draw(st.sampled_from(there)))
        except (Conflict, PlanError):
            assert made.files == before
        assert person.has_all()
