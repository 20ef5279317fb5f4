"""Entries as libcst nodes of the one statement that holds them.

The statement is parsed alone; an entry's node is inserted, replaced or removed, and the
statement is printed again, so that all bytes outside of the entry stay. libcst is imported
with this module, which therefore is imported only when something is written.

Every change is proven on the printed text: it is parsed again, the entry's node is taken
out, and the tree must equal the one before. If the statement had to be reformatted,
because it was too long for its line, only syntax and comments are compared.
"""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence

import libcst as cst

from scaffold.errors import PlanError
from scaffold.layout.style import Style
from scaffold.layout.width import width
from scaffold.patching import brackets
from scaffold.patching.brackets import Container, Contents, Node
from scaffold.patching.layout import Fragment, by_black, comments
from scaffold.patching.slots import Entry, InBrackets, Slot
from scaffold.patching.source import Edit, Source
from scaffold.patching.syntax import last_name

_FRAMES: dict[type, tuple[str, str]] = {
    cst.Dict: ("entries = {\n", "}\n"),
    cst.Call: ("entries(\n", ")\n"),
    cst.ImportFrom: ("", ""),
}
_LIST_FRAME = ("entries = [\n", "]\n")
_Compound = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.FunctionDef)
_NODES: dict[type[ast.AST], type[cst.CSTNode]] = {
    ast.Dict: cst.Dict,
    ast.List: cst.List,
    ast.Tuple: cst.Tuple,
    ast.Set: cst.Set,
    ast.Call: cst.Call,
    ast.ImportFrom: cst.ImportFrom,
}


def insert(
    source: Source, slot: Slot, index: int, fragment: Fragment, style: Style
) -> Edit:
    """Insert an entry into a literal or a call.

    Args:
        source: the file.
        slot: the place; a literal or a call holds its entries.
        index: the number of the new entry among `slot.siblings`.
        fragment: the entry.
        style: layout style of the project.

    Raises:
        PlanError: the entry does not fit there, or something else would change.
    """
    holder = slot.holder
    assert isinstance(holder, InBrackets)
    change = _BracketChange(source, holder, style, slot.indent)
    at = slot.number_at(index) if slot.siblings else change.first_index
    return change.insert(at, fragment)


def replace(
    source: Source, slot: Slot, entry: Entry, fragment: Fragment, style: Style
) -> Edit:
    """Replace an entry.

    Raises:
        PlanError: the entry does not fit there, or something else would change.
    """
    holder = entry.holder
    assert isinstance(holder, InBrackets)
    change = _BracketChange(source, holder, style, slot.indent)
    return change.replace(entry.number, fragment)


def remove(source: Source, slot: Slot, entry: Entry, style: Style) -> Edit:
    """Remove an entry.

    Raises:
        PlanError: something else would change.
    """
    holder = entry.holder
    assert isinstance(holder, InBrackets)
    return _BracketChange(source, holder, style, slot.indent).remove(entry.number)


def statement_text(source: Source, text: str) -> str:
    """A statement of its own, as this file writes it.

    Raises:
        PlanError: it is not one statement.
    """
    try:
        module = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise PlanError(source.path, f"is not a statement: {error.message}") from None
    if len(module.body) != 1:
        raise PlanError(source.path, f"is not one statement: {text.strip()}")
    return module.code


class _Statement:
    """One statement of a file, parsed alone."""

    def __init__(self, source: Source, node: ast.stmt) -> None:
        self.source = source
        self.start, self.stop = source.span(node)
        rest = source.text[self.stop : source.line_stop(self.stop)]
        if rest.lstrip(" \t").startswith("#"):
            self.stop += len(rest.rstrip("\r\n"))
        begin = source.text.rfind("\n", 0, self.start) + 1
        self.before = source.text[begin : self.start].removeprefix("\ufeff")
        indent = " " if self.before.strip() else self.before
        # The lines below the first one are indented as in the file.
        self._head = f"if 0:{source.newline}{indent}" if indent else ""
        self.text = source.text[self.start : self.stop]
        self.module = self.parsed(self.text)

    def parsed(self, text: str) -> cst.Module:
        """A module that holds the statement with another text."""
        try:
            return _parsed(self._head + text)
        except cst.ParserSyntaxError as error:
            raise PlanError(self.source.path, f"cannot be parsed: {error}") from None

    def printed(self, module: cst.Module) -> str:
        """The statement's text in a module from `parsed`."""
        return module.code.removeprefix(self._head)

    def node(self, module: cst.Module) -> cst.CSTNode:
        """The statement in a module from `parsed`."""
        body: Sequence[cst.CSTNode] = module.body
        if self._head:
            [outer] = module.body
            assert isinstance(outer, cst.If)
            body = outer.body.body
        return body[0]

    def edit(self, text: str) -> Edit:
        """The change of the file that gives the statement another text."""
        return Edit(self.start, self.stop, text)

    @property
    def where(self) -> str:
        """The file and the line, from 1, for messages."""
        line = self.source.text.count("\n", 0, self.start) + 1
        return f"{self.source.path}:{line}"

    def refuse(self) -> PlanError:
        """The error of a failed proof."""
        return PlanError(
            self.where,
            "cannot be patched without changing other text",
        )


