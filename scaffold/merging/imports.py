"""Imports of a merged module: the person's, as they are written, and those needed now.

An import that is no longer generated stays while the person's code uses it.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import libcst as cst

from scaffold.layout.fit import fit_module
from scaffold.layout.style import Style
from scaffold.merging.likeness import imported
from scaffold.merging.nodes import (
    Body,
    Statement,
    code_of,
    comments_of,
    is_import,
    named,
    used_names,
)
from scaffold.merging.versions import Versions
from scaffold.patching import brackets


class _Import(NamedTuple):
    """One name that a module imports.

    Attributes:
        text: the statement for it alone, which identifies it.
        name: the name that it is bound to.
    """

    text: str
    name: str

    @property
    def module(self) -> str:
        """The start of the statement: `from a import`; the whole of `import a`."""
        head, _, rest = self.text.partition(" import ")
        return f"{head} import" if rest else self.text


def with_imports(
    modules: Versions[cst.Module], body: Sequence[Statement], style: Style
) -> list[Statement]:
    """The statements of a merged module, with the imports that both sides want.

    Args:
        modules: the versions.
        body: the statements, with the imports of the person.
        style: layout of new ones.
    """
    base, mine, new = (dict(_imports(each.body)) for each in modules)
    used, used_by_mine = (
        used_names("".join(code_of(each) for each in nodes if not is_import(each)))
        for nodes in (body, modules.mine.body)
    )
    bound = {each.name for each in mine}
    # an import that a person removed is added only for code that uses it now
    needed = used - used_by_mine - bound
    added = [
        each
        for each in new
        if each not in mine and (each not in base or each.name in needed)
    ]
    gone = {
        each
        for each in mine
        if each in base and each not in new and each.name not in used
    }
    found = list(_without(body, gone, modules.base))
    known = modules.base.code + modules.mine.code
    for each in new:
        if each not in added:
            _comment(found, each, _comments(new[each], known))
    before = [*found]
    for each in added:
        _add(found, each, list(new), new[each], style)
    return [*_spaced(before, found)]


def _spaced(
    before: Sequence[Statement], body: Sequence[Statement]
) -> Iterator[Statement]:
    """Statements with blank lines around the first imports of a module.

    Args:
        before: the statements without new imports.
        body: the statements.
    """
    below = {id(node) for last, node in itertools.pairwise(before) if is_import(last)}
    old = {*map(id, before)}
    last: Statement | None = None
    for node in body:
        gap = 0
        if last is not None and is_import(last) and not is_import(node):
            gap = 0 if id(node) in below else _gap_above(node)
        elif last is not None and is_import(node) and not is_import(last):
            gap = 0 if id(node) in old else 1
        yield _below_blanks(node, gap) if gap else node
        last = node


def _gap_above(node: Statement) -> int:
    """The blank lines between an import and another statement, as black sets them."""
    if not isinstance(node, cst.ClassDef | cst.FunctionDef):
        return 1
    # a comment that is not right above the import does not belong to it
    *_, last = (cst.EmptyLine(), *node.leading_lines)
    is_apart = bool(comments_of(node.leading_lines)) and not last.comment
    return 1 if is_apart else 2


def _below_blanks(node: Any, gap: int) -> Statement:
    """A statement with at least `gap` blank lines above its comments."""
    lines = node.leading_lines
    existing = sum(1 for _ in itertools.takewhile(lambda line: not line.comment, lines))
    blanks = [cst.EmptyLine(indent=False)] * (gap - existing)
    made: Statement = node.with_changes(leading_lines=[*blanks, *lines])
    return made


def _comments(statement: Any, known: str) -> list[cst.EmptyLine]:
    """The comments above a statement that a text lacks."""
    return [
        each
        for each in statement.leading_lines
        if each.comment and each.comment.value not in known
    ]


def _comment(
    body: list[Statement], wanted: _Import, comments: list[cst.EmptyLine]
) -> None:
    """Put comments right above an import, if it exists without them."""
    for index, node in enumerate(body if comments else ()):
        if is_import(node) and wanted in _of_statement(node):
            lines = getattr(node, "leading_lines", ())
            if comments_of(comments)[0] not in comments_of(lines):
                body[index] = node.with_changes(leading_lines=[*lines, *comments])
            return


def _imports(body: Body) -> Iterator[tuple[_Import, Statement]]:
    """The imports on the top level of a module, each with its statement."""
    for node in body:
        if is_import(node):
            for each in _of_statement(node):
                yield each, node


def _of_statement(node: Statement) -> list[_Import]:
    statements = ast.parse(code_of(node)).body
    return [
        _Import(*each)
        for statement in statements
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for each in imported(statement)
    ]


def _without(
    body: Sequence[Statement], gone: set[_Import], base: cst.Module
) -> Iterator[Statement]:
    """Statements without some imports; a comment of the person stays."""
    known = base.code
    kept: list[cst.EmptyLine] = []
    for statement in body:
        node: Any = statement
        if kept:
            node = node.with_changes(leading_lines=[*kept, *node.leading_lines])
            kept = []
        if is_import(node) and gone & {*_of_statement(node)}:
            left = _reduced(node, gone)
            if left is None:
                kept = _comments(node, known)
                continue
            node = left
        yield node


def _reduced(node: Any, gone: set[_Import]) -> Any | None:
    """An import statement without some names; None if none is left."""
    smalls = []
    for small in node.body:
        line = cst.SimpleStatementLine([small.with_changes(semicolon=_NO_SEMICOLON)])
        names = _of_statement(line)
        going = [index for index, each in enumerate(names) if each in gone]
        if len(going) == len(names):
            continue
        if isinstance(small, cst.ImportFrom):
            inside = brackets.contents(small)
            for index in reversed(going):
                inside = brackets.removed(inside, index, is_tuple=False)
            small = brackets.filled(small, inside)
        elif going:
            left = [each for at, each in enumerate(small.names) if at not in going]
            left[-1] = left[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            small = small.with_changes(names=left)
        smalls.append(small)
    return node.with_changes(body=smalls) if smalls else None


_NO_SEMICOLON = cst.MaybeSentinel.DEFAULT


def _add(
    body: list[Statement],
    wanted: _Import,
    generated: Sequence[_Import],
    statement: Statement,
    style: Style,
) -> None:
    """Import one more name: in the statement of its module, or in one of its own."""
    for index, node in enumerate(body):
        if is_import(node) and _takes(node, wanted):
            body[index] = _extended(node, wanted, generated, style)
            return
    [made] = cst.parse_module(wanted.text + "\n").body
    before = generated[: generated.index(wanted)]
    at, follows = _position(body, before)
    lines = getattr(statement, "leading_lines", ())
    if not follows:
        lines = [each for each in lines if each.comment]
    body.insert(at, made.with_changes(leading_lines=lines))


def _takes(node: Any, wanted: _Import) -> bool:
    """True for a statement that imports other names of the same module."""
    return (
        len(node.body) == 1
        and isinstance(node.body[0], cst.ImportFrom)
        and not isinstance(node.body[0].names, cst.ImportStar)
        and all(each.module == wanted.module for each in _of_statement(node))
    )


def _extended(
    node: Any, wanted: _Import, generated: Sequence[_Import], style: Style
) -> Any:
    """An import statement with one more name, placed as in the new text."""
    small = node.body[0]
    existing = _of_statement(node)
    names = [each.text.removeprefix(each.module).strip() for each in existing]
    name = wanted.text.removeprefix(wanted.module).strip()
    before = {*generated[: generated.index(wanted)]}
    at = max((i + 1 for i, each in enumerate(existing) if each in before), default=0)
    inside = brackets.contents(small)
    [one] = cst.parse_module(wanted.text + "\n").body
    if brackets.has_comments(inside) or inside.is_exploded:
        alias = one.body[0].names[0]  # type: ignore[union-attr,index]  # as parsed
        lines = (
            gap.last_line.value
            for gap in inside.gaps
            if isinstance(gap, cst.ParenthesizedWhitespace)
        )
        indent = next(lines, "")
        inside = brackets.inserted(inside, at, alias, indent, is_tuple=False)
        return node.with_changes(body=[brackets.filled(small, inside)])
    text = f"{wanted.module} {', '.join([*names[:at], name, *names[at:]])}\n"
    [made] = cst.parse_module(fit_module(text, style)).body
    return node.with_changes(body=made.body)


def _position(body: Sequence[Statement], before: Sequence[_Import]) -> tuple[int, bool]:
    """The index of a new import; True if the same import precedes it as in the new text.

    Also True for the first import of a module, which none precedes.
    """
    modules = {each.module for each in before}
    last = 0
    for index, node in enumerate(body):
        if is_import(node):
            if before and before[-1] in _of_statement(node):
                return index + 1, True
            if modules & {each.module for each in _of_statement(node)}:
                last = index + 1
    if last:
        return last, False
    first = (index for index, node in enumerate(body) if is_import(node))
    has_docstring = ("the docstring", "", "1") in named(body[:1], with_imports=False)
    return next(first, int(has_docstring)), True
