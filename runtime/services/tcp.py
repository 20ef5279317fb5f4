"""Base of the services that write each event to a TCP address."""

from __future__ import annotations

from typing import ClassVar

from runtime.outbound.client import Response
from runtime.services.service import ConfigT, HttpService, OptionsT, TestT


class TcpService(HttpService[ConfigT, OptionsT, TestT]):
    """A service that writes one message per event on a connection of its own.

    Requests go to `tcp://host:port`. An answer has no status, and may be any text.
    """

    expects_json: ClassVar[bool] = False

    def failure(self, response: Response) -> str:
        """The error for an answer that does not mean success."""
        return f"unexpected response from {self.kind} service: {response.text}"
