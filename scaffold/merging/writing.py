"""The way in which a person's formatter writes a file: line length and quotes."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.errors import PlanError
from scaffold.layout.style import Style, by_black
from scaffold.merging.versions import Versions
from scaffold.patching.layout import requoted
from scaffold.patching.source import Source

_PATH = PurePosixPath("mine.py")
_LENGTHS = (79, 80, 88, 99, 100, 110, 120)  # common settings of projects


class Writing(NamedTuple):
    """The way in which a file is written.

    Attributes:
        style: its layout.
        quote: the quotes of its strings.
    """

    style: Style
    quote: str


def style_of(versions: Versions[str], style: Style) -> Writing:
    """The way in which the person's version is written.

    The line length is the one that reproduces most lines of the base.

    Args:
        versions: the texts.
        style: the project's.
    """
    quote = _quote(versions.mine)
    mine = set(versions.mine.split("\n"))

    def strange(style: Style) -> int:
        laid = requoted(by_black(versions.base, style), quote)
        return sum(line not in mine for line in laid.split("\n"))

    if set(requoted(versions.base, quote).split("\n")) <= mine:
        return Writing(style, quote)
    lengths = dict.fromkeys((style.line_length, *_LENGTHS))
    styles = [style._replace(line_length=length) for length in lengths]
    return Writing(min(styles, key=strange), quote)


def written(text: str, own: Writing, style: Style) -> str:
    """A generated text, laid out in the way of a file.

    Args:
        text: the text, laid out by the project's settings.
        own: the way of the file.
        style: the project's.
    """
    if own.style != style:
        text = by_black(text, own.style)
    return requoted(text, own.quote)


def _quote(code: str) -> str:
    """The quotes that most strings of a line have."""
    try:
        return Source(_PATH, code.encode()).quote
    except PlanError:  # not valid Python: the other side decides
        return '"'
