"""From topics to handlers: a queue and a worker for each handler of each topic.

Events are offered on the compute thread and delivered by asyncio. A worker takes one
event at a time, in order; a slow, hung or failing handler delays no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from runtime.alert.types import Event, Handler
from runtime.errors import DeliveryError
from runtime.golang.quoting import quote

BUFFER_SIZE = 5000
_TIME_LIMIT_S = 60.0

_log = logging.getLogger("kapacitor.delivery")


class Address(NamedTuple):
    """Where events go: one handler of one topic.

    Attributes:
        topic: the topic's id.
        handler: the handler's id, unique on its topic and the same after a restart.
    """

    topic: str
    handler: str


@dataclass(slots=True)
class Counters:
    """What happened to the events of one address."""

    delivered: int = 0
    failed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a handler.

    Attributes:
        event: what to deliver.
        handler: who delivers it.
        context: what log lines say besides topic and handler: `task`.
    """

    event: Event
    handler: Handler
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Queue:
    address: Address
    staged: list[Delivery] = field(default_factory=list)
    waiting: deque[Delivery] = field(default_factory=deque)
    worker: asyncio.Task[None] | None = None
    counters: Counters = field(default_factory=Counters)


class Deliverer:
    """Delivers what it is offered, at most `buffer_size` events waiting per address.

    `offer` and `release` belong to the compute thread, the rest to the event loop. What
    is offered stays put until `release`, which follows the commit of the write.
    """

    def __init__(
        self, *, buffer_size: int = BUFFER_SIZE, time_limit_s: float = _TIME_LIMIT_S
    ) -> None:
        """Make a deliverer that holds events back until it is started.

        Args:
            buffer_size: how many events may wait for one handler.
            time_limit_s: how long a handler may take for one event, in seconds.
        """
        self._buffer_size = buffer_size
        self._time_limit_s = time_limit_s
        self._lock = threading.Lock()
        self._queues: dict[Address, _Queue] = {}
        self._staged: dict[Address, _Queue] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    def offer(self, address: Address, delivery: Delivery) -> bool:
        """Take an event in; False where too many wait already, so it is dropped."""
        with self._lock:
            queue = self._queues.get(address)
            if queue is None:
                queue = self._queues[address] = _Queue(address)
            if len(queue.staged) + len(queue.waiting) >= self._buffer_size:
                queue.counters.dropped += 1
                return False
            queue.staged.append(delivery)
            self._staged[address] = queue
            return True

    def release(self) -> None:
        """Let the workers have what was offered."""
        with self._lock:
            if not self._staged:
                return
            for queue in self._staged.values():
                queue.waiting.extend(queue.staged)
                queue.staged.clear()
            self._staged.clear()
            loop = self._loop
        if loop is not None:
            # the loop may just have ended; what waits is counted as not delivered
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake)

    def counters(self) -> dict[Address, Counters]:
        """What happened so far at each address."""
        with self._lock:
            return {queue.address: queue.counters for queue in self._queues.values()}

    def pending(self) -> int:
        """How many events wait; those being delivered not counted."""
        with self._lock:
            queues = self._queues.values()
            return sum(len(queue.staged) + len(queue.waiting) for queue in queues)

    async def start(self) -> None:
        """Deliver from now on, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._wake()

    async def drain(self, limit_s: float) -> bool:
        """Wait until nothing is under way; whether that was so within `limit_s`."""
        with self._lock:
            workers = [queue.worker for queue in self._queues.values() if queue.worker]
        if not workers:
            return True
        _, late = await asyncio.wait(workers, timeout=limit_s)
        return not late

    async def close(self, limit_s: float) -> int:
        """Deliver what waits, for at most `limit_s`; the number of events given up."""
        self._wake()
        await self.drain(limit_s)
        self._closing = True
        with self._lock:
            workers = [queue.worker for queue in self._queues.values() if queue.worker]
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self._loop = None
        return self.pending() + len(workers)

    def _wake(self) -> None:
        if self._loop is None or self._closing:
            return
        with self._lock:
            for queue in self._queues.values():
                if queue.waiting and queue.worker is None:
                    queue.worker = self._loop.create_task(self._work(queue))

    async def _work(self, queue: _Queue) -> None:
        while True:
            with self._lock:
                if not queue.waiting:
                    queue.worker = None
                    return
                delivery = queue.waiting.popleft()
            if await self._deliver(queue.address, delivery):
                queue.counters.delivered += 1
            else:
                queue.counters.failed += 1

    async def _deliver(self, address: Address, delivery: Delivery) -> bool:
        try:
            async with asyncio.timeout(self._time_limit_s):
                await delivery.handler.handle(delivery.event)
        except DeliveryError as error:
            _failed(address, delivery, str(error))
        except TimeoutError:
            _failed(address, delivery, f"no result within {self._time_limit_s:g}s")
        # A handler is somebody else's code: whatever it raises, the next event comes.
        # The text may hold a secret, so only the place is told.
        except Exception as error:
            _failed(address, delivery, _place(error))
        else:
            return True
        return False


def _failed(address: Address, delivery: Delivery, reason: str) -> None:
    context = {
        **delivery.context,
        "topic": address.topic,
        "handler": address.handler,
        "event": delivery.event.state.id,
    }
    said = " ".join(f"{name}={quote(value)}" for name, value in context.items())
    _log.error(
        f"failed to deliver event {said} err={quote(reason)}",
        extra={"err": reason, **context},
    )


def _place(error: Exception) -> str:
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return f"handler raised {name}"
    return f"handler raised {name} in {frames[-1].name}, line {frames[-1].lineno}"
