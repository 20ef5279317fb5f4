"""Answers that deliveries share for some time: the token of a login, for instance."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

import msgspec

from runtime.outbound.client import Request, Response

# maximum number for one service; requests that differ for each event share nothing
_MOST = 1000

Send = Callable[[], Awaitable[Response]]


class _Shared(NamedTuple):
    """An answer that is shared for some time.

    Attributes:
        answer: the answer.
        until_s: end of its use on the monotonic clock, in seconds.
    """

    answer: Response
    until_s: float


class SharedAnswers:
    """Shared answers by their requests.

    Deliveries that need the same answer at the same time send one request. All answers
    are in memory: after a restart their requests are sent again.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._shared: dict[bytes, _Shared] = {}
        self._running: dict[bytes, asyncio.Task[Response]] = {}

    async def get(
        self, request: Request, keep_s: float, send: Send
    ) -> tuple[Response, bool]:
        """The answer to `request`, and True unless it is from an earlier request.

        Args:
            request: the request.
            keep_s: time for which the answer is shared, in seconds.
            send: sends the request.

        Raises:
            DeliveryError: the request failed; all deliveries that wait for it get the
                error.
        """
        key = _key_of(request)
        shared = self._shared.get(key)
        if shared is not None and self._monotonic() < shared.until_s:
            return shared.answer, False
        task = self._running.get(key)
        if task is None:
            # a separate task, which continues if the delivery that started it is
            # cancelled
            task = asyncio.ensure_future(_sent(send))
            self._running[key] = task
            task.add_done_callback(partial(self._ended, key, keep_s))
        return await asyncio.shield(task), True

    def drop(self, answer: Response) -> None:
        """Stop sharing an answer; a newer answer to the same request stays."""
        for key, shared in list(self._shared.items()):
            if shared.answer is answer:
                del self._shared[key]

    async def close(self) -> None:
        """Cancel running requests."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, key: bytes, keep_s: float, task: asyncio.Task[Response]) -> None:
        del self._running[key]
        # fetch the exception, as all waiting deliveries may have been cancelled
        if task.cancelled() or task.exception() is not None:
            return
        now_s = self._monotonic()
        kept = {k: each for k, each in self._shared.items() if now_s < each.until_s}
        while len(kept) >= _MOST:
            del kept[next(iter(kept))]
        self._shared = {**kept, key: _Shared(task.result(), now_s + keep_s)}


async def _sent(send: Send) -> Response:
    return await send()


def _key_of(request: Request) -> bytes:
    """A digest of a request, including its credentials."""
    sent = (request.method, request.url, dict(request.headers), request.body)
    return hashlib.sha256(msgspec.msgpack.encode(sent)).digest()
