"""Per-ID ordering: a message may be tried if nothing older of its ID waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from runtime.delivery.messages import Message


class Ordering:
    """The messages of one address that are in memory, in a chain for each event id.

    A message is first when it is at the head of its chain. Only first messages may be
    tried, so the events of one id arrive in order, and a failing one delays no other
    id.

    Attributes:
        messages: messages by id, oldest first.
    """

    __slots__ = ("_chains", "messages")

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self.messages: dict[int, Message] = {}
        self._chains: dict[str, deque[int]] = {}
        for message in messages:
            self.add(message)

    def add(self, message: Message) -> bool:
        """Append a message; return True if it is first in its chain."""
        self.messages[message.id] = message
        chain = self._chains.setdefault(message.event.state.id, deque())
        chain.append(message.id)
        return len(chain) == 1

    def is_first(self, number: int) -> bool:
        """True if the message is in memory and the oldest of its event id."""
        message = self.messages.get(number)
        return message is not None and self._chains[message.event.state.id][0] == number

    def replace(self, message: Message) -> None:
        """Replace the message with the same id."""
        self.messages[message.id] = message

    def remove(self, number: int) -> Message | None:
        """Remove a message and return its successor if that is first now."""
        message = self.messages.pop(number)
        chain = self._chains[message.event.state.id]
        was_first = chain[0] == number
        # usually the first message; a discarded or expired one may be anywhere
        chain.remove(number)
        if not chain:
            # new ids keep coming, and empty chains would pile up
            del self._chains[message.event.state.id]
            return None
        return self.messages[chain[0]] if was_first else None
