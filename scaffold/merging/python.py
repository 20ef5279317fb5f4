"""Modules, merged by their members on the libcst tree.

A member is a function, a method, a class, a field or another statement of a module or
class; in a function it is a statement, in brackets an entry. A member that one side alone
changed is taken from that side, as it is written there. A member that both sides changed is
merged by its own members, a docstring by its lines; one without members is in conflict.

The merged module is the person's, with the nodes that the generator changed: its line
ends, its indentation and everything else stay as they are.

libcst is imported with this module, which therefore is imported only for a merge.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import libcst as cst

from scaffold.layout.style import Style, by_black
from scaffold.merging import markers, parameters, values
from scaffold.merging.clash import ClashError, picked
from scaffold.merging.imports import with_imports
from scaffold.merging.meanings import Meanings
from scaffold.merging.nodes import (
    Body,
    Key,
    Statement,
    code_of,
    comments_of,
    named,
    used_names,
)
from scaffold.merging.sequences import order, regions, without_names
from scaffold.merging.versions import Merge, Take, Versions

_Container = cst.Dict | cst.Set | cst.List | cst.Tuple | cst.Call
_Definition = cst.FunctionDef | cst.ClassDef
_PROSE = PurePosixPath("docstring")
_INDENT = 4  # columns, regardless of the file's own indentation
_MARK = "__scaffold_conflict_{}__"  # a statement in place of a conflict's marker
_MARKERS = {
    "mine": markers.START.mine,
    "base": markers.START.base,
    "middle": markers.MIDDLE,
    "new": markers.START.new,
}
# the parts of a statement that only one side may change, beside its body
_HEADS: Mapping[type, tuple[str, ...]] = {
    cst.ClassDef: ("bases", "keywords"),
    cst.FunctionDef: ("returns", "asynchronous"),
    cst.If: ("test", "orelse"),
    cst.For: ("target", "iter", "orelse"),
    cst.While: ("test", "orelse"),
    cst.With: ("items", "asynchronous"),
    cst.Try: ("handlers", "orelse", "finalbody"),
    cst.Assign: ("targets",),
    cst.AnnAssign: ("target", "annotation"),
    cst.Return: (),
    cst.Expr: (),
}


def merged(versions: Versions[str], style: Style, take: Take) -> Merge:
    """A module with the hand edits and the newly generated code.

    Args:
        versions: its texts, with plain line ends.
        style: layout of the generated code.
        take: the way to settle conflicts.

    Raises:
        ClashError: a version is not valid Python.
    """
    try:
        modules = Versions(*map(cst.parse_module, versions))
    except cst.ParserSyntaxError:
        raise ClashError from None
    merge = _Merge(modules, style, take)
    text = merge.module().code
    return Merge(_with_markers(text), tuple(merge.conflicts))


class _Merge:
    """One merge of a module.

    Attributes:
        conflicts: the parts that both sides changed.
    """

    def __init__(self, modules: Versions[cst.Module], style: Style, take: Take) -> None:
        self.conflicts: list[str] = []
        self._modules = modules
        self._style = style
        self._take = take
        self._scope: list[str] = []
        self._depth = 0
        self._meanings = Meanings()
        self._needed: set[str] = set()

    def module(self) -> cst.Module:
        """The merged module."""
        base, mine, new = self._modules
        self._needed = self._names_of_edits()
        members = Versions(
            named(base.body, with_imports=False),
            named(mine.body, with_imports=True),
            named(new.body, with_imports=False),
        )
        body = with_imports(self._modules, self._members(members, 2), self._style)
        header = self._lines(Versions(*(each.header for each in self._modules)))
        footer = self._lines(Versions(*(each.footer for each in self._modules)))
        return mine.with_changes(header=header, footer=footer, body=body)

    # The members of modules and classes, by their names

    def _members(
        self, versions: Versions[dict[Key, Statement]], gap: int
    ) -> list[Statement]:
        """The members of a module or class; `gap` blank lines are around definitions."""
        found = [
            (key, node)
            for key in order(Versions(*map(list, versions)))
            for node in self._member(
                key, Versions(*(each.get(key) for each in versions))
            )
        ]
        return list(_spaced(found, versions, gap))

    def _member(
        self, key: Key, versions: Versions[Statement | None]
    ) -> Sequence[Statement]:
        base, mine, new = versions
        if new is None and mine is not None and key[1] in self._needed:
            new = base  # no longer generated, but used by an edit
        if self._meanings.same(base, new) or self._meanings.same(mine, new):
            return [mine] if mine else []
        if self._meanings.same(base, mine):
            return [_in_place_of(mine, new)] if new else []
        with self._inside(key):
            if base and mine and new:
                return self._statement_or_conflict(Versions(base, mine, new))
            return self._settled(
                Versions(*([each] if each else [] for each in versions))
            )

    # The statements of functions and blocks, by their position

    def _statements(self, versions: Versions[Body]) -> list[Statement]:
        """The statements of a function or of a block."""
        found: list[Statement] = []
        keys = Versions(*(list(map(self._meanings.key, each)) for each in versions))
        for numbers in regions(keys):
            part = Versions(*map(_at, versions, numbers))
            chosen = self._chosen(part)
            found += self._paired(part) if chosen is None else chosen
        return found

    def _chosen(self, part: Versions[Body]) -> Body | None:
        """The statements of the side that changed them; None if both did."""
        keys = Versions(*(list(map(self._meanings.key, each)) for each in part))
        try:
            return part.mine if picked(keys) == keys.mine else part.new
        except ClashError:
            return None

    def _paired(self, part: Versions[Body]) -> Iterator[Statement]:
        """Statements that both sides changed, each paired with those of its kind and name."""
        names = Versions(*(list(named(each, with_imports=True)) for each in part))
        for numbers in regions(names):
            inner = Versions(*map(_at, part, numbers))
            chosen = self._chosen(inner)
            if chosen is not None:
                yield from chosen
            elif len(inner.base) == len(inner.mine) == len(inner.new):
                for each in zip(*inner, strict=True):
                    yield from self._statement_or_conflict(Versions(*each))
            else:
                yield from self._settled(inner)

    def _statement_or_conflict(
        self, versions: Versions[Statement]
    ) -> Sequence[Statement]:
        known = len(self.conflicts)
        try:
            return [self._statement(versions)]
        except ClashError:
            del self.conflicts[known:]  # the whole statement is the conflict
            return self._settled(Versions(*([each] for each in versions)))

    def _settled(self, versions: Versions[Body]) -> Sequence[Statement]:
        """The statements that settle a conflict: one side's, both, or all with marks."""
        self.conflicts.append(" of ".join(reversed(self._scope)))
        base, mine, new = versions
        if self._take == "mine":
            return mine
        if self._take == "generated":
            return new
        if self._take == "both":
            return [*mine, *new]
        begin, ancestor, middle, end = (
            cst.parse_statement(_MARK.format(word)) for word in _MARKERS
        )
        return [begin, *mine, ancestor, *base, middle, *new, end]

    @contextlib.contextmanager
    def _inside(self, key: Key) -> Iterator[None]:
        """Name the conflicts in a member."""
        kind, name, _ = key
        self._scope.append(f"{kind} `{name}`" if name else kind)
        yield
        self._scope.pop()

    # One statement

    def _statement(self, versions: Versions[Any]) -> Any:
        """A statement, with the changes of both sides.

        Raises:
            ClashError: both sides changed the same part of it.
        """
        base, mine, new = versions
        if self._meanings.same(base, new) or self._meanings.same(mine, new):
            return mine
        if self._meanings.same(base, mine):
            return _in_place_of(mine, new)
        if isinstance(mine, cst.SimpleStatementLine):
            return self._simple(versions)
        if type(mine) not in _HEADS or not type(base) is type(mine) is type(new):
            raise ClashError
        changes = self._meanings.parts(versions, _HEADS[type(mine)])
        if isinstance(mine, _Definition):
            changes["decorators"] = self._decorators(versions)
        if isinstance(mine, cst.FunctionDef):
            changes |= self._parameters(versions)
        in_class = isinstance(mine, cst.ClassDef)
        changes["body"] = self._block(
            Versions(*(each.body for each in versions)),
            self._class_body if in_class else self._statements,
        )
        return mine.with_changes(leading_lines=self._above(versions), **changes)

    def _simple(self, versions: Versions[Any]) -> Any:
        """A statement on a line of its own."""
        if any(
            not isinstance(each, cst.SimpleStatementLine) or len(each.body) != 1
            for each in versions
        ):
            raise ClashError
        base, mine, new = (each.body[0] for each in versions)
        if type(mine) not in _HEADS or not type(base) is type(mine) is type(new):
            raise ClashError
        changes = self._meanings.parts(Versions(base, mine, new), _HEADS[type(mine)])
        parts = Versions(*(each.value for each in (base, mine, new)))
        changes["value"] = values.merged(parts, self._meanings)
        merged = versions.mine.with_changes(
            leading_lines=[], body=[mine.with_changes(**changes)]
        )
        return self._laid_out(merged).with_changes(leading_lines=self._above(versions))

    def _laid_out(self, node: Any) -> Any:
        """A statement that became too long for its line, as black lays it out."""
        code = code_of(node)
        room = self._style.line_length - _INDENT * self._depth
        if all(len(line) <= room for line in code.split("\n")):
            return node
        [made] = cst.parse_module(
            by_black(code, self._style, _INDENT * self._depth)
        ).body
        return made

    def _block(
        self, blocks: Versions[Any], merge: Callable[[Versions[Body]], Body]
    ) -> cst.IndentedBlock:
        mine = blocks.mine
        if not all(isinstance(each, cst.IndentedBlock) for each in blocks):
            raise ClashError
        self._depth += 1
        try:
            body = merge(Versions(*(each.body for each in blocks)))
        finally:
            self._depth -= 1
        footer = self._lines(Versions(*(each.footer for each in blocks)))
        changed: cst.IndentedBlock = mine.with_changes(
            body=body or [cst.parse_statement("pass")], footer=footer
        )
        return changed

    def _class_body(self, versions: Versions[Body]) -> Body:
        members = (named(each, with_imports=True) for each in versions)
        return self._members(Versions(*members), 1)

    def _parameters(self, versions: Versions[Any]) -> dict[str, Any]:
        try:
            return self._meanings.parts(versions, ("params",))
        except ClashError:
            return parameters.merged(versions, self._style)

    def _decorators(self, versions: Versions[Any]) -> list[Any]:
        nodes = Versions(
            *(
                {self._meanings.key(node): node for node in each.decorators}
                for each in versions
            )
        )
        return [each for _, each in without_names(nodes)]

    # Comments

    def _above(self, versions: Versions[Any]) -> Sequence[cst.EmptyLine]:
        return self._lines(Versions(*(each.leading_lines for each in versions)))

    def _lines(
        self, versions: Versions[Sequence[cst.EmptyLine]]
    ) -> Sequence[cst.EmptyLine]:
        """Comments that stand alone: those of both sides, the person's first."""
        comments = Versions(*map(comments_of, versions))
        try:
            is_mine = picked(comments) == comments.mine
        except ClashError:
            known = {*comments.base, *comments.mine}
            added = (each for each in versions.new if each.comment)
            return [
                *versions.mine,
                *(each for each in added if {*comments_of([each])} - known),
            ]
        return versions.mine if is_mine else versions.new

    # Names

    def _names_of_edits(self) -> set[str]:
        """The names that hand edits use, and those that members kept for them use."""
        base, mine = (_all_members(each.body) for each in self._modules[:2])
        names: set[str] = set()
        for key, node in mine.items():
            if not self._meanings.same(node, base.get(key)):
                names |= used_names(code_of(node))
        while True:
            more = set(names)
            for key, node in base.items():
                if key[-2] in names:
                    more |= used_names(code_of(node))
            if more == names:
                return names
            names = more


