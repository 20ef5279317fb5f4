import asyncio

import pytest

from runtime.alert.types import Event, EventData, EventState, Level, Row
from runtime.delivery import Backlog
from runtime.errors import DeliveryError
from runtime.integration import HandlerServices
from runtime.integrations.bundled import INTEGRATIONS
from runtime.outbound.idempotency import idempotency_key
from runtime.services.alert.handlers import HandlerContext, decoded
from runtime.services.alert.service import AlertService
from runtime.store.database import Store


class Offers(Backlog):
    """Notes what it is offered, as (topic, handler, event); `fails` on demand."""

    def __init__(self, store):
        super().__init__(store)
        self.staged = []
        self.released = []
        self.fails = False

    def offer(self, address, event, recipient):
        if self.fails:
            raise DeliveryError("not now")
        self.staged.append((*address, event))

    def keep(self):
        pass

    def release(self):
        self.released += self.staged
        self.staged = []


class Now:
    """A way to the compute thread for tests, whose timers fire when told to."""

    def __init__(self):
        self.timers = []

    async def call(self, function, *args):
        return function(*args)

    def later(self, delay_s, function):
        self.timers.append((delay_s, function))

    def fire(self):
        timers, self.timers = self.timers, []
        for _, function in timers:
            function()


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


@pytest.fixture
def offers(store):
    return Offers(store)


@pytest.fixture
def service(store, offers):
    service = AlertService(store, offers, HandlerServices(INTEGRATIONS))
    service.loop = Now()
    service.open()
    return service


@pytest.fixture
def events():
    """Makes events, as (id, level, time, message) with a row each."""

    def make(event_id="e", level=Level.CRITICAL, time=2, duration=1, **more):
        row = Row("m", {}, ("time", "v"), [[time, 1]])
        state = EventState(event_id, "message", "details", time, duration, level)
        return Event("t", state, EventData("m", "task", result=[row]), **more)

    return make


@pytest.fixture
def handle():
    """Lets a handler have an event, as a delivery of that key."""

    def run(handler, event, key=""):
        async def deliver():
            idempotency_key.set(key)
            await handler.handle(event)

        asyncio.run(deliver())

    return run


@pytest.fixture
def make(service):
    def make(kind, options):
        context = HandlerContext("t", "h", service)
        services = HandlerServices(INTEGRATIONS)
        return decoded(kind, options, services).make(context).recipient.handler

    return make
