"""Entries whose place is no longer found: removed by their recorded text."""

from __future__ import annotations

from pathlib import PurePosixPath

from scaffold.patching.source import Source


def without(path: PurePosixPath, data: bytes, text: str) -> tuple[bytes, int] | None:
    """A file without the lines that have this text, in any indentation.

    Returns:
        The file and the first of these lines, from 1; None if the text does not occur
        exactly once, or if the rest of the file does not compile.

    Raises:
        UnreadableFile: the file cannot be read.
    """
    source = Source(path, data)
    lines = [line.rstrip("\r\n") for line in source.lines]
    entry = text.strip("\n").split("\n")
    found = [
        at
        for at, line in enumerate(lines)
        if line.endswith(entry[0]) and _is_at(lines, at, entry)
    ]
    if len(found) != 1:
        return None
    start, stop = found[0], found[0] + len(entry)
    # with the blank lines that were inserted with it
    while start and not lines[start - 1] and not any(lines[stop : stop + 1]):
        if stop < len(lines):
            stop += 1
        else:
            start -= 1
    rest = "".join([*source.lines[:start], *source.lines[stop:]])
    if path.suffix == ".py":
        try:
            compile(rest.removeprefix("\ufeff"), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None
    return source.encode(rest), found[0] + 1


def _is_at(lines: list[str], at: int, entry: list[str]) -> bool:
    indent = lines[at][: len(lines[at]) - len(entry[0])]
    if indent.strip():
        return False
    expected = [indent + line if line else "" for line in entry]
    return lines[at : at + len(entry)] == expected
