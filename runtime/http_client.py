"""The one place that does outbound HTTP for integrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from runtime.errors import DeliveryError


@dataclass(frozen=True, slots=True)
class Request:
    """A request to an endpoint.

    Attributes:
        method: `POST`, `PUT`, …
        url: complete, with its query; may hold secrets, so it is never logged.
        headers: sent as they are.
        body: the bytes of the body.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """An endpoint's answer.

    Attributes:
        status: HTTP status.
        body: at most 64 KiB of the body.
        retry_after_s: parsed `Retry-After`, seconds from now.
    """

    status: int
    body: bytes = b""
    retry_after_s: float | None = None

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body decoded from JSON, or None where it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None

    def error(self, message: str) -> DeliveryError:
        """What to raise for an answer that means failure."""
        retry = self.status in (408, 425, 429) or (
            self.status >= 500 and self.status not in (501, 505)
        )
        return DeliveryError(
            message,
            retry=retry,
            status=self.status,
            retry_after_s=self.retry_after_s,
        )


class HttpClient(Protocol):
    """Sends requests."""

    async def send(self, request: Request) -> Response:
        """Send `request` and read the answer.

        Raises:
            DeliveryError: no answer came; the text names the endpoint without secrets.
        """
