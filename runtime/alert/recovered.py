"""Retention of the states of alerts that have recovered."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.units import DAY, Nanoseconds

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Retention:
    """The limits after which an OK state is deleted.

    Attributes:
        age: time since they became OK, in ns.
        count: maximum number on all topics; the oldest are deleted first.
    """

    age: Nanoseconds = 7 * DAY
    count: int = 100_000


class Recovered:
    """The states of all topics that are OK, by topic and event id, oldest first."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._since: dict[Key, Nanoseconds] = {}

    def __len__(self) -> int:
        return len(self._since)

    def note(self, key: Key, now: Nanoseconds) -> None:
        """A state is OK from now on."""
        self._since.pop(key, None)
        self._since[key] = now

    def discard(self, key: Key) -> None:
        """Remove a state that is no longer OK, or no longer exists."""
        self._since.pop(key, None)

    def take(self, now: Nanoseconds, most: int) -> list[Key]:
        """Remove and return the expired states.

        Args:
            now: current time, in ns since 1970 UTC.
            most: maximum number to return.
        """
        too_many = len(self._since) - self._retention.count
        latest = now - self._retention.age
        found: list[Key] = []
        for key, since in self._since.items():
            # if the clock was set back, later states wait for the states before them
            if len(found) >= most or (since > latest and len(found) >= too_many):
                break
            found.append(key)
        for key in found:
            del self._since[key]
        return found
