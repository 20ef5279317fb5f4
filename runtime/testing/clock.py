"""A clock that tests set by hand."""

from __future__ import annotations

from runtime.units import Nanoseconds


class ManualClock:
    """A `Clock` that stays still until a test moves it.

    Attributes:
        now: current time, in ns since 1970 UTC.
    """

    def __init__(self, now: Nanoseconds = 0) -> None:
        self.now = now

    def __call__(self) -> Nanoseconds:
        """The current time."""
        return self.now

    def advance(self, duration: Nanoseconds) -> None:
        """Move the clock by `duration`; a negative one moves it back."""
        self.now += duration
