"""Merges hand edits of a generated file with its newly generated text."""

from __future__ import annotations

from pathlib import PurePosixPath

from scaffold.layout.style import Style
from scaffold.merging import documents
from scaffold.merging.versions import Merge, Take, Versions


def merged(
    path: PurePosixPath, versions: Versions[str], style: Style, take: Take = "fail"
) -> Merge:
    """The file with the changes of both sides, in the person's way of writing it.

    Args:
        path: its path.
        versions: its texts; line ends and byte order mark are taken from the person's.
        style: the project's layout of code.
        take: the way to settle conflicts.
    """
    mine = versions.mine
    mark = "\ufeff" if mine.startswith("\ufeff") else ""
    newline = "\r\n" if mine.count("\r\n") * 2 > mine.count("\n") else "\n"
    plain = versions._replace(mine=mine.removeprefix(mark).replace("\r\n", "\n"))
    if versions.base == versions.new:
        return Merge(mine)  # also where its line ends differ from line to line
    if plain.base == plain.mine:
        merge = Merge(versions.new)
    else:
        merge = _merged(path, plain, style, take)
    return merge._replace(text=mark + merge.text.replace("\n", newline))


def _merged(
    path: PurePosixPath, versions: Versions[str], style: Style, take: Take
) -> Merge:
    if path.suffix != ".py":
        return documents.merged(path, versions, take)
    from scaffold.merging import python, writing
    from scaffold.merging.clash import ClashError

    own = writing.style_of(versions, style)
    new = writing.written(versions.new, own, style)
    try:
        return python.merged(versions._replace(new=new), own.style, take)
    except ClashError:  # without a syntax tree, lines are merged
        return documents.merged(path, versions, take)
