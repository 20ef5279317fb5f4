"""One attempt to deliver an event, isolated from errors of its handler."""

from __future__ import annotations

import asyncio
import errno
import logging
import traceback

from runtime.alert.types import Event, Handler
from runtime.delivery.commits import CommitBatcher
from runtime.delivery.messages import Message
from runtime.delivery.outbox import Outbox
from runtime.delivery.policy import may_be_too_long, shortened
from runtime.delivery.queue import Queue
from runtime.delivery.record import Record
from runtime.errors import DeliveryError
from runtime.golang.utf8 import scrub
from runtime.outbound.idempotency import keyed

_ERROR_CHARACTERS = 2000
# a lack of files, memory or processes
_LACKS = frozenset(
    (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN)
)

_log = logging.getLogger("kapacitor.delivery")


class Attempts:
    """Passes events to handlers with their key, within a time limit."""

    def __init__(
        self, outbox: Outbox, commits: CommitBatcher, time_limit_s: float
    ) -> None:
        self._outbox = outbox
        self._commits = commits
        self._time_limit_s = time_limit_s

    async def make(self, handler: Handler, message: Message) -> DeliveryError | None:
        """Make one attempt; return the error, or None if the event is delivered.

        A message that is too long for the endpoint is shortened and sent again.
        """
        record = Record(self._outbox, self._commits, message)
        with keyed(self._outbox.key(message), record):
            error = await self._made(handler, message.event)
            if error is not None and may_be_too_long(error):
                error = await self._made(handler, shortened(message.event))
        return error

    async def _made(self, handler: Handler, event: Event) -> DeliveryError | None:
        try:
            async with asyncio.timeout(self._time_limit_s):
                await handler.handle(event)
        except DeliveryError as error:
            return error
        # ours, or one that the handler lets through: in both cases the event may have
        # arrived
        except TimeoutError:
            text = f"no result within {self._time_limit_s:g}s"
            return DeliveryError(text, retry=True, maybe_duplicate=True)
        # A handler is foreign code: none of its exceptions may stop the next delivery.
        # The text may hold a secret, so only the place is logged.
        except Exception as error:
            return DeliveryError(_place(error), retry=_may_pass(error))
        return None


def shown(error: DeliveryError) -> str:
    """The part of an error's text that is kept."""
    # an endpoint's answer may be a whole page, and a million rows may hold one each
    return scrub(str(error)[:_ERROR_CHARACTERS])


def log_failure(queue: Queue, message: Message, then: str) -> None:
    """Log a failed attempt.

    Args:
        queue: queue of the event.
        message: message with its error.
        then: new state of the message.
    """
    _log.error(
        "failed to deliver event",
        extra={
            **queue.recipient.context,
            "topic": message.address.topic,
            "handler": message.address.handler,
            "event": message.event.state.id,
            "attempts": message.attempts,
            "then": then,
            "err": message.error,
        },
    )


def _may_pass(error: Exception) -> bool:
    """True if the machine lacked a resource that may be available later."""
    if isinstance(error, OSError):
        return error.errno in _LACKS
    # Python has no exception class for a lack of threads
    return isinstance(error, MemoryError) or str(error) == "can't start new thread"


def _place(error: Exception) -> str:
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return f"handler raised {name}"
    return f"handler raised {name} in {frames[-1].name}, line {frames[-1].lineno}"
