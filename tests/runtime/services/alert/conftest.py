import dataclasses

import pytest

from runtime.delivery import Deliverer
from runtime.services.alert.api import AlertAPI
from runtime.services.alert.service import AlertService
from runtime.services.foo.config import Config as FooConfig
from runtime.services.foo.service import Service as FooService
from runtime.services.hipchat.config import Config as HipChatConfig
from runtime.services.hipchat.service import Service as HipChatService
from runtime.store import Store


class NoClient:
    async def send(self, request):
        raise AssertionError("nothing is to be sent")


@dataclasses.dataclass(frozen=True)
class Services:
    foo: FooService = dataclasses.field(
        default_factory=lambda: FooService(FooConfig(room="dflt"), NoClient())
    )
    hipchat: HipChatService = dataclasses.field(
        default_factory=lambda: HipChatService(HipChatConfig(), NoClient())
    )


class Offers(Deliverer):
    """A deliverer that notes what it is offered.

    `released` is what a worker would have got, as (topic, handler, delivery).
    """

    def __init__(self, store):
        super().__init__(store)
        self.full = set()
        self.held = []
        self.released = []

    def offer(self, address, delivery):
        if address in self.full:
            return False
        self.held.append((*address, delivery))
        return True

    def release(self):
        self.released += self.held
        self.held = []

    def keep(self):
        pass

    @property
    def ids(self):
        return [
            (topic, handler, delivery.event.state.id)
            for topic, handler, delivery in self.released
        ]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "kapacitor.db")
    yield store
    store.close()


@pytest.fixture
def offers(store):
    return Offers(store)


@pytest.fixture
def make(store, offers):
    """Starts an alert service as after a restart."""

    def make(**options):
        service = AlertService(store, offers, Services(), **options)
        service.open()
        return service

    return make


@pytest.fixture
def service(make):
    return make()


@pytest.fixture
def api(service):
    return AlertAPI(service)
