"""The bytes of a body, addressed eight at a time by arrays of positions.

Eight bytes in a `uint64` are handled together: checked for digits, decoded to a number,
compared with a key. numpy then needs a few instructions per line, where a loop over
characters would need hundreds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.intp]
Words = NDArray[np.uint64]
Mask = NDArray[np.bool_]

FRONT = 32
"""Bytes before the body, so that the words before any position can be read."""
BACK = 64
"""Bytes behind the body, as comparisons at the last positions may reach beyond it."""

_EVERY = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


class Text:
    """A padded body that ends in a newline.

    Attributes:
        buffer: the bytes; positions count from its beginning.
        raw: the same as an array.
    """

    __slots__ = ("_words", "buffer", "raw")

    def __init__(self, body: bytes) -> None:
        newline = b"" if body.endswith(b"\n") else b"\n"
        self.buffer = b"".join((bytes(FRONT), body, newline, bytes(BACK)))
        self.raw = np.frombuffer(self.buffer, dtype=np.uint8)
        # a word starts at every byte, so words overlap
        self._words: Words = np.ndarray(
            (len(self.buffer) - 7,), "<u8", self.buffer, 0, (1,)
        )

    def word(self, at: Positions) -> Words:
        """The eight bytes from each position on; the first is the lowest."""
        return self._words[at]

    def slice(self, start: int, end: int) -> str:
        """A piece as text."""
        return self.buffer[start:end].decode()

    def equal(self, at: Positions, expected: bytes) -> Mask:
        """Select the positions at which the expected bytes begin."""
        size = len(expected)
        if size < 8:
            keep = np.uint64(0xFFFF_FFFF_FFFF_FFFF >> (64 - 8 * size))
            short: Mask = (self._words[at] & keep) == _as_word(expected)
            return short
        if size > BACK:  # clipped positions see NUL bytes, which are never expected
            at = np.minimum(at, len(self.buffer) - size)
        same: Mask = self._words[at] == _as_word(expected[:8])
        for offset in (*range(8, size - 7, 8), *([size - 8] if size % 8 else [])):
            piece = expected[offset : offset + 8]
            same &= self._words[at + offset] == _as_word(piece)
        return same

    def last_words(
        self, starts: Positions, ends: Positions, count: int, base: np.uint64
    ) -> list[Words]:
        """The text between positions in words, from right to left.

        Bytes before the start of a text are 0.

        Args:
            starts: start of each text.
            ends: end of each text, at most 8 × count bytes later.
            count: number of words.
            base: base of each word of text, combined by exclusive or.
        """
        sizes = ends - starts
        least, most = int(sizes.min(initial=24)), int(sizes.max(initial=0))
        bits: Any = np.int64(8 * most) if least == most else sizes << 3
        words = []
        for index in range(count):
            word = self._words[ends - 8 * (index + 1)] ^ base
            if least < 8 * (index + 1):
                # numpy's result of a shift by 64 or more is 0
                missing = np.maximum(64 * (index + 1) - bits, 0)
                word &= _EVERY << missing.astype(np.uint64)
            words.append(word)
        return words


def _as_word(piece: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(piece, "little"))