class _BracketChange:
    """A change of the entries between brackets."""

    def __init__(
        self, source: Source, holder: InBrackets, style: Style, indent: str
    ) -> None:
        self._statement = _Statement(source, holder.statement)
        self._holder = holder
        self._style = style
        line = source.text.count("\n", 0, source.span(holder.node)[0])
        self._outer = source.indent_of(line)
        # the indent of a slot for imports is that of whole statements
        is_import = isinstance(holder.node, ast.ImportFrom)
        self._inner = self._outer + source.unit if is_import else indent
        self._number = self._ordinal()
        self._container = self._find(self._statement.module)
        self._inside = brackets.contents(self._container)

    @property
    def first_index(self) -> int:
        """Index of the first entry: behind positional arguments, before `**OTHERS`."""
        for index, node in enumerate(self._inside.nodes):
            star = getattr(node, "star", "")
            keyword = getattr(node, "keyword", None)
            if isinstance(node, cst.StarredDictElement) or star == "**" or keyword:
                return index
        return len(self._inside.nodes)

    def insert(self, index: int, fragment: Fragment) -> Edit:
        """The statement with one more entry."""
        text = self._laid_out(self._insertions(index, fragment))
        self._prove(text, index, self._statement.module)
        return self._statement.edit(text)

    def replace(self, index: int, fragment: Fragment) -> Edit:
        """The statement with another entry in place of one."""
        text = self._laid_out(self._replacements(index, fragment))
        without = brackets.removed(self._inside, index, is_tuple=self._is_tuple)
        before = self._statement.parsed(self._printed(without))
        self._prove(text, index, before)
        return self._statement.edit(text)

    def remove(self, index: int) -> Edit:
        """The statement without an entry."""
        inside = brackets.removed(self._inside, index, is_tuple=self._is_tuple)
        text = self._laid_out([self._closer(inside, index)])
        again = self._find(self._statement.parsed(text))
        if len(brackets.contents(again).nodes) != len(inside.nodes):
            raise self._statement.refuse()
        return self._statement.edit(text)

    def _laid_out(self, candidates: Iterable[Contents]) -> str:
        """The statement with the first contents that fit; else as black lays it out."""
        text = ""
        for inside in candidates:
            text = self._printed(inside)
            if self._fits(text):
                is_free = not (
                    self._style.keeps_trailing_commas or brackets.has_comments(inside)
                )
                if "\n" in text and is_free:
                    # black decides: a last comma does not keep the brackets open
                    break
                return text
        return self._by_black(text)

    def _closer(self, inside: Contents, index: int) -> Contents:
        """The contents after a removal, on fewer lines where a formatter would have it."""
        if inside.is_inline or brackets.has_comments(inside):
            return inside
        closer = inside
        if not inside.nodes:
            closer = brackets.collapsed(inside)
        elif not inside.is_exploded and not brackets.breaks(
            self._inside.gaps[index + 1]
        ):
            closer = brackets.unbroken(inside, index)
        return closer if self._fits(self._printed(closer)) else inside

    def _insertions(self, index: int, fragment: Fragment) -> Iterator[Contents]:
        """The contents with one more entry, in possible layouts, the present one first."""
        inside = self._inside
        if inside.is_inline and "\n" not in fragment.line and self._is_for_one_line:
            yield self._inserted(inside, index, fragment.line)
        elif inside.is_exploded:
            yield self._inserted(inside, index, fragment.lines)
        elif inside.nodes and not inside.is_inline and "\n" not in fragment.line:
            filled = self._inserted(inside, index, fragment.line)
            yield filled
            if not brackets.has_comments(filled):
                lower = brackets.broken(filled, index)
                yield brackets.unbroken(lower, index + 1)
                yield brackets.broken(lower, index + 1)
        elif not inside.nodes and not inside.is_inline:
            yield self._inserted(inside, index, fragment.lines)
        opened = self._inserted(inside, index, fragment.lines)
        if self._is_outermost:
            yield brackets.exploded(opened, self._inner, self._outer)

    def _replacements(self, index: int, fragment: Fragment) -> Iterator[Contents]:
        inside = self._inside
        if not inside.is_exploded and "\n" not in fragment.line:
            yield brackets.replaced(inside, index, self._node(fragment.line))
        opened = brackets.replaced(inside, index, self._node(fragment.lines))
        if inside.is_exploded:
            yield opened
        if self._is_outermost:
            yield brackets.exploded(opened, self._inner, self._outer)

    def _inserted(self, inside: Contents, index: int, text: str) -> Contents:
        return brackets.inserted(
            inside, index, self._node(text), self._inner, is_tuple=self._is_tuple
        )

    @property
    def _is_for_one_line(self) -> bool:
        """True if a formatter would leave these brackets on one line."""
        is_open = self._style.keeps_trailing_commas and self._is_outermost
        return bool(self._inside.nodes) or not is_open

    @property
    def _is_tuple(self) -> bool:
        return isinstance(self._container, cst.Tuple)

    @property
    def _is_outermost(self) -> bool:
        """True if these are the only brackets that the statement's line opens."""
        statement, node = self._holder.statement, self._holder.node
        return statement is node or getattr(statement, "value", None) is node

    def _node(self, text: str) -> Node:
        """The entry that a text holds; of an import, the imported name."""
        head, tail = _FRAMES.get(type(self._container), _LIST_FRAME)
        try:
            module = cst.parse_module(f"{head}{text.rstrip()}\n{tail}")
        except cst.ParserSyntaxError:
            raise self._unfit(text) from None
        container = next(each for each in _walk(module) if isinstance(each, Container))
        nodes = brackets.contents(container).nodes
        if len(nodes) != 1:
            raise self._unfit(text)
        return nodes[0]

    def _unfit(self, text: str) -> PlanError:
        return PlanError(
            self._statement.source.path, f"is not one entry: {text.strip()}"
        )

    def _printed(self, inside: Contents) -> str:
        if isinstance(self._container, cst.Set) and not inside.nodes:
            raise PlanError(
                self._statement.where,
                "would be left with an empty set, which has no literal; make it a list",
            )
        filled = brackets.filled(self._container, inside)
        changed = self._statement.module.deep_replace(self._container, filled)
        assert isinstance(changed, cst.Module)
        return self._statement.printed(changed)

    def _fits(self, text: str) -> bool:
        """True if no line became too long that was not before."""
        limit = self._style.line_length
        old = set(self._lines(self._statement.text))
        return all(width(line) <= limit or line in old for line in self._lines(text))

    def _lines(self, text: str) -> list[str]:
        return (self._statement.before + text).expandtabs(4).splitlines()

    def _by_black(self, text: str) -> str:
        source = self._statement.source
        if isinstance(self._holder.statement, _Compound):
            return text
        laid = by_black(text, self._statement.before, source, self._style)
        return laid or text

    def _prove(self, text: str, index: int, was: cst.Module) -> None:
        """Remove the entry again: the rest must be the statement as it was."""
        module = self._statement.parsed(text)
        container = self._find(module)
        inside = brackets.contents(container)
        rest = brackets.removed(inside, index, is_tuple=self._is_tuple)
        left = module.deep_replace(container, brackets.filled(container, rest))
        assert isinstance(left, cst.Module)
        if left.deep_equals(was):
            return
        texts = left.code, was.code
        trees = [ast.dump(ast.parse(each)) for each in texts]
        notes = [comments(each) for each in texts]
        if trees[0] != trees[1] or notes[0] != notes[1]:
            raise self._statement.refuse()

    def _ordinal(self) -> int:
        """The number of the container among the nodes of its kind, outer ones first."""
        node, statement = self._holder.node, self._holder.statement
        slices = {
            id(each.slice)
            for each in ast.walk(statement)
            if isinstance(each, ast.Subscript)
        }
        alike = [
            each
            for each in ast.walk(statement)
            if type(each) is type(node) and id(each) not in slices
            if not isinstance(each, ast.Call) or _function(each) == _function(node)
        ]
        alike.sort(key=_extent)
        return next(at for at, each in enumerate(alike) if each is node)

    def _find(self, module: cst.Module) -> Container:
        kind = _NODES[type(self._holder.node)]
        name = _function(self._holder.node)
        found = (
            each
            for each in _walk(self._statement.node(module))
            if isinstance(each, kind)
            if not isinstance(each, cst.Call) or _called(each) == name
        )
        # the walk ends at the container
        container = next(itertools.islice(found, self._number, None), None)
        if container is None:
            raise self._statement.refuse()
        assert isinstance(container, Container)
        return container


@functools.lru_cache(maxsize=16)
def _parsed(text: str) -> cst.Module:
    """A parsed module, cached: the text after one handler is that before the next one."""
    return cst.parse_module(text)


def _walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and all below it, outer ones first, in the order of the text."""
    yield node
    for child in node.children:
        yield from _walk(child)


def _extent(node: ast.AST) -> tuple[int, ...]:
    start = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
    end = getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0)
    return (*start, -end[0], -end[1])


def _function(node: ast.AST) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        return last_name(node.func)
    return ""


def _called(node: cst.Call) -> str:
    if isinstance(node.func, cst.Name):
        return node.func.value
    if isinstance(node.func, cst.Attribute):
        return node.func.attr.value
    return ""
