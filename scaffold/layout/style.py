"""The layout settings of a project."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

DEFAULT_LENGTH = 88


class Style(NamedTuple):
    """A project's `[tool.black]`.

    Attributes:
        line_length: line length in columns.
        normalizes_strings: true if strings get double quotes.
        keeps_trailing_commas: true if a trailing comma keeps brackets open.
        is_preview: true if black's preview style is on.
        targets: names of Python versions, `py311`; empty: black detects them.
    """

    line_length: int = DEFAULT_LENGTH
    normalizes_strings: bool = True
    keeps_trailing_commas: bool = True
    is_preview: bool = False
    targets: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """True if black's stable style applies, which `splitting` knows."""
        return self.keeps_trailing_commas and not self.is_preview


PLAIN = Style()
"""That of a project that sets nothing."""


@lru_cache(maxsize=4)
def style_of(pyproject: bytes | None) -> Style:
    """The settings of a `pyproject.toml`; the line length also from ruff's."""
    if not pyproject or b"[tool." not in pyproject:
        return Style()
    import tomllib

    try:
        tools = tomllib.loads(pyproject.decode()).get("tool", {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return Style()
    black, ruff = _table(tools, "black"), _table(tools, "ruff")
    ruffs = _table(ruff, "format")
    targets = black.get("target-version")
    length = black.get("line-length", ruff.get("line-length", DEFAULT_LENGTH))
    return Style(
        length if isinstance(length, int) and 20 <= length <= 1000 else DEFAULT_LENGTH,
        not black.get("skip-string-normalization", ruffs.get("quote-style", 0) != 0),
        not black.get(
            "skip-magic-trailing-comma", ruffs.get("skip-magic-trailing-comma", False)
        ),
        black.get("preview") is True,
        tuple(map(str, targets)) if isinstance(targets, list) else (),
    )


def by_black(text: str, style: Style, less: int = 0) -> str:
    """Python text as black lays it out.

    Args:
        text: whole statements.
        style: the project's settings.
        less: number of columns to subtract from the line length.
    """
    # the import costs more than all else here: only where black is needed
    import black
    from black.mode import TargetVersion

    mode = black.Mode(
        target_versions={
            TargetVersion[each.upper()]
            for each in style.targets
            if each.upper() in TargetVersion.__members__
        },
        line_length=max(style.line_length - less, 1),
        string_normalization=style.normalizes_strings,
        magic_trailing_comma=style.keeps_trailing_commas,
        preview=style.is_preview,
    )
    return black.format_str(text, mode=mode)


def _table(tables: object, name: str) -> dict[str, object]:
    found = tables.get(name) if isinstance(tables, dict) else None
    return found if isinstance(found, dict) else {}
