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
    head, tail = frame
    if not head:
        return _black(text, width)
    # Inside the frame the entry stands four columns deep.
    framed = head + textwrap.indent(text, "    ") + tail
    lines = _black(framed, width + 4).splitlines(keepends=True)
    inner = lines[1:-1] if tail else lines[1:]
    return textwrap.dedent("".join(inner))


def _fits(text: str, width: int) -> bool:
    return all(len(line) <= width for line in text.splitlines())


def _black(text: str, width: int) -> str:
    import black

    return black.format_str(text, mode=black.Mode(line_length=width))
