"""Where registrations stand in Python files, found by syntax.

Reading asks the standard library's `ast` for everything that Python would find, in
whatever layout. Writing needs one holder, a literal or a class, that takes new entries;
where there is none, the slot says why.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scaffold.patching.imports import FromImport, ImportBlock
from scaffold.patching.slots import (
    Anchor,
    Entry,
    InBrackets,
    InClass,
    InSuite,
    Slot,
    Source,
    Unfit,
)
from scaffold.patching.syntax import (
    Function,
    Literal,
    Statements,
    body_indent,
    bracket_entries,
    classes,
    docstring,
    entry_of,
    first_line,
    holder_of,
    is_accessor,
    items,
    last_name,
    line_after,
    logical_end,
    members,
    spread,
    statements,
    targets,
    text_of,
)
from scaffold.patching.text_anchors import (
    Changelog,
    MarkdownList,
    TomlSections,
)

__all__ = [
    "Anchor",
    "CallArguments",
    "Changelog",
    "ClassBody",
    "DictLiteral",
    "FromImport",
    "ImportBlock",
    "ListLiteral",
    "MarkdownList",
    "Methods",
    "ModuleClasses",
    "TomlSections",
]

_CLASS_FRAME = ("class Entries:\n", "")
_ADDING = {"add", "append", "extend", "update"}


@dataclass(frozen=True)
class ClassBody(Anchor):
    """The fields of a class; keys are their names."""

    owner: str
    label = "the fields of class {owner}"
    frame = _CLASS_FRAME

    def slot(self, source: Source, key: str) -> Slot:
        """The class of that name, with what it inherits inside the module."""
        return _class_slot(source, self.owner, _is_field, gap=0)


@dataclass(frozen=True)
class Methods(Anchor):
    """The methods of a class; keys are their names.

    Attributes:
        owner: the class.
        decorator: only methods that have it are entries.
    """

    owner: str
    decorator: str = ""
    frame = _CLASS_FRAME

    @property
    def name(self) -> str:
        """What it looks for, for people."""
        with_ = f" with @{self.decorator}" if self.decorator else ""
        return f"the methods of class {self.owner}{with_}"

    def slot(self, source: Source, key: str) -> Slot:
        """The class of that name, with what it inherits inside the module."""
        return _class_slot(source, self.owner, self._is_method, gap=1)

    def _is_method(self, node: ast.stmt) -> bool:
        if isinstance(node, Function):
            decorators = [last_name(each) for each in node.decorator_list]
            return not self.decorator or self.decorator in decorators
        value = getattr(node, "value", None)
        # `name = decorator(function)` is the same
        return isinstance(value, ast.Call) and last_name(value) == self.decorator


@dataclass(frozen=True)
class ModuleClasses(Anchor):
    """The classes of a module that derive from one base; keys are their names."""

    base: str
    label = "the classes that derive from {base}"
    frame = ("", "")

    def slot(self, source: Source, key: str) -> Slot:
        """The module, if the base or a class with it is there."""
        body = source.tree.body
        found = [
            (node, suite, suite.index(node))
            for node, suite in statements(body)
            if isinstance(node, ast.ClassDef)
        ]
        family = {self.base}
        for node, _, _ in found:
            if family & {last_name(each) for each in node.bases}:
                family.add(node.name)
        entries = tuple(
            entry_of(source, node.name, suite, index, InSuite(suite))
            for node, suite, index in found
            if node.name in family - {self.base}
        )
        taken = frozenset(node.name for node, _, _ in found) - family
        end = self._end(body)
        if end < 0:
            raise Unfit("not found")
        line = logical_end(source, body, end)
        return Slot(entries, line, gap=2, lead=2, taken=taken, holder=InSuite(body))

    def _end(self, body: Statements) -> int:
        """The statement that a new last class goes after; -1: the base is unknown."""
        derived, own, imported, imports = -1, -1, -1, -1
        for index, node in enumerate(body):
            if isinstance(node, ast.ClassDef):
                bases = {last_name(each) for each in node.bases}
                derived = index if self.base in bases else derived
                own = index if node.name == self.base else own
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports = index
                names = {(each.asname or each.name) for each in node.names}
                imported = index if self.base in names else imported
        if derived >= 0 or own >= 0:
            return max(derived, own)
        return imports if imported >= 0 else -1


@dataclass(frozen=True)
class DictLiteral(Anchor):
    """The entries of `name = {…}` in a module; keys are the literal's own."""

    variable: str
    label = "the dict literal {variable}"
    frame = ("entries = {\n", "}\n")

    def slot(self, source: Source, key: str) -> Slot:
        """The literal of that name."""
        return _literal_slot(source, self.variable, ast.Dict, "a dict literal")


