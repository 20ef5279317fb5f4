"""The slots that anchors find in a file."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from scaffold.patching.source import Source


class InBrackets(NamedTuple):
    """Brackets that hold entries, or an import statement's names.

    Attributes:
        statement: the innermost statement around them, which is parsed and written alone.
        node: a literal, a call or an import.
    """

    statement: ast.stmt
    node: ast.AST


class InSuite(NamedTuple):
    """Statements that hold an entry, which is one of them.

    Attributes:
        statements: all of them: of a module, or of a branch of `if` or `try`.
    """

    statements: Sequence[ast.stmt]


Holder = InBrackets | InSuite


class Entry(NamedTuple):
    """One registration. Lines count from 0.

    Attributes:
        key: its unique name.
        first: its first line.
        end: the line after it.
        holder: its container, in Python.
        number: its position among the items of the holder, from 0.
        branch: ID of its branch; the entries of one branch exist at the same time.
        is_indirect: true if it only makes an entry needless, as `import a.b` may.
        is_elsewhere: true if it is in another list than the one for new entries.
    """

    key: str
    first: int
    end: int
    holder: Holder | None = None
    number: int = 0
    branch: int = 0
    is_indirect: bool = False
    is_elsewhere: bool = False


class Slot(NamedTuple):
    """A place that holds entries.

    Attributes:
        entries: all entries that Python would find, in the order of the file.
        end: the line before which a new last entry is inserted, if it is whole lines.
        indent: the white space before an entry.
        unit: one step of indentation in this file.
        gap: blank lines between two entries.
        lead: blank lines before the first entry of an empty slot.
        taken: names with another meaning, which no entry may have.
        holder: the container of new entries, in Python; None: lines of the file.
        refusal: reason against new entries, or "".
    """

    entries: tuple[Entry, ...]
    end: int = 0
    indent: str = ""
    unit: str = "    "
    gap: int = 0
    lead: int = 0
    taken: frozenset[str] = frozenset()
    holder: Holder | None = None
    refusal: str = ""

    @property
    def siblings(self) -> list[Entry]:
        """The entries in the list for new ones."""
        holder = self.holder
        if isinstance(holder, InSuite):
            branch = id(holder.statements)
            return [
                entry
                for entry in self.entries
                if entry.branch == branch and entry.first < self.end
            ]
        return [
            entry
            for entry in self.entries
            if entry.holder == holder and not entry.is_elsewhere
        ]

    def number_at(self, index: int) -> int:
        """The position in its container of a new entry, by its index among `siblings`.

        Requires at least one sibling.
        """
        siblings = self.siblings
        is_last = index == len(siblings)
        return siblings[-1].number + 1 if is_last else siblings[index].number

    def named(self, key: str) -> list[Entry]:
        """The entries of a key that are in the same branch as the first of them."""
        found = [entry for entry in self.entries if entry.key == key]
        return [entry for entry in found if entry.branch == found[0].branch]


class Unfit(Exception):  # noqa: N818 - a state of the file, reported by its anchor
    """The file lacks the place of an anchor."""


Order = Callable[[str], Any]
"""A sort key of an entry's key."""


@dataclass(frozen=True)
class Anchor(ABC):
    """Finds one place by its syntax.

    Attributes:
        label: description of the place, with fields in braces.
        frame: Python text around an entry that makes it a module; None: not Python.
        orders: possible sort keys of entries, the usual one first; none: new entries
            are added at the end.
    """

    label: ClassVar[str]
    frame: ClassVar[tuple[str, str] | None] = None
    orders: ClassVar[tuple[Order, ...]] = (str,)

    @property
    def name(self) -> str:
        """Description of the place, for people."""
        return self.label.format(**vars(self))

    def scope(self, key: str) -> str:
        """The part of the key that the place depends on."""
        return ""

    @abstractmethod
    def slot(self, source: Source, key: str) -> Slot:
        """The place; `key` is the entry that is looked for.

        Raises:
            Unfit: the file lacks the place.
        """
