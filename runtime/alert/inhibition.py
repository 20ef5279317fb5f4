"""Which alerts keep which others quiet.

Source: Kapacitor services/alert/inhibitor.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from runtime.alert.types import Event

Tags = Mapping[str, str]


class Inhibitor:
    """Keeps the events of a category quiet whose tags are equal, while it is active.

    Attributes:
        category: of the events.
        tags: by name the value that an event must have; an absent tag is "".
        active: whether it does so now.
    """

    __slots__ = ("active", "category", "tags")

    def __init__(self, category: str, tags: Tags) -> None:
        self.category = category
        self.tags = tags
        self.active = False


class Inhibitors:
    """All inhibitors of the process, shared by its tasks; forgotten when it ends."""

    def __init__(self) -> None:
        self._by_category: dict[str, dict[Inhibitor, None]] = {}

    def add(self, inhibitor: Inhibitor) -> None:
        """Let `inhibitor` count."""
        self._by_category.setdefault(inhibitor.category, {})[inhibitor] = None

    def remove(self, inhibitor: Inhibitor) -> None:
        """Let it count no more."""
        known = self._by_category.get(inhibitor.category, {})
        known.pop(inhibitor, None)
        if not known:
            self._by_category.pop(inhibitor.category, None)

    def is_inhibited(self, event: Event) -> bool:
        """Whether an active inhibitor applies to `event`."""
        tags = event.data.tags
        return any(
            inhibitor.active
            and all(
                tags.get(name, "") == value for name, value in inhibitor.tags.items()
            )
            for inhibitor in self._by_category.get(event.data.category, ())
        )
