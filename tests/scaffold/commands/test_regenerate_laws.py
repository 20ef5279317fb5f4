"""The laws of regenerating: sequences of commands and edits over several handlers.

3. Without a change of specs or templates nothing is written, also with edits in the files.
4. What a person added is in the tree after any command.
"""

from __future__ import annotations

import functools
import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scaffold import state
from scaffold.errors import ScaffoldError
from scaffold.flags import Flags
from scaffold.handlers import kinds
from scaffold.places import spec_path
from scaffold.rendering.projects import project_file, project_files
from scaffold.spec import fields
from scaffold.spec.parse import from_flags
from scaffold.tree import MemoryTree
from tests.scaffold.memory import Project
from tests.scaffold.merging.hands import Hands, words_of

PACKAGE = "alerts"
COMMANDS = ("add", "rename field", "remove field", "rename", "remove", "new")


@functools.cache
def start() -> dict[PurePosixPath, bytes]:
    """The files of a project with two handlers."""
    files = {path: text.encode() for path, text in project_files(PACKAGE).items()}
    for change in state.settings(MemoryTree(files)):
        if change.after is not None:
            files[change.path] = change.after
    made = project(files)
    for kind in ("ant", "huddle"):
        made.create(from_flags(Flags(kind, fields=("room:str",))).to_toml())
    return made.files


def project(files: dict[PurePosixPath, bytes]) -> Project:
    """A project in memory."""
    made = Project(files, PACKAGE)
    made.fresh = functools.partial(project_file, package=PACKAGE)
    return made


class Additions(NamedTuple):
    """Text that a person added.

    Attributes:
        words: the added words, each as often as it occurs.
        lines: the lines that contain one, without their indentation.
    """

    words: Counter[str]
    lines: Counter[str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Additions:
        """The additions in the texts."""
        lines = [line.strip() for text in texts for line in text.splitlines()]
        words = {line: [*words_of(line, "mine")] for line in lines}
        return cls(
            Counter(word for line in lines for word in words[line]),
            Counter(line for line in lines if words[line]),
        )

    def without(self, other: Additions) -> Additions:
        """Return the words and lines that the other lacks."""
        return Additions(self.words - other.words, self.lines - other.lines)


def tokens_of(line: str) -> list[str]:
    """The words and signs of a line."""
    return re.findall(r"\w+|[^\w\s]", line)


def is_part(some: list[str], of: list[str]) -> bool:
    """True if the tokens are among the others, in their order."""
    rest = iter(of)
    return all(each in rest for each in some)


def is_merged(line: str, others: Iterable[str]) -> bool:
    """True if one of the lines is this one with entries more or fewer."""
    mine = tokens_of(line)
    return any(
        is_part(mine, theirs) or is_part(theirs, mine)
        for theirs in map(tokens_of, others)
    )


class Life:
    """A project through commands and edits.

    Attributes:
        made: the project.
        hands: the person.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.made = project(dict(start()))
        self.hands = Hands(chance, "mine")
        self._names = iter("bcdefghijk")

    def handlers(self) -> list[str]:
        """The handlers; not those of which a removal left edited files."""
        with_spec = kinds(self.made.tree, PACKAGE)
        return sorted({*with_spec} & {*state.kinds(self.made.tree)})

    def edit(self, *, with_specs: bool) -> None:
        """Edit a generated file: a module anyhow, a document by a line."""
        kind = self.chance.choice(self.handlers())
        record = state.read(self.made.tree, kind)
        assert record is not None
        path = self.chance.choice(
            sorted(
                each
                for each in record.files
                if each in self.made.files
                and (with_specs or each.name != "handler.toml")
            )
        )
        text = self.made.files[path].decode()
        if path.suffix == ".py":
            text = self.hands.laid_out(self.hands.edited(text, 2))
        else:
            lines = text.splitlines(keepends=True)
            at = self.chance.randrange(len(lines) + 1)
            lines.insert(at, f"# {self.hands.new_word()}\n")
            text = "".join(lines)
        self.made.files[path] = text.encode()

    def run(self, command: str) -> None:
        """Run a command for one of the handlers."""
        made, name = self.made, next(self._names)
        there = self.handlers()
        kind = self.chance.choice(there)
        flags = Flags(kind, fields=(f"{name}:str",))
        if command == "new":
            flags = replace(flags, name=f"zebra_{name}")
            made.create(from_flags(flags).to_toml())
        elif command == "add":
            made.evolve(kind, lambda spec: fields.added(spec, flags)[0])
        elif command == "rename field":
            made.evolve(kind, lambda spec: fields.renamed(spec, "room", f"room_{name}"))
        elif command == "remove field":
            made.evolve(kind, lambda spec: fields.removed(spec, "room"))
        elif command == "rename":
            made.rename_handler(kind, f"yak_{name}")
        elif len(there) > 1:
            made.remove_handler(kind)

    def additions(self) -> Additions:
        """Return the text that the person added to the files."""
        return Additions.of(
            data.decode()
            for path, data in self.made.files.items()
            if path.parts[0] != ".scaffold"
        )

    def generated_specs(self) -> dict[PurePosixPath, str]:
        """The specs that are as they were when their handler was last generated."""
        found = {}
        for kind in self.handlers():
            record = state.read(self.made.tree, kind)
            assert record is not None
            path = spec_path(kind, PACKAGE)
            if record.files[path] == self.made.text(str(path)):
                found[path] = record.files[path]
        return found


@pytest.mark.parametrize(
    ("line", "other", "is_same"),
    [
        ("f(a=mine_1)", "f(a=mine_1, b=2)", True),
        ("f(a=mine_1, b=2)", "f(a=mine_1)", True),
        ("f(a=mine_1, b=2)", "f(b=2, c=3)", False),
        ("f(a=mine_1)", "f(a=mine_2)", False),
        ("a = mine_1", "mine_1 = a", False),
    ],
)
def test_lines_are_merged_with_entries_more_or_fewer(
    line: str, other: str, is_same: bool
) -> None:
    assert is_merged(line, ["x", other]) is is_same


@settings(max_examples=12)
@given(
    st.integers(0, 2**32),
    st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=3),
)
@example(1258352, ["add"])  # adds an entry to a line that the person changed
@example(11322, ["add", "add", "remove"])  # the spec goes with its handler
def test_what_a_person_added_stays_after_any_command(
    seed: int, commands: list[str]
) -> None:
    life = Life(random.Random(seed))
    for command in commands:
        life.edit(with_specs=True)
        before, added = dict(life.made.files), life.additions()
        specs = life.generated_specs()
        try:
            life.run(command)
        except ScaffoldError:  # an edit blocks the command
            assert life.made.files == before
        if command == "remove":
            gone = (text for path, text in specs.items() if path not in life.made.files)
            added = added.without(Additions.of(gone))
        after = life.additions()
        assert after.words == added.words
        if command != "rename":  # a rename rewords lines
            lost = added.without(after).lines
            assert all(is_merged(line, after.lines) for line in lost)


@settings(max_examples=12)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_without_a_change_of_specs_nothing_is_written(seed: int, edits: int) -> None:
    life = Life(random.Random(seed))
    for _ in range(edits):
        life.edit(with_specs=False)
    before = dict(life.made.files)
    assert life.made.regenerate().changes == ()
    assert life.made.files == before