@dataclass(frozen=True)
class ListLiteral(Anchor):
    """The strings in `name = […]` (or a tuple or set); keys are the strings."""

    variable: str
    label = "the list literal {variable}"
    frame = ("entries = [\n", "]\n")

    def slot(self, source: Source, key: str) -> Slot:
        """The literal of that name."""
        kinds = ast.List | ast.Tuple | ast.Set
        return _literal_slot(source, self.variable, kinds, "a list literal")


@dataclass(frozen=True)
class CallArguments(Anchor):
    """The keyword arguments of the one call of a function; keys are their names."""

    function: str
    label = "the call {function}(…)"
    frame = ("entries(\n", ")\n")

    def slot(self, source: Source, key: str) -> Slot:
        """The call of that function."""
        calls = [
            (statement, node)
            for statement in source.tree.body
            if source.holds(self.function, first_line(statement), line_after(statement))
            for node in ast.walk(statement)
            if isinstance(node, ast.Call) and self._is_function(node.func)
        ]
        if not calls:
            raise Unfit("not found")
        entries: list[Entry] = []
        holders = []
        for outer, call in calls:
            holders.append(InBrackets(_innermost(outer, call), call))
            entries += _with_spread(source, holders[-1], branch=id(call))
        return _bracket_slot(source, entries, holders, "a call")

    def _is_function(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name | ast.Attribute) and (
            last_name(node) == self.function
        )


def _is_field(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)


def _class_slot(source: Source, name: str, is_entry: object, gap: int) -> Slot:
    """The slot of those statements of a class that are entries."""
    assert callable(is_entry)
    owners = classes(source, name)
    if not owners:
        raise Unfit("not found")
    entries: list[Entry] = []
    taken: set[str] = set()
    for owner in _with_bases(source, owners):
        own = [
            entry_of(source, each, suite, suite.index(node), holder_of(owner, suite))
            for node, suite in statements(owner.body)
            if is_entry(node) and not is_accessor(node)
            for each in _names(node)
        ]
        taken |= set(members(owner))
        entries += own
    refusal = f"found {len(owners)} times" if len(owners) > 1 else ""
    owner = owners[0]
    own = [entry for entry in entries if entry.holder == InClass(owner)]
    end = own[-1].end if own else _top(owner, gap)
    return Slot(
        tuple(entries),
        end,
        body_indent(source, owner),
        source.unit,
        gap=gap,
        lead=1,
        taken=frozenset(taken - {entry.key for entry in entries}),
        holder=InClass(owner),
        refusal=refusal,
    )


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, Function):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [last_name(node.target)]
    return targets(node)


def _top(owner: ast.ClassDef, gap: int) -> int:
    """Where the first entry of a class goes: fields on top, methods last."""
    doc = docstring(owner.body)
    if gap:
        return line_after(owner.body[-1])
    return line_after(doc[0]) if doc else first_line(owner.body[0])


def _with_bases(
    source: Source, owners: Sequence[ast.ClassDef]
) -> Iterator[ast.ClassDef]:
    """Classes, and those of the module that they inherit from."""
    seen: set[str] = set()
    waiting = list(owners)
    while waiting:
        owner = waiting.pop(0)
        yield owner
        for base in map(last_name, owner.bases):
            if base not in seen and base != owner.name:
                seen.add(base)
                waiting += classes(source, base)


