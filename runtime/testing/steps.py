"""A server of tests for services whose deliveries are answered without a body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from runtime.outbound.idempotency import keyed
from runtime.services.stepped import key_of
from runtime.testing.events import KEY
from runtime.testing.loopback import Answer, LoopbackServer, Recorded


class SteppedServer(LoopbackServer):
    """Answers steps with status 200, and other requests with a status of their own.

    Some statuses, such as 204, mean success of a delivery but cannot answer a step. A
    step is recognized by its `Idempotency-Key`.

    Args:
        steps: names of the steps.
        status: status of the other answers.
        body: body of the answers.
    """

    def __init__(self, steps: Iterable[str], *, status: int, body: str = "") -> None:
        super().__init__(status=status, body=body)
        self._usual = status
        with keyed(KEY):
            # a step that deliveries share has no key
            self._keys = {"", *map(key_of, steps)}

    def answer(self, request: Recorded) -> Answer:
        """Answer `request`."""
        found = super().answer(request)
        is_step = request.headers.get("Idempotency-Key", "") in self._keys
        is_success = found.status == self._usual
        return replace(found, status=200) if is_step and is_success else found
