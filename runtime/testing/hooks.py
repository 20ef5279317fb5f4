"""A hook for tests that records messages instead of sending them."""

from __future__ import annotations

import queue
from collections.abc import Mapping
from typing import Any

from runtime.golang.json import encode
from runtime.testing.loopback import Recorded


class RecordingHook:
    """Takes the place of a hook, and keeps the data to send.

    Attributes:
        received: the data as requests `SEND data` with JSON, in order.
        opened: the configurations of its clients, in order.
    """

    def __init__(self) -> None:
        self.received: queue.SimpleQueue[Recorded] = queue.SimpleQueue()
        self.opened: list[Any] = []

    async def open(self, config: Any, network: Any) -> None:
        """Record the configuration."""
        self.opened.append(config)

    async def close(self, client: Any) -> None:
        """Close nothing."""

    async def send(self, client: Any, data: Mapping[str, Any]) -> None:
        """Record the data."""
        self.received.put(Recorded("SEND", "data", body=encode(data)))

    def next(self, timeout_s: float = 5.0) -> Recorded:
        """The oldest data not yet taken.

        Raises:
            TimeoutError: no data arrived within `timeout_s`.
        """
        try:
            return self.received.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError(f"no data within {timeout_s} s") from None
