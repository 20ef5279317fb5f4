"""The record of one delivery, for handlers that send several requests for an event."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol


class Journal(Protocol):
    """The progress of a delivery: bytes that its handler alone understands, or none."""

    async def progress(self) -> bytes:
        """The progress that earlier attempts noted."""

    async def note(self, progress: bytes) -> None:
        """Return when the progress is on disk."""


class Notebook:
    """A journal in memory, for deliveries that no outbox keeps."""

    def __init__(self) -> None:
        self._progress = b""

    async def progress(self) -> bytes:
        """The progress."""
        return self._progress

    async def note(self, progress: bytes) -> None:
        """Replace the progress."""
        self._progress = progress


journal: ContextVar[Journal | None] = ContextVar("journal", default=None)
"""The journal of the current delivery; None outside of one."""