def _at(items: Sequence[Any], numbers: range) -> Sequence[Any]:
    return items[numbers.start : numbers.stop]


def _all_members(body: Body) -> dict[Key, Statement]:
    """The members of a module and of its classes, without the classes."""
    found: dict[Key, Statement] = {}
    for key, node in named(body, with_imports=False).items():
        if isinstance(node, cst.ClassDef):
            inner = node.body.body if isinstance(node.body, cst.IndentedBlock) else ()
            members = named(inner, with_imports=False)
            found |= {(*key, *name): each for name, each in members.items()}
        else:
            found[key] = node
    return found


def _in_place_of(old: Any, new: Any) -> Any:
    """A statement with the blank lines above the one that it replaces."""
    if old is None or comments_of(old.leading_lines) != comments_of(new.leading_lines):
        return new
    return new.with_changes(leading_lines=old.leading_lines)


def _spaced(
    body: Sequence[tuple[Key, Any]], versions: Versions[dict[Key, Statement]], gap: int
) -> Iterator[Any]:
    """Statements with blank lines around definitions that have new neighbors."""
    neighbours = {
        pair for each in versions for pair in itertools.pairwise([None, *each])
    }
    before: Key | None = None
    last = None
    for key, node in body:
        lines = node.leading_lines
        if (before, key) not in neighbours:
            if before is None:
                lines = [*itertools.dropwhile(lambda line: not line.comment, lines)]
            elif isinstance(node, _Definition) or isinstance(last, _Definition):
                blank = sum(line.comment is None for line in lines)
                empty = [cst.EmptyLine(indent=False)] * max(gap - blank, 0)
                lines = [*empty, *lines]
            node = node.with_changes(leading_lines=lines)
        yield node
        before, last = key, node


def _with_markers(text: str) -> str:
    """The text with the markers of conflicts in place of their marks."""
    if _MARK.partition("{")[0] not in text:
        return text
    marks = {_MARK.format(word): marker for word, marker in _MARKERS.items()}
    lines = text.split("\n")
    return "\n".join(marks.get(line.strip(), line) for line in lines)
