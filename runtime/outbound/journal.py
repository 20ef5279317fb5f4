"""The record of one delivery, for handlers that send several requests for an event."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol


class Journal(Protocol):
    """The progress of a delivery, and the memory of its handler for the alert's ID.

    Both are bytes that the handler alone understands; b"" means none.
    """

    async def progress(self) -> bytes:
        """The progress that earlier attempts noted."""

    async def note(self, progress: bytes) -> None:
        """Return when the progress is on disk."""

    async def memory(self) -> bytes:
        """The memory that earlier deliveries left."""

    async def remember(self, memory: bytes, progress: bytes) -> None:
        """Return when a new memory and its progress are on disk."""


class Notebook:
    """A journal in memory, for deliveries that no outbox keeps."""

    def __init__(self) -> None:
        self._progress = b""
        self._memory = b""

    async def progress(self) -> bytes:
        """The progress."""
        return self._progress

    async def note(self, progress: bytes) -> None:
        """Replace the progress."""
        self._progress = progress

    async def memory(self) -> bytes:
        """The memory."""
        return self._memory

    async def remember(self, memory: bytes, progress: bytes) -> None:
        """Replace the memory and the progress."""
        self._memory, self._progress = memory, progress

    def next_event(self) -> None:
        """Begin the delivery of another event with the same ID."""
        self._progress = b""


journal: ContextVar[Journal | None] = ContextVar("journal", default=None)
"""The journal of the current delivery; None outside of one."""
