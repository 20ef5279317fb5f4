"""Dictionary codes: equal strings of a column have equal codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.line_protocol.text import Positions, Text, Words

_MOST_WORDS = 8
# arbitrary odd constants of a hash; collisions are detected, and only cost time
_FACTORS = tuple(
    np.uint64(0x9E37_79B9_7F4A_7C15 * (2 * index + 1) % 2**64)
    for index in range(_MOST_WORDS)
)


def dictionary(
    text: Text, starts: Positions, ends: Positions
) -> tuple[NDArray[np.int32], list[str]]:
    """The code of each text and the distinct texts, in order of first appearance."""
    codes, first = _codes(text, starts, ends)
    values = [
        text.slice(start, end)
        for start, end in zip(starts[first].tolist(), ends[first].tolist(), strict=True)
    ]
    return codes, values


def _codes(
    text: Text, starts: Positions, ends: Positions
) -> tuple[NDArray[np.int32], Positions]:
    most = int((ends - starts).max(initial=1))
    count = max(1, (most + 7) // 8)
    if count > _MOST_WORDS:
        return _codes_of_long(text, starts, ends)
    # bodies with NUL bytes are parsed as rows, so padding with NUL keeps texts distinct
    words = [
        word
        for word in text.last_words(starts, ends, count, np.uint64(0))
        if not (word == word[:1]).all()
    ]
    if not words:
        return np.zeros(len(starts), dtype=np.int32), np.zeros(1, dtype=np.intp)
    mixed: NDArray[Any] = words[0]
    for word, factor in zip(words[1:], _FACTORS, strict=False):
        mixed = mixed * _FACTORS[-1] + (word ^ (word >> np.uint64(29))) * factor
    codes, first = by_appearance(mixed)
    if len(words) > 1 and not _agree(words, first[codes]):
        return _codes_of_long(text, starts, ends)
    return codes, first


def _agree(words: list[Words], examples: Positions) -> bool:
    return all((word == word[examples]).all() for word in words)


def by_appearance(
    keys: NDArray[np.uint64] | NDArray[np.int64],
) -> tuple[NDArray[np.int32], Positions]:
    """Number the distinct keys in order of appearance; also return their first rows."""
    distinct, inverse = np.unique(keys, return_inverse=True)
    first = np.empty(len(distinct), dtype=np.intp)
    # in reverse order, as the last of several assignments to one index wins
    first[inverse[::-1]] = np.arange(len(keys) - 1, -1, -1)
    order = np.argsort(first)
    rank = np.empty(len(distinct), dtype=np.int32)
    rank[order] = np.arange(len(distinct), dtype=np.int32)
    return rank[inverse], first[order]


def _codes_of_long(
    text: Text, starts: Positions, ends: Positions
) -> tuple[NDArray[np.int32], Positions]:
    buffer = text.buffer
    known: dict[bytes, int] = {}
    first: list[int] = []
    codes = np.empty(len(starts), dtype=np.int32)
    for row, (start, end) in enumerate(
        zip(starts.tolist(), ends.tolist(), strict=True)
    ):
        code = known.setdefault(buffer[start:end], len(first))
        if code == len(first):
            first.append(row)
        codes[row] = code
    return codes, np.array(first, dtype=np.intp)