def _literal_slot(source: Source, variable: str, kind: object, what: str) -> Slot:
    """The slot of a variable that holds a literal, however it comes by its entries."""
    entries: list[Entry] = []
    holders: list[InBrackets] = []
    times = 0
    for node, suite in statements(source.tree.body):
        if variable in targets(node):
            value = getattr(node, "value", None)
            assert isinstance(value, ast.expr)
            # `x = MappingProxyType(x)` has the entries that are there
            times += variable not in map(last_name, ast.walk(value))
            found = [
                InBrackets(node, each)
                for each in _parts(value)
                if isinstance(each, kind)  # type: ignore[arg-type]  # a union
            ]
            holders += found[:1]
            for each in _parts(value):
                entries += _with_spread(source, InBrackets(node, each), id(suite))
        entries += _added(source, variable, suite, node)
    if not times:
        raise Unfit("not found")
    slot = _bracket_slot(source, entries, holders, what)
    return slot._replace(refusal=f"found {times} times") if times > 1 else slot


def _parts(value: ast.expr) -> Iterator[ast.expr]:
    """The literals that a value is made of: `{…} | {…}`, `frozenset((…))`, `dict(a=1)`."""
    if isinstance(value, ast.BinOp):
        yield from _parts(value.left)
        yield from _parts(value.right)
    elif isinstance(value, Literal):
        yield value
    elif isinstance(value, ast.Call):
        yield value
        for each in value.args:
            yield from _parts(each)


def _with_spread(
    source: Source, holder: InBrackets, branch: int, depth: int = 0
) -> Iterator[Entry]:
    """The entries between brackets, and those that `**OTHERS` brings."""
    node = holder.node
    yield from bracket_entries(source, holder.statement, node, branch)
    for value in spread(node) if depth < 8 else []:
        if isinstance(value, Literal):
            inner = InBrackets(holder.statement, value)
            yield from _with_spread(source, inner, branch, depth + 1)
        for other, _ in statements(source.tree.body):
            if last_name(value) in targets(other):
                for part in _parts(other.value):  # type: ignore[attr-defined]
                    inner = InBrackets(other, part)
                    yield from _with_spread(source, inner, id(part), depth + 1)


def _added(
    source: Source, variable: str, suite: Statements, node: ast.stmt
) -> Iterator[Entry]:
    """The entries that a statement adds: `x["a"] = 1`, `x.update(a=1)`, `x |= {…}`."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and last_name(target) == variable:
                key, index = text_of(target.slice), suite.index(node)
                if key:
                    yield entry_of(source, key, suite, index, InSuite(suite))
    elif isinstance(node, ast.AugAssign) and last_name(node.target) == variable:
        for part in _parts(node.value):
            yield from _with_spread(source, InBrackets(node, part), id(suite))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call, function = node.value, node.value.func
        if isinstance(function, ast.Attribute) and function.attr in _ADDING:
            if last_name(function.value) != variable:
                return
            for part in (call, *(each for arg in call.args for each in _parts(arg))):
                yield from bracket_entries(source, node, part, id(suite))
            for arg in call.args:
                if text_of(arg):
                    at = suite.index(node)
                    yield entry_of(source, text_of(arg), suite, at, InSuite(suite))


def _bracket_slot(
    source: Source, entries: Sequence[Entry], holders: Sequence[InBrackets], what: str
) -> Slot:
    """The slot whose new entries go into the one holder, if there is one."""
    if len(holders) != 1:
        refusal = f"found {len(holders)} times" if holders else f"is not {what}"
        end = entries[-1].end if entries else 0
        return Slot(tuple(entries), end, refusal=refusal)
    holder = holders[0]
    indent = _inner_indent(source, holder)
    own = [entry for entry in entries if entry.holder == holder]
    end = own[-1].end if own else line_after(holder.node) - 1
    return Slot(tuple(entries), end, indent, source.unit, holder=holder)


def _inner_indent(source: Source, holder: InBrackets) -> str:
    """How lines between brackets are indented."""
    outer = first_line(holder.node)
    for _, item in items(holder.node):
        if first_line(item) > outer:
            return source.indent_of(first_line(item))
    return source.indent_of(outer) + source.unit


def _innermost(outer: ast.stmt, call: ast.Call) -> ast.stmt:
    """The innermost statement that a call stands in."""
    found = outer
    # walked from the outside to the inside
    for node in ast.walk(outer):
        if isinstance(node, ast.stmt) and any(call is each for each in ast.walk(node)):
            found = node
    return found
