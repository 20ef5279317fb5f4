"""The server that sends alerts, as services see it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from runtime.units import Nanoseconds


@dataclass(frozen=True, slots=True)
class Server:
    """The server that sends alerts.

    Attributes:
        url: base URL of its HTTP API: `http://localhost:9092/kapacitor/v1`.
        hostname: configured name of the server.
        clock: returns the time, in ns since 1970 UTC.
    """

    url: str = ""
    hostname: str = ""
    clock: Callable[[], Nanoseconds] = time.time_ns


UNNAMED = Server()
