"""Mentions of a handler in the files of a project, by the forms of its name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.names import Names

MAX_FILES = 20_000
MAX_MENTIONS = 500
_LENGTH = 100
_CLASSES = ("", "Config", "Handler", "HandlerConfig", "Server", "Service")


class Mention(NamedTuple):
    """A line, or the path of a file, that contains the name of a handler.

    Attributes:
        path: the file.
        line: line in the file, from 1; 0 for the path itself.
        text: the line, without the white space around it and at most 100 characters.
    """

    path: PurePosixPath
    line: int
    text: str


def mentions(
    names: Names,
    files: Iterable[tuple[PurePosixPath, bytes]],
    after: Mapping[PurePosixPath, bytes | None],
    own: Collection[PurePosixPath] = (),
) -> list[Mention]:
    """The mentions of a handler; at most `MAX_MENTIONS` of them, in `MAX_FILES` files.

    Args:
        names: its names.
        files: the files with their content.
        after: content that replaces that of `files`; None: the file is removed.
        own: files that are left out.
    """
    word = _word(names)
    found = (
        each
        for path, data in islice(files, MAX_FILES)
        if path not in own
        for each in _in_file(path, after.get(path, data), word)
    )
    return list(islice(found, MAX_MENTIONS))


def _in_file(
    path: PurePosixPath, data: bytes | None, word: re.Pattern[str]
) -> Iterator[Mention]:
    if data is None:
        return
    if any(word.fullmatch(part.partition(".")[0]) for part in path.parts):
        yield Mention(path, 0, "")
    text = data.decode("utf-8", "replace")
    if word.search(text) is None:
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if word.search(line):
            yield Mention(path, number, line.strip()[:_LENGTH])


def _word(names: Names) -> re.Pattern[str]:
    """Any form of a handler's name, as a whole word."""
    kind = names.kind
    forms = {kind, names.property, names.section, f"{kind}test", f"test_{kind}_service"}
    forms |= {f"{names.class_name}{suffix}" for suffix in _CLASSES}
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
