"""Where registrations stand in Python files, found by syntax.

The standard library's `ast` locates: it takes a tenth of the time of a lossless parser,
and what is inserted are whole lines, so no other byte can change. The tests hold the
results against libcst's.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from scaffold.patching.slots import Anchor, Entry, Slot, Source, Unfit, natural
from scaffold.patching.text_anchors import (
    Changelog,
    MarkdownList,
    TomlSections,
    bullets,
)

__all__ = [
    "Anchor",
    "CallArguments",
    "Changelog",
    "ClassBody",
    "DictLiteral",
    "DocstringList",
    "FromImport",
    "ImportBlock",
    "ListLiteral",
    "MarkdownList",
    "Methods",
    "ModuleClasses",
    "TomlSections",
]

NodeT = TypeVar("NodeT", bound=ast.AST)
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


class ImportBlock(NamedTuple):
    """The `from package.… import …` lines of one package; keys are `module:name`."""

    @property
    def frame(self) -> tuple[str, str] | None:
        """An entry is a module as it is."""
        return "", ""

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return "the import block"

    def order(self, key: str) -> object:
        """Import sorters go by the module."""
        return natural(key.partition(":")[0])

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The one block of the package that `key` begins with."""
        package = key.partition(".")[0]
        imports = [
            node
            for node in source.tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        entries = [
            _entry(source, f"{node.module}:{alias.asname or alias.name}", node)
            for node in imports
            if isinstance(node, ast.ImportFrom) and not node.level
            if (node.module or "").partition(".")[0] == package
            for alias in node.names
        ]
        if entries:
            return [Slot(tuple(entries), entries[-1].end)]
        before: Sequence[ast.stmt] = imports or _docstring(source.tree.body)
        end = _end(before[-1]) if before else 0
        return [Slot((), end, lead=1 if before else 0)]


class FromImport(NamedTuple):
    """The names of one `from package.module import (…)`; keys are the names.

    Attributes:
        module: without the package's name, as `pipeline.alert`.
    """

    module: str

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return f"from ….{self.module} import (…)"

    @property
    def frame(self) -> tuple[str, str] | None:
        """The text around an entry that makes it a module."""
        return f"from x.{self.module} import (\n", ")\n"

    def order(self, key: str) -> object:
        """Import sorters put constants first, then classes, then the rest."""
        kind = 0 if key.isupper() else 1 if key[:1].isupper() else 2
        return kind, natural(key.lower())

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The statements that import from the module."""
        found = [
            node
            for node in source.tree.body
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").partition(".")[2] == self.module
            # Import sorters keep names with `as` in statements of their own.
            and not all(alias.asname for alias in node.names)
        ]
        return [
            _literal(
                source,
                node,
                [(alias.asname or alias.name, alias) for alias in node.names],
            )
            for node in found
        ]


class ClassBody(NamedTuple):
    """The fields of a class; keys are their names."""

    owner: str

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return f"the fields of class {self.owner}"

    @property
    def frame(self) -> tuple[str, str] | None:
        """The text around an entry that makes it a module."""
        return f"class {self.owner}:\n", ""

    def order(self, key: str) -> object:
        """Fields are sorted by name."""
        return key

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The classes of that name."""
        return [self._slot(source, node) for node in _classes(source, self.owner)]

    def _slot(self, source: Source, owner: ast.ClassDef) -> Slot:
        fields = [
            (node.target.id, node)
            for node in owner.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        ]
        indent, unit = _body_indent(source, owner)
        taken = frozenset(_members(owner)) - {name for name, _ in fields}
        entries = _separate(_entry(source, name, node) for name, node in fields)
        if entries:
            return Slot(entries, entries[-1].end, indent, unit, taken=taken)
        doc = _docstring(owner.body)
        end = _end(doc[0]) if doc else owner.body[0].lineno - 1
        return Slot((), end, indent, unit, lead=1 if doc else 0, taken=taken)


class Methods(NamedTuple):
    """The methods of a class; keys are their names.

    Attributes:
        owner: the class.
        decorator: only methods that have it are entries.
    """

    owner: str
    decorator: str = ""

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        with_ = f" with @{self.decorator}" if self.decorator else ""
        return f"the methods of class {self.owner}{with_}"

    @property
    def frame(self) -> tuple[str, str] | None:
        """The text around an entry that makes it a module."""
        return f"class {self.owner}:\n", ""

    def order(self, key: str) -> object:
        """Methods are sorted by name."""
        return key

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The classes of that name."""
        return [self._slot(source, node) for node in _classes(source, self.owner)]

    def _slot(self, source: Source, owner: ast.ClassDef) -> Slot:
        methods = [
            (node.name, node)
            for node in owner.body
            if isinstance(node, _Function) and self._has_decorator(node)
        ]
        indent, unit = _body_indent(source, owner)
        entries = _separate(_entry(source, name, node) for name, node in methods)
        end = entries[-1].end if entries else _end(owner.body[-1])
        taken = frozenset(_members(owner)) - {name for name, _ in methods}
        return Slot(entries, end, indent, unit, gap=1, lead=1, taken=taken)

    def _has_decorator(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        if not self.decorator:
            return True
        return self.decorator in [_name(item) for item in node.decorator_list]


class ModuleClasses(NamedTuple):
    """The classes of a module that derive from one base; keys are their names."""

    base: str

    @property
    def frame(self) -> tuple[str, str] | None:
        """An entry is a module as it is."""
        return "", ""

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return f"the classes that derive from {self.base}"

    def order(self, key: str) -> object:
        """Classes are sorted by name."""
        return key

    def slots(self, source: Source, key: str) -> list[Slot]:
        """One slot, if the base or a class with it is there."""
        found = [node for node in source.tree.body if isinstance(node, ast.ClassDef)]
        derived = [
            node for node in found if self.base in [_name(item) for item in node.bases]
        ]
        own = [node for node in found if node.name == self.base]
        if not derived and not own:
            return []
        entries = _separate(_entry(source, node.name, node) for node in derived)
        end = entries[-1].end if entries else _end(own[-1])
        taken = frozenset(node.name for node in found if node not in derived)
        return [Slot(entries, end, gap=2, lead=2, taken=taken)]


class DictLiteral(NamedTuple):
    """The entries of `name = {…}` in a module; keys are the literal's own."""

    variable: str

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return f"the dict literal {self.variable}"

    @property
    def frame(self) -> tuple[str, str] | None:
        """The text around an entry that makes it a module."""
        return f"{self.variable} = {{\n", "}\n"

    def order(self, key: str) -> object:
        """Entries are sorted by key."""
        return key

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The literals of that name."""
        slots = []
        for value in _assigned(source, self.variable):
            if not isinstance(value, ast.Dict):
                raise Unfit("is no dict literal")
            pairs = zip(value.keys, value.values, strict=True)
            items = [(_text(name), _span(name, item)) for name, item in pairs]
            slots.append(_literal(source, value, items))
        return slots


class ListLiteral(NamedTuple):
    """The texts in `name = […]` (or a tuple or set); keys are the texts."""

    variable: str

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return f"the list literal {self.variable}"

    @property
    def frame(self) -> tuple[str, str] | None:
        """The text around an entry that makes it a module."""
        return f"{self.variable} = [\n", "]\n"

    def order(self, key: str) -> object:
        """Entries are sorted by text."""
        return key

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The literals of that name."""
        slots = []
        for value in _assigned(source, self.variable):
            if not isinstance(value, ast.List | ast.Tuple | ast.Set):
                raise Unfit("is no list literal")
            items = [(_text(item), item) for item in value.elts]
            slots.append(_literal(source, value, items))
        return slots


class CallArguments(NamedTuple):
    """The keyword arguments of the one call of a function; keys are their names."""

    function: str

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return f"the call {self.function}(…)"

    @property
    def frame(self) -> tuple[str, str] | None:
        """The text around an entry that makes it a module."""
        return f"{self.function}(\n", ")\n"

    def order(self, key: str) -> object:
        """Arguments are sorted by name."""
        return key

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The calls of that function."""
        calls = [
            node
            for statement in source.tree.body
            if source.holds(self.function, _first(statement), _end(statement))
            for node in ast.walk(statement)
            if isinstance(node, ast.Call) and _name(node.func) == self.function
        ]
        slots = []
        for call in calls:
            items: list[tuple[str, ast.AST]] = [("", arg) for arg in call.args]
            items += [(word.arg or "", word) for word in call.keywords]
            slots.append(_literal(source, call, items))
        return slots


class DocstringList(NamedTuple):
    """A bullet list in a class's docstring; keys are the names in backquotes.

    Attributes:
        owner: the class.
        heading: the first word of the paragraph that the list belongs to.
    """

    owner: str
    heading: str

    @property
    def frame(self) -> tuple[str, str] | None:
        """An entry is no Python."""
        return None

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        return f"the list after “{self.heading}” in the docstring of {self.owner}"

    def order(self, key: str) -> object:
        """Bullets are sorted by name."""
        return key.lower()

    def slots(self, source: Source, key: str) -> list[Slot]:
        """The lists in the classes of that name."""
        slots: list[Slot] = []
        for owner in _classes(source, self.owner):
            for doc in _docstring(owner.body):
                lines = range(doc.lineno - 1, _end(doc) - 1)
                slots += self._lists(source, lines)
        return slots

    def _lists(self, source: Source, lines: range) -> Iterator[Slot]:
        for line in lines:
            if not source.lines[line].strip().startswith(self.heading):
                continue
            entries = bullets(source, range(line + 1, lines.stop))
            if entries:
                indent = source.indent_of(entries[0].first)
                yield Slot(tuple(entries), entries[-1].end, indent)


def _classes(source: Source, name: str) -> list[ast.ClassDef]:
    return [
        node
        for node in _statements(source.tree.body)
        if isinstance(node, ast.ClassDef) and node.name == name
    ]


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """A module's statements, also those under `if` and `try`."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _statements([*node.body, *node.orelse])
        if isinstance(node, ast.Try):
            yield from _statements(node.finalbody)
            for handler in node.handlers:
                yield from _statements(handler.body)


def _assigned(source: Source, name: str) -> Iterator[ast.expr]:
    for node in _statements(source.tree.body):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if name in [_name(target) for target in targets]:
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            if node.value is not None:
                yield node.value


def _literal(
    source: Source, node: ast.AST, items: Sequence[tuple[str, ast.AST]]
) -> Slot:
    """The slot between the brackets of a literal, a call or an import."""
    first_line, end = _first(node), _end(node)
    if first_line == end - 1:
        raise Unfit("is written on one line; put each entry on a line of its own")
    commas = [_comma(source, item, end) for _, item in items]
    found = (_entry(source, key, item) for key, item in items)
    entries = _separate(
        entry._replace(end=max(entry.end, comma + 1))
        for entry, comma in zip(found, commas, strict=True)
    )
    closing = source.lines[end - 1].lstrip()
    inside = not entries or (entries[0].first > first_line and entries[-1].end < end)
    if not inside or closing[:1] not in {")", "]", "}"}:
        raise Unfit("does not have each entry on a line of its own")
    outer = source.indent_of(end - 1)
    indent, unit = _inner_indent(source, outer, [entry.first for entry in entries])
    if not entries:
        return Slot((), end - 1, indent, unit)
    return Slot(entries, entries[-1].end, indent, unit, closed=commas[-1] >= 0)


def _comma(source: Source, node: ast.AST, end: int) -> int:
    """The line, from 0, of the comma after an entry; -1: there is none.

    Between the two stand only brackets around the entry, blanks and comments.
    """
    line = _end(node) - 1
    column = getattr(node, "end_col_offset", 0)
    # Columns count bytes, and not those of a byte order mark.
    text = source.lines[line].removeprefix("\ufeff").encode()[column:].decode()
    while True:
        text = text.lstrip(" \t\f\r\n)")
        if text.startswith(","):
            return line
        line += 1
        if line >= end or not (text == "" or text.startswith("#")):
            return -1
        text = source.lines[line]


def _span(key: ast.expr | None, value: ast.expr) -> ast.AST:
    """A node that reaches from a dict's key to its value."""
    node = ast.Pass()
    start = key or value
    node.lineno, node.col_offset = start.lineno, start.col_offset
    node.end_lineno, node.end_col_offset = value.end_lineno, value.end_col_offset
    return node


def _entry(source: Source, key: str, node: ast.AST) -> Entry:
    first = _first(node)
    return Entry(key, source.with_comments(first), first, _end(node))


def _separate(entries: Iterator[Entry]) -> tuple[Entry, ...]:
    """The entries, none of which shares a line with another."""
    found = tuple(entries)
    for before, after in itertools.pairwise(found):
        if after.first < before.end:
            raise Unfit(f"has two entries on line {after.first + 1}")
    return found


def _first(node: ast.AST) -> int:
    """The line, from 0, that a node begins on, with its decorators."""
    decorators = getattr(node, "decorator_list", [])
    line: int = getattr(decorators[0] if decorators else node, "lineno", 1)
    return line - 1


def _end(node: ast.AST) -> int:
    """The line after a node, from 0."""
    line: int | None = getattr(node, "end_lineno", None)
    return line or 0


def _docstring(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    if body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return [body[0]]
    return []


def _body_indent(source: Source, owner: ast.ClassDef) -> tuple[str, str]:
    if owner.body[0].lineno == owner.lineno:
        raise Unfit("is written on one line")
    lines = [node.lineno - 1 for node in owner.body]
    outer = source.indent_of(owner.lineno - 1)
    return _inner_indent(source, outer, lines)


def _inner_indent(source: Source, outer: str, lines: Sequence[int]) -> tuple[str, str]:
    """How lines inside something are indented, and one step of it."""
    indents = {source.indent_of(line) for line in lines}
    if len(indents) > 1:
        raise Unfit("mixes indentations")
    if not indents:
        unit = "\t" if outer.startswith("\t") else "    "
        return outer + unit, unit
    [indent] = indents
    if not indent.startswith(outer) or len(indent) == len(outer):
        return indent, "    "
    return indent, indent[len(outer) :]


def _members(owner: ast.ClassDef) -> Iterator[str]:
    for node in owner.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign):
            yield _name(node.target)
        elif isinstance(node, ast.Assign):
            yield from (_name(target) for target in node.targets)


def _name(node: ast.expr) -> str:
    """The last name in `a.b`, `a.b(…)` or `a[…]`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return ""


def _text(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""
