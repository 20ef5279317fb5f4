"""From topics to handlers: at least once, in order, each handler for itself.

Events are offered on the compute thread and written to the outbox in the transaction
of their write. After the commit asyncio delivers them: a worker for each handler of
each topic takes one event at a time, so a slow, hung or failing one delays no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runtime.alert.types import Event, Handler
from runtime.delivery_queue import Counters, Queue, RetryPolicy
from runtime.errors import DeliveryError, StoreError
from runtime.golang.quoting import quote
from runtime.http_client import idempotency_key
from runtime.outbox import Address, Item, Outbox
from runtime.settling import SETTLE_AGAIN_S, Settler
from runtime.store import Store
from runtime.units import SECOND, Clock

BUFFER_SIZE = 5000
QUOTA = 1_000_000
_TIME_LIMIT_S = 60.0

_log = logging.getLogger("kapacitor.delivery")

__all__ = ["Address", "Counters", "Deliverer", "Delivery", "RetryPolicy"]


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


class Deliverer:
    """Delivers what it is offered until it succeeds or makes no sense any more.

    Attributes:
        outbox: what is not delivered yet.

    `offer`, `keep`, `release` and `resume` belong to the compute thread, the rest to
    the event loop.
    """

    def __init__(
        self,
        store: Store,
        *,
        buffer_size: int = BUFFER_SIZE,
        time_limit_s: float = _TIME_LIMIT_S,
        quota: int = QUOTA,
        policy: RetryPolicy | None = None,
        clock: Clock = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a deliverer that holds events back until it is started.

        Args:
            store: where the outbox is.
            buffer_size: how many events of a handler are in memory; others wait in the
                outbox.
            quota: how many deliveries the outbox may hold.
            time_limit_s: how long a handler may take for one event, in seconds.
            policy: when to try again.
            clock: the time of day.
            monotonic: seconds that never jump.
        """
        self.outbox = Outbox(store)
        self._settler = Settler(self.outbox)
        self._buffer_size = buffer_size
        self._time_limit_s = time_limit_s
        self._policy = policy or RetryPolicy()
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._queues: dict[Address, Queue] = {}
        self._staged: list[Item] = []
        self._news: set[Address] = set()
        self._workers: dict[Address, asyncio.Task[None]] = {}
        self._wakes: dict[Address, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closing = False
        self._quota = quota
        self._pending = self.outbox.count("pending")

    def offer(self, address: Address, delivery: Delivery) -> bool:
        """Take an event in; False if the outbox is full."""
        if self._pending >= self._quota:
            return False
        now = self._clock()
        item = Item(
            self.outbox.next_id(), address, delivery.event, created=now, due=now
        )
        with self._lock:
            self._pending += 1
            queue = self._queues.get(address)
            if queue is None:
                queue = Queue(address, delivery.handler, delivery.context)
                self._queues[address] = queue
            queue.handler, queue.context = delivery.handler, delivery.context
            self._staged.append(item)
        return True

    def keep(self) -> None:
        """Write what was offered to the outbox, in the present transaction.

        Raises:
            StoreError: it could not be written; the next call writes it too.
        """
        if self._staged:
            self.outbox.put(self._staged)

    def release(self) -> None:
        """Let the workers have what was offered; its transaction is committed."""
        if not self._staged:
            return
        now_s = self._monotonic()
        with self._lock:
            for item in self._staged:
                queue = self._queues[item.address]
                if queue.has_more or len(queue) >= self._buffer_size:
                    queue.newest = item.id
                else:
                    queue.push(item, now_s)
                self._news.add(item.address)
            self._staged.clear()
        self._call()

    def resume(
        self, address: Address, handler: Handler, context: Mapping[str, str]
    ) -> None:
        """Deliver by `handler` what waits for an address, from now on."""
        newest = self.outbox.newest_pending(address)
        with self._lock:
            queue = self._queues.get(address)
            if queue is None:
                queue = self._queues[address] = Queue(address, handler, context)
            queue.handler, queue.context = handler, context
            queue.is_retired = False
            queue.newest = max(queue.newest, newest)
            queue.resume()
            self._news.add(address)
        self._call()

    def retire(self, address: Address) -> None:
        """Try once more what waits for a handler that is deleted; then it is dead."""
        with self._lock:
            queue = self._queues.get(address)
            if queue is None:
                return
            queue.is_retired = True
            queue.resume()
            self._news.add(address)
        self._call()

    def hurry(self) -> None:
        """Try everything that waits for its next attempt: what failed may work now."""
        with self._lock:
            for queue in self._queues.values():
                if len(queue):
                    queue.resume()
                    self._news.add(queue.address)
        self._call()

    def counters(self) -> dict[Address, Counters]:
        """What happened so far at each address."""
        with self._lock:
            return {queue.address: queue.counters for queue in self._queues.values()}

    async def start(self) -> None:
        """Deliver from now on, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._wake()

    async def close(self, limit_s: float) -> int:
        """Deliver what can be delivered at once, for at most `limit_s`.

        Returns:
            How many events wait in the outbox for the next start.
        """
        self._wake()
        self._is_closing = True
        for wake in self._wakes.values():
            wake.set()
        workers = list(self._workers.values())
        if workers:
            _, late = await asyncio.wait(workers, timeout=limit_s)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._settler.close()
        self._loop = None
        return self.outbox.count("pending")

    def _call(self) -> None:
        if self._loop is not None:
            # the loop may just have ended: what waits is in the outbox
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._loop is None or self._is_closing:
            return
        with self._lock:
            news = [self._queues[address] for address in self._news]
            self._news.clear()
        for queue in news:
            wake = self._wakes.setdefault(queue.address, asyncio.Event())
            if queue.address in self._workers:
                wake.set()
            else:
                worker = self._loop.create_task(self._work(queue, wake))
                self._workers[queue.address] = worker

    async def _work(self, queue: Queue, wake: asyncio.Event) -> None:
        try:
            while True:
                if queue.has_more and len(queue) <= self._buffer_size // 2:
                    await self._load(queue)
                with self._lock:
                    item = queue.take(self._monotonic())
                    wait_s = queue.wait_s(self._monotonic())
                if item is not None:
                    await self._attempt(queue, item)
                elif (wait_s is None and not queue.has_more) or self._is_closing:
                    return
                elif wait_s is not None:
                    await _sleep(wake, wait_s)
        finally:
            del self._workers[queue.address]

    async def _load(self, queue: Queue) -> None:
        try:
            items = await asyncio.to_thread(
                self.outbox.pending, queue.address, queue.loaded, self._buffer_size
            )
        except StoreError as error:
            _log.error(f"failed to read the outbox err={quote(str(error))}")
            await asyncio.sleep(SETTLE_AGAIN_S)
            return
        now, now_s = self._clock(), self._monotonic()
        with self._lock:
            for item in items:
                # a clock that jumped must not delay anything for long
                wait_s = min((item.due - now) / SECOND, self._policy.cap_s)
                queue.push(item, now_s, max(0.0, wait_s))
            if not items:
                queue.loaded = queue.newest

    async def _attempt(self, queue: Queue, item: Item) -> None:
        resumed = queue.resumed
        error = await self._handled(queue.handler, item)
        now_s = self._monotonic()
        answered = error is None or not error.retry or error.status is not None
        queue.note(now_s, answered=answered, policy=self._policy)
        if error is None:
            queue.counters.delivered += 1
            await self._end(queue, item, None)
            return
        queue.counters.failed += 1
        item = dataclasses.replace(item, attempts=item.attempts + 1, error=str(error))
        too_old = self._clock() - item.created >= self._policy.max_age_ns
        is_dead = too_old or not error.retry or queue.is_retired
        _failed(queue, item, is_dead=is_dead)
        if is_dead:
            queue.counters.dead += 1
            await self._end(queue, item, dataclasses.replace(item, state="dead"))
            return
        wait_s = self._policy.delay_s(item.attempts, error.retry_after_s)
        item = dataclasses.replace(item, due=self._clock() + int(wait_s * SECOND))
        await self._settler.settle(changed=item)
        with self._lock:
            if self._is_closing:
                wait_s = self._policy.cap_s
            elif queue.resumed != resumed:
                wait_s = 0.0  # something changed meanwhile
            queue.failed(item, now_s, wait_s)

    async def _end(self, queue: Queue, item: Item, dead: Item | None) -> None:
        if dead is None:
            await self._settler.settle(done=item.id)
        else:
            await self._settler.settle(changed=dead)
        with self._lock:
            self._pending -= 1
            queue.done(item, self._monotonic())

    async def _handled(self, handler: Handler, item: Item) -> DeliveryError | None:
        """What went wrong; None if the event is delivered."""
        token = idempotency_key.set(self.outbox.key(item))
        try:
            async with asyncio.timeout(self._time_limit_s):
                await handler.handle(item.event)
        except DeliveryError as error:
            return error
        except TimeoutError:
            text = f"no result within {self._time_limit_s:g}s"
            return DeliveryError(text, retry=True)
        # A handler is somebody else's code: whatever it raises, the next event comes.
        # The text may hold a secret, so only the place is told.
        except Exception as error:
            return DeliveryError(_place(error))
        finally:
            idempotency_key.reset(token)
        return None


async def _sleep(wake: asyncio.Event, limit_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await wake.wait()
    wake.clear()


def _failed(queue: Queue, item: Item, *, is_dead: bool) -> None:
    context = {
        **queue.context,
        "topic": item.address.topic,
        "handler": item.address.handler,
        "event": item.event.state.id,
    }
    said = " ".join(f"{name}={quote(value)}" for name, value in context.items())
    then = "given up" if is_dead else "to be tried again"
    _log.error(
        f"failed to deliver event {said} attempts={item.attempts} then={quote(then)} "
        f"err={quote(item.error)}",
        extra={"err": item.error, **context},
    )


def _place(error: Exception) -> str:
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return f"handler raised {name}"
    return f"handler raised {name} in {frames[-1].name}, line {frames[-1].lineno}"
