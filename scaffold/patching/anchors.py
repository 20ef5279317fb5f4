"""Where registrations stand in Python files, found by syntax.

The standard library's `ast` locates: it takes a tenth of the time of a lossless parser,
and what is inserted are whole lines, so no other byte can change. The tests hold the
results against libcst's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from scaffold.patching.slots import Anchor, Slot, Source, Unfit, natural
from scaffold.patching.syntax import (
    assigned,
    body_indent,
    bracketed,
    classes,
    docstring,
    entry_of,
    first_line,
    last_name,
    line_after,
    members,
    separate,
    span,
    text_of,
)
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
            entry_of(source, f"{node.module}:{alias.asname or alias.name}", node)
            for node in imports
            if isinstance(node, ast.ImportFrom) and not node.level
            if (node.module or "").partition(".")[0] == package
            for alias in node.names
        ]
        if entries:
            return [Slot(tuple(entries), entries[-1].end)]
        before: Sequence[ast.stmt] = imports or docstring(source.tree.body)
        end = line_after(before[-1]) if before else 0
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
            bracketed(
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
        return [self._slot(source, node) for node in classes(source, self.owner)]

    def _slot(self, source: Source, owner: ast.ClassDef) -> Slot:
        fields = [
            (node.target.id, node)
            for node in owner.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        ]
        indent, unit = body_indent(source, owner)
        taken = frozenset(members(owner)) - {name for name, _ in fields}
        entries = separate(entry_of(source, name, node) for name, node in fields)
        if entries:
            return Slot(entries, entries[-1].end, indent, unit, taken=taken)
        doc = docstring(owner.body)
        end = line_after(doc[0]) if doc else owner.body[0].lineno - 1
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
        return [self._slot(source, node) for node in classes(source, self.owner)]

    def _slot(self, source: Source, owner: ast.ClassDef) -> Slot:
        methods = [
            (node.name, node)
            for node in owner.body
            if isinstance(node, _Function) and self._has_decorator(node)
        ]
        indent, unit = body_indent(source, owner)
        entries = separate(entry_of(source, name, node) for name, node in methods)
        end = entries[-1].end if entries else line_after(owner.body[-1])
        taken = frozenset(members(owner)) - {name for name, _ in methods}
        return Slot(entries, end, indent, unit, gap=1, lead=1, taken=taken)

    def _has_decorator(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        if not self.decorator:
            return True
        return self.decorator in [last_name(item) for item in node.decorator_list]


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
            node
            for node in found
            if self.base in [last_name(item) for item in node.bases]
        ]
        own = [node for node in found if node.name == self.base]
        if not derived and not own:
            return []
        entries = separate(entry_of(source, node.name, node) for node in derived)
        end = entries[-1].end if entries else line_after(own[-1])
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
        for value in assigned(source, self.variable):
            if not isinstance(value, ast.Dict):
                raise Unfit("is no dict literal")
            pairs = zip(value.keys, value.values, strict=True)
            items = [(text_of(name), span(name, item)) for name, item in pairs]
            slots.append(bracketed(source, value, items))
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
        for value in assigned(source, self.variable):
            if not isinstance(value, ast.List | ast.Tuple | ast.Set):
                raise Unfit("is no list literal")
            items = [(text_of(item), item) for item in value.elts]
            slots.append(bracketed(source, value, items))
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
            if source.holds(self.function, first_line(statement), line_after(statement))
            for node in ast.walk(statement)
            if isinstance(node, ast.Call) and last_name(node.func) == self.function
        ]
        slots = []
        for call in calls:
            items: list[tuple[str, ast.AST]] = [("", arg) for arg in call.args]
            items += [(word.arg or "", word) for word in call.keywords]
            slots.append(bracketed(source, call, items))
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
        for owner in classes(source, self.owner):
            for doc in docstring(owner.body):
                lines = range(doc.lineno - 1, line_after(doc) - 1)
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
