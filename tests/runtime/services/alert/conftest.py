import pytest

from runtime.delivery import Backlog
from runtime.integrations.bundled import INTEGRATIONS
from runtime.services.alert.api import AlertAPI
from runtime.services.alert.service import AlertService
from runtime.services.foo.config import Config as FooConfig


class NoClient:
    async def send(self, request):
        raise AssertionError("nothing is to be sent")


class Offers(Backlog):
    """A backlog that notes what it is offered.

    `released` is what a slot would have got, as (topic, handler, event, recipient).
    """

    def __init__(self, store):
        super().__init__(store)
        self.held = []
        self.released = []

    def offer(self, address, event, recipient):
        self.held.append((*address, event, recipient))

    def release(self):
        self.released += self.held
        self.held = []

    def keep(self):
        pass

    @property
    def ids(self):
        return [
            (topic, handler, event.state.id)
            for topic, handler, event, _ in self.released
        ]


@pytest.fixture
def offers(store):
    return Offers(store)


@pytest.fixture
def make(store, offers):
    """Starts an alert service as after a restart."""

    def make(**options):
        tables = {"foo": FooConfig(room="dflt")}
        services = INTEGRATIONS.started(tables, NoClient())
        service = AlertService(store, offers, services, **options)
        service.open()
        return service

    return make


@pytest.fixture
def service(make):
    return make()


@pytest.fixture
def api(service):
    return AlertAPI(service)
