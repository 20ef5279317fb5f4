"""The journal of a delivery of the outbox."""

from __future__ import annotations

from runtime.delivery.commits import CommitBatcher
from runtime.delivery.messages import Message, Note
from runtime.delivery.outbox import Outbox
from runtime.errors import DeliveryError, StoreError


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

        A first attempt looks, too: the one before may have ended with the process.

        Raises:
            DeliveryError: the outbox cannot be read.
        """
        try:
            return await self._commits.run(self._outbox.progress, self._message.id)
        except StoreError as error:
            raise DeliveryError(str(error), retry=True) from None

    async def note(self, progress: bytes) -> None:
        """Return when the progress is on disk."""
        await self._commits.commit(note=Note(self._message, progress))
