"""Status lines: a verb in its column, then a text."""

from __future__ import annotations

WIDTH = 12
_SUMMARIES = tuple(f"{verb:>{WIDTH}} " for verb in ("done", "would"))
_COLOURS = {
    "create": 32,
    "register": 32,
    "update": 33,
    "merge": 33,
    "move": 33,
    "remove": 31,
    "unregister": 31,
    "conflict": 31,
    "missing": 31,
    "skip": 33,
    "stale": 31,
    "keep": 36,
}


def status(verb: str, text: str, *, colour: bool = False) -> str:
    """One status line."""
    from scaffold.escaping import escaped

    line = f"{verb:>{WIDTH}} {escaped(text)}".rstrip()
    return coloured(line) if colour else line


def coloured(line: str) -> str:
    """A status line with its verb in color."""
    verb, text = line[:WIDTH], line[WIDTH:]
    code = _COLOURS.get(verb.strip())
    return f"\x1b[1;{code}m{verb}\x1b[0m{text}" if code else line


def timed(line: str, elapsed_s: float) -> str:
    """A status line; that of a command's summary gets the time that it took."""
    return f"{line} in {elapsed_s:.2f} s" if line.startswith(_SUMMARIES) else line
