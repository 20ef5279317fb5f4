"""The one layout pass: lines that are too long get the form that black gives them.

Templates write each statement on one line. A line that fits stays as it is written. A line
that does not fit is split here, or by black if `splitting` does not know its form. A call
that ends in `,)` then gets one argument to a line.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

from scaffold.layout.leaves import DeclinedError
from scaffold.layout.splitting import exploded, split
from scaffold.layout.style import PLAIN, Style, by_black
from scaffold.layout.width import UncertainWidthError, fits

_OPEN_CALL = ",)"


def fit_module(text: str, style: Style = PLAIN) -> str:
    """Whole Python statements, laid out.

    Args:
        text: statements on one line each, or as black leaves them.
        style: the project's settings.
    """
    return _fit(text, style, 0)


def fit_entry(
    text: str, frame: tuple[str, str], indent: str, style: Style = PLAIN
) -> str:
    """An entry of a container, laid out.

    Args:
        text: the entry, not indented.
        frame: the text before and after it, with which it is a module.
        indent: indentation of the entry in its file.
        style: the project's settings.
    """
    less = len(indent.expandtabs(4))
    if _all_fit(text, style.line_length - less):
        return text
    head, tail = frame
    is_item = text.rstrip().endswith(",") and text.count("\n") == 1
    try:
        if style.is_plain and is_item:
            return split(text[:-1], 0, style.line_length - less, is_item=True) + "\n"
        if style.is_plain and not text.startswith(("from ", "import ")):
            return _fit(text, style, less)
    except (DeclinedError, UncertainWidthError):
        pass
    if not head:
        return _import(text, style.line_length - less) or by_black(text, style, less)
    # inside the frame the entry is indented by four columns
    framed = head + textwrap.indent(text, "    ") + tail
    lines = by_black(framed, style, less - 4).splitlines(keepends=True)
    return textwrap.dedent("".join(lines[1:-1] if tail else lines[1:]))


def _import(text: str, limit: int) -> str:
    """An import with one name to a line, where that fits; else ""."""
    module, _, names = text.rstrip("\n").partition(" import ")
    if not module.startswith("from ") or "\n" in names or "(" in names:
        return ""
    listed = "".join(f"    {name},\n" for name in names.split(", "))
    made = f"{module} import (\n{listed})\n"
    return made if _all_fit(made, limit) else ""


def _fit(text: str, style: Style, less: int) -> str:
    """`text` laid out, with lines that are shorter by `less` columns."""
    if not style.is_plain:
        return by_black(text, style, less)
    limit = style.line_length - less
    lines = text.split("\n")
    if _all_fit(text, limit) and not any(each.endswith(_OPEN_CALL) for each in lines):
        return text
    is_left = False
    for start, stop in _statements(text):
        try:
            lines[start:stop] = _fitted(lines[start:stop], limit)
        except (DeclinedError, UncertainWidthError):
            is_left = True
    made = "\n".join(lines)
    return by_black(made, style, less) if is_left else made


def _all_fit(text: str, limit: int) -> bool:
    try:
        return all(fits(line, limit) for line in text.split("\n"))
    except UncertainWidthError:
        return False


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """The lines of each statement except docstrings, as a slice, the last first."""
    found: list[tuple[int, int]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found += [_lines(each) for each in node.decorator_list]
        if not isinstance(node, ast.stmt) or _is_docstring(node):
            continue
        body = getattr(node, "body", None)
        start, stop = _lines(node)
        # the body may stand on the same line
        found.append((start, max(_start(body[0]), start + 1) if body else stop))
    return iter(sorted(found, reverse=True))


def _lines(node: ast.stmt | ast.expr) -> tuple[int, int]:
    return node.lineno - 1, node.end_lineno or node.lineno


def _start(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([_lines(node)[0], *(_lines(each)[0] for each in decorators)])


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _fitted(lines: list[str], limit: int) -> list[str]:
    """The lines of one statement, or of the head of one, laid out.

    Raises:
        DeclinedError: they are left to black.
    """
    statement, *more = lines
    more = [each for each in more if each.strip()]
    is_open = statement.endswith(_OPEN_CALL) and not more
    flat = f"{statement[: -len(_OPEN_CALL)]})" if is_open else statement
    if is_open and not _is_call(statement):
        is_open, flat = False, statement
    if not any(more) and fits(flat, limit):
        return [flat, *lines[1:]]
    if more:
        return list(_exploded(lines, limit))
    depth, rest = divmod(len(flat) - len(flat.lstrip(" ")), 4)
    if rest:
        raise DeclinedError("an odd indentation")
    way = exploded if is_open else split
    return [*way(flat.lstrip(" "), depth, limit).split("\n"), *lines[1:]]


def _exploded(lines: list[str], limit: int) -> Iterator[str]:
    """The lines of a statement with one item per line; lines that are too long are laid out.

    Raises:
        DeclinedError: they are left to black.
    """
    # black leaves the items on their lines only if a comma ends them
    is_open = lines[-2].endswith(",")
    for line in lines:
        if fits(line, limit):
            yield line
            continue
        item = line.lstrip(" ")
        depth, rest = divmod(len(line) - len(item), 4)
        if rest or not (is_open and _is_item(item)):
            raise DeclinedError("a statement on several lines")
        yield from split(item, depth, limit, is_item=True).split("\n")


def _is_item(text: str) -> bool:
    """True for one item of a list or an argument, with its comma."""
    try:
        [statement] = ast.parse(f"[{text}]").body
    except (SyntaxError, ValueError):
        return False
    value = getattr(statement, "value", None)
    return text.endswith(",") and isinstance(value, ast.List) and len(value.elts) == 1


def _is_call(line: str) -> bool:
    """True if a statement ends in a call, not in a tuple."""
    [node] = ast.parse(line.strip()).body
    return isinstance(getattr(node, "value", None), ast.Call)
