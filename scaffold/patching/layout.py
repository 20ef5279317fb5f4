"""Layout of entries in existing files: by black, where they do not fit."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import NamedTuple

from scaffold.layout import style as layout
from scaffold.layout.style import Style
from scaffold.patching.source import Source

_STEP = "    "
_LAYOUT = set("()[]{},")
_PLAIN = re.compile(r'"(?!")[^"\'\\\n]*"')


class Fragment(NamedTuple):
    """An entry to be written.

    Attributes:
        line: rendered line, not indented.
        lines: laid out and indented for lines of its own.
    """

    line: str
    lines: str


def indented(text: str, indent: str, unit: str, newline: str) -> str:
    """An entry's lines, indented in a file's own way, with its line ends."""
    lines = [in_steps_of(unit, line) for line in text.split("\n")[:-1]]
    return "".join((indent + line if line else "") + newline for line in lines)


def requoted(text: str, quote: str) -> str:
    """An entry whose strings have the quotes that its file has."""
    if quote == '"':
        return text
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        body = token.string[1:-1]
        if token.type == tokenize.STRING and _PLAIN.fullmatch(token.string):
            row, column = token.start
            line = lines[row - 1]
            end = column + len(token.string)
            lines[row - 1] = f"{line[:column]}'{body}'{line[end:]}"
    return "".join(lines)


def by_black(text: str, before: str, source: Source, style: Style) -> str:
    """A statement as black lays it out; "" if black cannot, or would change more.

    Args:
        text: the statement, its first line not indented.
        before: the text before it on its line.
        source: the file, for its indentation and line ends.
        style: layout style of the project.
    """
    if before.strip() or _has_long_strings(text):
        return ""
    plain = text.replace("\r\n", "\n")
    room = style.line_length - len(before.expandtabs(4))
    laid = _formatted(plain + "\n", room, style).rstrip("\n")
    if ast.dump(ast.parse(laid)) != ast.dump(ast.parse(plain)):
        return ""
    if comments(laid) != comments(plain):
        return ""
    first, *below = laid.split("\n")
    lines = [first, *(before + in_steps_of(source.unit, line) for line in below)]
    return source.newline.join(lines)


def in_steps_of(unit: str, line: str) -> str:
    """A line that is indented in steps of four blanks, in steps of `unit`."""
    body = line.lstrip(" ")
    steps, rest = divmod(len(line) - len(body), len(_STEP))
    return unit * steps + " " * rest + body


def comments(text: str) -> list[tuple[str, str]]:
    """The comments of a statement, in order, each with the code before it.

    Brackets, commas and the kind of quotes do not count: they are a matter of layout.
    """
    found = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            found.append((before, token.string.rstrip()))
        elif token.string.strip() and token.string not in _LAYOUT:
            before = token.string.replace("'", '"')
    return found


def _has_long_strings(text: str) -> bool:
    """True if a statement has a string of several lines, which must not be indented."""
    return any(
        isinstance(node, ast.Constant | ast.JoinedStr)
        and node.end_lineno != node.lineno
        and not isinstance(getattr(node, "value", ""), int | float)
        for node in ast.walk(ast.parse(text))
    )


def _formatted(text: str, room: int, style: Style) -> str:
    from black.parsing import InvalidInput

    try:
        return layout.by_black(text, style._replace(line_length=room))
    except InvalidInput:
        return ""
