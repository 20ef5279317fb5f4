"""Which items of a handler may be tried next: those with nothing older of their ids."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from runtime.delivery.items import Item


class Chains:
    """The items of one address that are in memory, in a chain for each event id.

    An item is first when it is at the head of its chain. A summary stands in the chains
    of all the ids it tells of, and is first when it is at the head of each: so it comes
    after their older events, and before their newer ones.

    Attributes:
        items: by their ids, oldest first.
        weight: how much that is: an item counts once, and once more for each event id
            that it tells of.
    """

    __slots__ = ("_chains", "_joined", "items", "weight")

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self.items: dict[int, Item] = {}
        self.weight = 0
        self._chains: dict[str, deque[int]] = {}
        # a summary joins the chains that there are, and new ones as they begin
        self._joined: dict[int, list[str]] = {}
        for item in items:
            self.add(item)

    def add(self, item: Item) -> bool:
        """Put an item behind all others; whether it is first."""
        self.items[item.id] = item
        self.weight += item.weight
        keys = [item.event.state.id]
        if item.ids:
            keys += [key for key in item.ids if key in self._chains and key != keys[0]]
        for key in keys:
            chain = self._chains.get(key)
            if chain is None:
                chain = self._chains[key] = self._begun(key)
            chain.append(item.id)
        if item.ids:
            self._joined[item.id] = keys
        return self.is_first(item.id)

    def is_first(self, number: int) -> bool:
        """True if the item of this id is here, and nothing older of its ids."""
        item = self.items.get(number)
        if item is None:
            return False
        keys = self._joined.get(number)
        if keys is None:
            return self._chains[item.event.state.id][0] == number
        return all(self._chains[key][0] == number for key in keys)

    def replace(self, item: Item) -> None:
        """Put an item in the place of the one of its id."""
        self.items[item.id] = item

    def remove(self, number: int) -> list[Item]:
        """Forget an item; the items that are first now and were not before."""
        item = self.items.pop(number)
        self.weight -= item.weight
        next_ones: dict[int, None] = {}
        for key in self._joined.pop(number, [item.event.state.id]):
            chain = self._chains[key]
            was_head = chain[0] == number
            chain.remove(number)
            if not chain:
                del self._chains[key]
            elif was_head:
                next_ones[chain[0]] = None
        return [self.items[each] for each in next_ones if self.is_first(each)]

    def _begun(self, key: str) -> deque[int]:
        """A new chain: the summaries that tell of an event of its id are older."""
        chain: deque[int] = deque()
        for number, keys in self._joined.items():
            if key in self.items[number].ids:
                chain.append(number)
                keys.append(key)
        return chain
