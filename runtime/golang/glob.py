"""Shell patterns as Go's path.Match knows them."""

from __future__ import annotations

import functools
import re


class PatternError(ValueError):
    """The pattern is malformed."""

    def __init__(self) -> None:
        super().__init__("syntax error in pattern")


def match(pattern: str, text: str) -> bool:
    """True if the whole of `text` matches; an empty pattern matches everything.

    `*` and `?` never match `/`; classes are `[a-z]` and `[^a-z]`; `\\` escapes.

    Raises:
        PatternError: the pattern is malformed, even after a part that does not match.

    Source: Go path.Match; Kapacitor's alert.PatternMatch for the empty pattern.
    """
    return not pattern or _compiled(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    chunks = [""]
    rest = pattern
    while rest:
        if rest[0] == "*":
            chunks.append("")
            rest = rest.lstrip("*")
        else:
            part, rest = _translated(rest)
            chunks[-1] += part
    first, *others = chunks
    # as in Go, every star but the last takes the shortest match without backtracking:
    # this keeps patterns with many stars cheap
    middle = "".join(f"(?>[^/]*?{chunk})" for chunk in others[:-1])
    last = f"[^/]*{others[-1]}" if others else ""
    return re.compile(first + middle + last, re.DOTALL)


def _translated(rest: str) -> tuple[str, str]:
    head = rest[0]
    if head == "?":
        return "[^/]", rest[1:]
    if head == "[":
        return _class(rest[1:])
    char, rest = _literal(rest)
    return re.escape(char), rest


def _class(rest: str) -> tuple[str, str]:
    negated = rest.startswith("^")
    rest = rest[1:] if negated else rest
    ranges: list[str] = []
    while not (rest.startswith("]") and ranges):
        low, rest = _bound(rest)
        high = low
        if rest.startswith("-"):
            high, rest = _bound(rest[1:])
        if low <= high:
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            ranges.append("")  # an empty range matches nothing but counts as one
    inside = "".join(ranges)
    if not inside:
        return ("." if negated else "(?!)"), rest[1:]
    return f"[{'^' if negated else ''}{inside}]", rest[1:]


def _bound(rest: str) -> tuple[str, str]:
    if not rest or rest[0] in "-]":
        raise PatternError
    char, rest = _literal(rest)
    if not rest:
        raise PatternError
    return char, rest


def _literal(rest: str) -> tuple[str, str]:
    if rest[0] != "\\":
        return rest[0], rest[1:]
    if len(rest) == 1:
        raise PatternError
    return rest[1], rest[2:]
