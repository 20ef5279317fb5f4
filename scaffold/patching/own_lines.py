"""Inserts entries where each has lines of its own: as whole lines, without libcst.

Most registration tables are laid out so, and for them parsing, printing and comparing the
whole statement would make each new handler cost more the more there are. Nothing but
the new lines changes, so the proof is that they are one entry, and that the entry above is
closed by a comma. In any other layout, `nodes` inserts the entry.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from scaffold.layout.style import Style
from scaffold.layout.width import width
from scaffold.patching.layout import Fragment
from scaffold.patching.slots import InBrackets, Slot
from scaffold.patching.source import Edit, Source
from scaffold.patching.syntax import entry_span, first_line, items, line_after

_FRAMES: dict[type[ast.AST], tuple[str, str]] = {
    ast.Call: ("f(\n", ")"),
    ast.Dict: ("{\n", "}"),
    ast.List: ("[\n", "]"),
    ast.Set: ("{\n", "}"),
}
_OPENING = re.compile(r"[{\[][ \t]*(?:#[^\r\n]*)?(\r?\n)")
_ENDING = re.compile(r"[ \t]*,[ \t]*(?:#[^\r\n]*)?(\r?\n)")


def inserted(
    source: Source, slot: Slot, index: int, fragment: Fragment, style: Style
) -> Edit | None:
    """Edit that inserts an entry as lines.

    None where that takes more than lines.

    Args:
        source: the file.
        slot: the place; a literal or a call holds its entries.
        index: the number of the new entry among `slot.siblings`.
        fragment: the entry.
        style: layout style of the project.
    """
    holder, siblings = slot.holder, slot.siblings
    if not (isinstance(holder, InBrackets) and style.keeps_trailing_commas):
        return None
    if not siblings:
        return _opened(source, holder, fragment, style)
    number = slot.number_at(index)
    entries = [each for _, each in items(holder.node)]
    if not (_is_entry(fragment, holder, style) and _is_exploded(holder.node, entries)):
        return None
    if number:
        above = siblings[0]._replace(number=number - 1)
        ending = _ENDING.match(source.text, entry_span(source, above)[1])
    else:
        ending = _OPENING.match(source.text, source.span(holder.node)[0])
    lines = map(first_line, entries[max(number - 1, 0) : number + 1])
    if (
        ending is None
        or ending[1] != source.newline
        or any(source.indent_of(line) != slot.indent for line in lines)
    ):
        return None
    return Edit(ending.end(), ending.end(), fragment.lines)


def _opened(
    source: Source, holder: InBrackets, fragment: Fragment, style: Style
) -> Edit | None:
    """Edit that puts the lines of a first entry between the brackets of a variable."""
    start, stop = source.span(holder.node)
    brackets = source.text[start:stop]
    is_value = getattr(holder.statement, "value", None) is holder.node
    if brackets not in ("{}", "[]") or not is_value:
        return None
    if not _is_entry(fragment, holder, style):
        return None
    outer = source.indent_of(first_line(holder.node))
    lines = source.newline + fragment.lines + outer
    return Edit(start + 1, stop - 1, lines)


def _is_exploded(node: ast.AST, entries: Sequence[ast.AST]) -> bool:
    """True if each entry between these brackets begins on a line of its own."""
    opening = (
        line_after(node.func) - 1 if isinstance(node, ast.Call) else first_line(node)
    )
    starts = [*map(first_line, entries), line_after(node) - 1]
    ends = [opening, *(line_after(each) - 1 for each in entries)]
    return all(end < start for end, start in zip(ends, starts, strict=True))


def _is_entry(fragment: Fragment, holder: InBrackets, style: Style) -> bool:
    """True if some lines are one entry with its comma, and none is too long."""
    lines = fragment.lines.expandtabs(4).splitlines()
    if any(width(line) > style.line_length for line in lines):
        return False
    head, tail = _FRAMES.get(type(holder.node), ("", ""))
    try:
        framed = ast.parse(f"{head}{fragment.lines}{tail}", mode="eval").body
    except (SyntaxError, ValueError):
        return False
    is_alike = type(framed) is type(holder.node)
    return is_alike and len(items(framed)) == 1 and fragment.lines.rstrip()[-1:] == ","
