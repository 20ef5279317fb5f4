"""Endpoints that are away for hours; the clock is moved by hand."""

import asyncio
from collections import defaultdict

import pytest

from runtime.alert.types import Event, EventState, Recipient
from runtime.delivery import Address, Backlog, Dispatcher, RetryPolicy
from runtime.errors import DeliveryError

ADDRESS = Address("topic", "handler")
HOUR_S = 3600


class Endpoint:
    """Fails with `error` while there is one, and keeps what it got."""

    def __init__(self, error):
        self.error = error
        self.attempts = 0
        self.got = defaultdict(list)

    async def handle(self, event):
        self.attempts += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.got[event.state.id].append(event.state.message)


class Outage:
    """Events that wait, whose handler fails, and the time that passes."""

    def __init__(self, store, endpoint):
        self.endpoint = endpoint
        self.now_s = 0.0
        self.offered = defaultdict(list)
        backlog = Backlog(
            store,
            # most of what waits is in the database only
            buffer_size=500,
            policy=RetryPolicy(),
            monotonic=lambda: self.now_s,
        )
        self.dispatcher = Dispatcher(backlog)

    @property
    def counters(self):
        return self.dispatcher.backlog.queues.counters()[ADDRESS]

    def offer(self, count, ids):
        for _ in range(count):
            number = sum(map(len, self.offered.values()))
            id, message = str(number % ids), str(number)
            self.offered[id].append(message)
            event = Event("topic", EventState(id, message))
            self.dispatcher.backlog.offer(ADDRESS, event, Recipient(self.endpoint))
        self.dispatcher.backlog.keep()
        self.dispatcher.backlog.release()

    async def last(self, step_s, until_s, ids):
        """Let the time pass in steps, with a new event at each."""
        while self.now_s < until_s:
            self.now_s += step_s
            self.offer(1, ids)
            # due attempts are running after a few turns of the loop
            for _ in range(3):
                await asyncio.sleep(0.001)
            await self.until(
                lambda: not self.dispatcher.backlog.queues.all()[0].in_flight
            )

    async def until(self, met):
        async with asyncio.timeout(20):
            while not met():
                await asyncio.sleep(0.001)

    async def end(self):
        """The endpoint is back; all must come by itself at the next probe."""
        self.endpoint.error = None
        self.now_s += HOUR_S
        self.offer(1, 1)
        await self.until(lambda: not self.dispatcher.backlog.pending)
        return await self.dispatcher.close(1)


@pytest.mark.parametrize(
    ("error", "count", "step_s", "hours"),
    [
        (DeliveryError("connection refused", retry=True), 1000, 30, 1),
        (DeliveryError("unauthorized", status=401), 2000, 300, 8),
    ],
    ids=["refused for an hour", "credentials refused for eight"],
)
def test_an_outage_costs_few_attempts_and_no_event(store, error, count, step_s, hours):
    outage = Outage(store, Endpoint(error))
    outage.offer(count, 50)

    async def main():
        await outage.dispatcher.start()
        await outage.until(lambda: outage.counters.failed >= 4)
        await outage.last(step_s, hours * HOUR_S, 50)
        probes = hours * HOUR_S / step_s
        first = 5 + RetryPolicy().concurrency
        assert probes / 2 <= outage.endpoint.attempts <= probes + first
        assert outage.counters.dead == 0
        return await outage.end()

    assert asyncio.run(asyncio.wait_for(main(), 60)) == 0
    assert outage.endpoint.got == outage.offered
    assert store.query("SELECT * FROM deliveries") == []
