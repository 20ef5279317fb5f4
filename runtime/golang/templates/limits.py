"""Limits on a rendering: an endless loop must not block other tasks.

Work is counted, not timed, so that a template fails on every machine or on none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

# Work of a loop iteration or call, as the number of characters that take as long.
TURN = 128
# Work of one part of a template.
STEP = 16


class RenderingLimits(NamedTuple):
    """Limits of one rendering.

    Attributes:
        characters: maximum number of characters of the text.
        work: maximum work: characters that are handled, and `TURN` for each iteration of
            a loop.
    """

    characters: int
    work: int


# A million characters and 60,000 iterations, far more than a readable message needs.
MESSAGES = RenderingLimits(1 << 20, 8 << 20)
# Bodies may hold all the points of a window.
BODIES = RenderingLimits(64 << 20, 512 << 20)


class ExhaustedError(ValueError):
    """A rendering has reached its limits."""


class Allowance:
    """The remaining limits of one rendering."""

    __slots__ = ("_limits", "_work")

    def __init__(self, limits: RenderingLimits) -> None:
        self._limits = limits
        self._work = limits.work

    def check(self, pieces: Iterable[str]) -> None:
        """Check that the string of these pieces may be built.

        Raises:
            ExhaustedError: it is too long.
        """
        most = self._limits.characters
        if sum(map(len, pieces)) > most:
            raise ExhaustedError(f"the text is longer than {most} characters")

    def use(self, work: int) -> None:
        """Count work.

        Raises:
            ExhaustedError: the limit is exceeded.
        """
        self._work -= work
        if self._work < 0:
            raise ExhaustedError("the template takes too much work")

    def handle(self, values: Iterable[object]) -> None:
        """Count values passed to a function, or returned by it.

        Raises:
            ExhaustedError: they are too long.
        """
        work = 0
        for each in values:
            if isinstance(each, str):
                work += len(each)
        self.use(work)
