"""Which items of a handler may be tried next: those with nothing older of their ids."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from runtime.delivery.items import Item


class Chains:
    """The items of one address that are in memory, in a chain for each event id.

    An item is first when it is at the head of its chain.

    Attributes:
        items: by their ids, oldest first.
    """

    __slots__ = ("_chains", "items")

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self.items: dict[int, Item] = {}
        self._chains: dict[str, deque[int]] = {}
        for item in items:
            self.add(item)

    def add(self, item: Item) -> bool:
        """Put an item behind all others; whether it is first."""
        self.items[item.id] = item
        chain = self._chains.setdefault(item.event.state.id, deque())
        chain.append(item.id)
        return len(chain) == 1

    def is_first(self, number: int) -> bool:
        """True if the item of this id is here, and nothing older of its event id."""
        item = self.items.get(number)
        return item is not None and self._chains[item.event.state.id][0] == number

    def replace(self, item: Item) -> None:
        """Put an item in the place of the one of its id."""
        self.items[item.id] = item

    def remove(self, number: int) -> Item | None:
        """Forget an item; the item that is first now and was not before."""
        item = self.items.pop(number)
        chain = self._chains[item.event.state.id]
        was_first = chain[0] == number
        chain.remove(number)
        if not chain:
            del self._chains[item.event.state.id]
            return None
        return self.items[chain[0]] if was_first else None
