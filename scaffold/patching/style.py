"""How a project lays out its code, as far as it says so."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple


class Style(NamedTuple):
    """A project's `[tool.black]`.

    Attributes:
        line_length: in columns.
        normalizes_strings: whether strings get double quotes.
        keeps_trailing_commas: whether a trailing comma keeps brackets open.
    """

    line_length: int = 88
    normalizes_strings: bool = True
    keeps_trailing_commas: bool = True


def style_of(pyproject: bytes | None) -> Style:
    """What a `pyproject.toml` says; the line length also where ruff formats."""
    if not pyproject or b"[tool." not in pyproject:
        return Style()
    import tomllib

    try:
        tools = tomllib.loads(pyproject.decode()).get("tool", {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return Style()
    black, ruff = _table(tools, "black"), _table(tools, "ruff")
    ruffs = _table(ruff, "format")
    length = black.get("line-length", ruff.get("line-length", 88))
    return Style(
        length if isinstance(length, int) and 20 <= length <= 1000 else 88,
        not black.get("skip-string-normalization", ruffs.get("quote-style", 0) != 0),
        not black.get(
            "skip-magic-trailing-comma", ruffs.get("skip-magic-trailing-comma", False)
        ),
    )


def width(line: str) -> int:
    """The columns that a line takes, as black counts them."""
    if line.isascii():
        return len(line)
    return sum(_columns(character) for character in line)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _table(tables: object, name: str) -> dict[str, object]:
    found = tables.get(name) if isinstance(tables, dict) else None
    return found if isinstance(found, dict) else {}
