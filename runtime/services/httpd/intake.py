"""Request bodies in memory, with a limit for all of them together."""

from __future__ import annotations

from typing import Protocol

from runtime.services.httpd.messages import overloaded

# Ten of the largest writes at once; beyond that, the slowest are cut off.
MAX_HELD_BYTES = 256 * 1024 * 1024
TOO_MANY = overloaded("too many requests are arriving at once")


class Holder(Protocol):
    """A request whose body is in memory, in part or whole."""

    @property
    def is_arriving(self) -> bool:
        """True if more of the body is expected."""

    def cut(self) -> None:
        """Drop the body; called while it arrives."""


class Intake:
    """Counts the bytes of bodies that are arriving or waiting for their response.

    Beyond the limit the request that has been arriving for the longest time is cut off.
    A client that sends its body at once finishes long before; a slow one is dropped.
    """

    def __init__(self, limit: int = MAX_HELD_BYTES) -> None:
        """Begin without bodies.

        Args:
            limit: maximum size of all bodies together, in bytes.
        """
        self._limit = limit
        # oldest first
        self._held: dict[Holder, int] = {}
        self._total = 0

    @property
    def total(self) -> int:
        """The current number of bytes."""
        return self._total

    def hold(self, holder: Holder, size: int) -> None:
        """Count `size` bytes for `holder` from now on."""
        self._total += size - self._held.get(holder, 0)
        self._held[holder] = size
        while self._total > self._limit:
            oldest = next((each for each in self._held if each.is_arriving), None)
            if oldest is None:
                return
            self.release(oldest)
            oldest.cut()

    def release(self, holder: Holder) -> None:
        """Release the bytes of `holder`, which may be unknown."""
        self._total -= self._held.pop(holder, 0)
