"""Regular expressions of lambdas, with Go's way of replacing."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Iterator, Mapping
from typing import Protocol, cast

from runtime.golang import regex
from runtime.tick.lambdas import limits
from runtime.tick.lambdas.faults import TooMuchError

# Longer texts are not cached.
_SHORT = 256
# The clock is read after this many steps of searches; each may take 40 ns.
_CLOCKED_STEPS = 1 << 20
_REFERENCE = re.compile(rb"\$(?:\$|\{(\w+)\}|(\w+))")


class _Match(Protocol):
    def span(self) -> tuple[int, int]: ...

    def group(self, number: int) -> bytes | None: ...


class _Compiled(Protocol):
    # RE2's interface for bytes
    groups: int
    groupindex: Mapping[str, int]
    programsize: int

    def search(self, text: bytes) -> _Match | None: ...

    def finditer(self, text: bytes) -> Iterator[_Match]: ...


class Regex:
    """A compiled regular expression.

    Attributes:
        pattern: its source.
    """

    __slots__ = ("_compiled", "_longest", "_remembered", "_size", "pattern")

    def __init__(self, pattern: str) -> None:
        """Compile `pattern`.

        Raises:
            ValueError: the pattern is invalid; the text is Go's.
        """
        self.pattern = pattern
        self._compiled = cast(_Compiled, regex.compile(pattern))
        # read once, as RE2 counts the instructions on every access
        self._size = self._compiled.programsize
        self._longest = regex.MOST_STEPS // max(1, self._size)
        self._remembered = functools.lru_cache(maxsize=4096)(self._matches)

    def matches(self, text: str) -> bool:
        """True if it matches anywhere in a text.

        Results for recent short texts are cached: tags repeat, and a look-up is many
        times faster than a search.

        Raises:
            TooMuchError: the text is too long for the expression, or the evaluation has
                searched too much.
        """
        if len(text) > _SHORT:
            return self._matches(text)
        return self._remembered(text)

    def _matches(self, text: str) -> bool:
        return self._compiled.search(self._source(text)) is not None

    def _source(self, text: str) -> bytes:
        """The bytes of a string that is searched; counts the work.

        Raises:
            TooMuchError: a search of it may take too long, or the evaluation has searched
                too much.
        """
        source = text.encode(errors="surrogateescape")
        if len(source) > self._longest:
            raise TooMuchError(
                f"the string is longer than the {self._longest} bytes that may be "
                "searched with such a large regular expression"
            )
        limits.spend(len(source) * self._size // limits.STEPS)
        return source

    def replace(self, text: str, template: str) -> str:
        """`text` with each match replaced; `$1` and `${name}` name groups.

        Raises:
            TooMuchError: the result is too long, or takes too much work.

        Source: Go regexp.ReplaceAllString, which skips an empty match right after
        another match.
        """
        source = self._source(text)
        pattern = template.encode(errors="surrogateescape")
        out: list[bytes] = []
        is_plain = b"$" not in pattern
        last = length = steps = 0
        limits.spend(len(source))
        since_s = time.thread_time()
        matches = self._compiled.finditer(source)
        while True:
            # even for a short match the search may have read the whole remaining text
            steps += (len(source) - last) * self._size
            if steps > _CLOCKED_STEPS:
                steps, since_s = 0, limits.spend_time(since_s)
            match = next(matches, None)
            if match is None:
                break
            start, end = match.span()
            if start == end and _is_inside(source, start):
                continue
            out.append(source[last:start])
            if end > last or start == 0:
                made = pattern
                if not is_plain:
                    made = _expanded(pattern, match, self._compiled)
                length += len(made) - (end - start)
                limits.spend(limits.MATCH + len(made))
                if length > 0:
                    limits.check(len(source) + length)
                out.append(made)
            last = end
        out.append(source[last:])
        return b"".join(out).decode(errors="surrogateescape")

    def __repr__(self) -> str:
        return f"Regex({self.pattern!r})"


def _is_inside(source: bytes, position: int) -> bool:
    """True inside a character, where RE2 also finds empty matches."""
    for back in range(1, min(position, 3) + 1):
        first = source[position - back]
        if first >= 0xC0:
            return back < (2 if first < 0xE0 else 3 if first < 0xF0 else 4)
        if first < 0x80:
            break
    return False


def _expanded(template: bytes, match: _Match, compiled: _Compiled) -> bytes:
    length = 0

    def group(reference: re.Match[bytes]) -> bytes:
        nonlocal length
        found = named(reference)
        length += len(found)
        limits.check(length)
        limits.spend(limits.MATCH)
        return found

    def named(reference: re.Match[bytes]) -> bytes:
        name = (reference[1] or reference[2] or b"").decode()
        if not name:
            return b"$"
        number = int(name) if name.isdigit() else compiled.groupindex.get(name, -1)
        if not 0 <= number <= compiled.groups:
            return b""
        return match.group(number) or b""

    return _REFERENCE.sub(group, template)
