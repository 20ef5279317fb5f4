"""Inhibition: alerts that silence others, and the events released afterwards.

Source: Kapacitor services/alert/inhibitor.go, which drops inhibited events.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import NamedTuple

from runtime.alert.types import Event

Tags = Mapping[str, str]


class Held(NamedTuple):
    """The newest event of an inhibited alert.

    Attributes:
        event: event that was inhibited.
        release: called with the event when nothing inhibits it any longer.
    """

    event: Event
    release: Callable[[Event], None]


class Inhibitor:
    """Inhibits the events of a category with equal tags while it is active.

    Attributes:
        category: category of the events.
        tags: required values of tags by name; an absent tag is "".
        active: True while it inhibits.
    """

    __slots__ = ("_lifted", "active", "category", "tags")

    def __init__(self, category: str, tags: Tags, lifted: set[str]) -> None:
        """Make an inhibitor that is not active.

        Args:
            category: category of the events.
            tags: required values of tags by name.
            lifted: receives the category when it stops inhibiting.
        """
        self.category = category
        self.tags = tags
        self.active = False
        self._lifted = lifted

    def turn(self, *, active: bool) -> None:
        """Activate or deactivate it."""
        if self.active and not active:
            self._lifted.add(self.category)
        self.active = active


class Inhibitors:
    """All inhibitors of the process, shared by its tasks and kept in memory only."""

    def __init__(self) -> None:
        self._by_category: dict[str, dict[Inhibitor, None]] = {}
        self._held: dict[str, dict[Hashable, Held]] = {}
        self._lifted: set[str] = set()

    def add(self, category: str, tags: Tags) -> Inhibitor:
        """Register and return a new inhibitor."""
        inhibitor = Inhibitor(category, tags, self._lifted)
        self._by_category.setdefault(category, {})[inhibitor] = None
        return inhibitor

    def remove(self, inhibitor: Inhibitor) -> None:
        """Remove an inhibitor."""
        inhibitor.turn(active=False)
        known = self._by_category.get(inhibitor.category, {})
        known.pop(inhibitor, None)
        if not known:
            self._by_category.pop(inhibitor.category, None)

    def is_inhibited(self, event: Event) -> bool:
        """True if an active inhibitor applies to `event`."""
        tags = event.data.tags
        return any(
            inhibitor.active
            and all(
                tags.get(name, "") == value for name, value in inhibitor.tags.items()
            )
            for inhibitor in self._by_category.get(event.data.category, ())
        )

    def hold(self, key: Hashable, held: Held) -> None:
        """Hold the event of `key`, in place of an older one, until its release."""
        self._held.setdefault(held.event.data.category, {})[key] = held

    def drop(self, key: Hashable, category: str) -> None:
        """Drop the held event of `key`, if there is one."""
        known = self._held.get(category)
        if known is not None:
            known.pop(key, None)
            if not known:
                del self._held[category]

    def settle(self) -> None:
        """Release events that are no longer inhibited, after a round of input."""
        while self._lifted:
            category = self._lifted.pop()
            for key, held in list(self._held.get(category, {}).items()):
                if not self.is_inhibited(held.event):
                    self.drop(key, category)
                    held.release(held.event)
