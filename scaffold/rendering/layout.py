"""Brings lines that a template made too long into black's form.

Templates are written as black leaves them, and a test proves it; only a long name or
value can push a line over the limit. So black, whose import costs more than everything
else here, is asked about such files alone.
"""

from __future__ import annotations

import textwrap

WIDTH = 88


def fit_module(text: str) -> str:
    """A whole Python file, in black's form if a line of it is too long."""
    if _fits(text, WIDTH):
        return text
    return _black(text, WIDTH)


def fit_entry(text: str, frame: tuple[str, str], indent: str) -> str:
    """An entry that will stand in `frame`, indented by `indent`."""
    width = WIDTH - len(indent.expandtabs(4))
    if _fits(text, width):
        return text
    split = _split(text)
    if split and _fits(split, width):
        return split
    head, tail = frame
    if not head:
        return _black(text, width)
    # Inside the frame the entry stands four columns deep.
    framed = head + textwrap.indent(text, "    ") + tail
    lines = _black(framed, width + 4).splitlines(keepends=True)
    inner = lines[1:-1] if tail else lines[1:]
    return textwrap.dedent("".join(inner))


def _split(text: str) -> str:
    """A line in black's form, where that is plain to see; else "".

    An import gets a line for each name; a line that ends in brackets is opened there.
    """
    line = text.rstrip("\n")
    module, _, names = line.partition(" import ")
    if module.startswith("from ") and names and "\n" not in line and "(" not in line:
        listed = "".join(f"    {name},\n" for name in names.split(", "))
        return f"{module} import (\n{listed})\n"
    comma = "," if line.endswith(",") else ""
    body = line.removesuffix(",")
    start = _opening(body)
    inner = body[start + 1 : -1]
    if start <= 0 or "\n" in line or '"' in inner or not inner:
        return ""
    return f"{body[: start + 1]}\n    {inner}\n){comma}\n"


def _opening(body: str) -> int:
    """Where the bracket opens that the line's last character closes; -1: nowhere."""
    depth = 0
    for at in range(len(body) - 1, -1, -1):
        depth += (body[at] == ")") - (body[at] == "(")
        if depth == 0:
            return at if body.endswith(")") else -1
    return -1


def _fits(text: str, width: int) -> bool:
    return all(len(line) <= width for line in text.splitlines())


def _black(text: str, width: int) -> str:
    import black

    return black.format_str(text, mode=black.Mode(line_length=width))
