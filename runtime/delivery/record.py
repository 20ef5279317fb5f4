"""The journal of a delivery of the outbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from runtime.delivery.commits import CommitBatcher
from runtime.delivery.messages import Message, Note
from runtime.delivery.outbox import Outbox
from runtime.errors import DeliveryError, StoreError

P = ParamSpec("P")


class Record:
    """Keeps the progress of a delivery in its row.

    It costs nothing for handlers that do not ask for it.
    """

    __slots__ = ("_commits", "_message", "_outbox")

    def __init__(
        self, outbox: Outbox, commits: CommitBatcher, message: Message
    ) -> None:
        self._outbox = outbox
        self._commits = commits
        self._message = message

    async def progress(self) -> bytes:
        """The progress that earlier attempts noted.

        A first attempt reads it too: a crash of the server may have cut off an earlier
        one.

        Raises:
            DeliveryError: the outbox cannot be read.
        """
        return await self._read(self._outbox.progress, self._message.id)

    async def note(self, progress: bytes) -> None:
        """Return when the progress is on disk."""
        await self._commits.commit(note=Note(self._message, progress))

    async def memory(self) -> bytes:
        """The memory of the handler for the event's ID.

        Raises:
            DeliveryError: the outbox cannot be read.
        """
        message = self._message
        event_id = message.event.state.id
        return await self._read(self._outbox.memories.get, message.address, event_id)

    async def remember(self, memory: bytes, progress: bytes) -> None:
        """Return when a new memory and its progress are on disk."""
        await self._commits.commit(note=Note(self._message, progress, memory))

    async def _read(
        self, read: Callable[P, bytes], *of: P.args, **no: P.kwargs
    ) -> bytes:
        try:
            return await self._commits.run(read, *of, **no)
        except StoreError as error:
            raise DeliveryError(str(error), retry=True) from None
