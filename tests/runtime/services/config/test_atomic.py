"""Settings in effect are those stored, with concurrent clients and with failures."""

import asyncio
import json

import pytest

from runtime.compute.thread import Compute
from runtime.errors import StoreError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.services.config.sections import sections_of
from runtime.services.config.service import ConfigService
from runtime.services.foo.service import Service
from runtime.services.httpd.messages import Request
from runtime.services.httpd.service import HttpServer
from runtime.store.database import Store


class Watched(Service):
    """Remembers every configuration that was in force."""

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "_current":
            self.__dict__.setdefault("rooms", []).append(value.config.room)


class FullStore(Store):
    """Fails to write while it is full."""

    is_full = False

    def execute(self, sql, parameters=()):
        if self.is_full:
            raise StoreError("failed to write database: disk is full")
        return super().execute(sql, parameters)


@pytest.fixture
def run():
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def store():
    made = FullStore()
    yield made
    made.close()


@pytest.fixture
def foo():
    return Watched(INTEGRATIONS.tables()["foo"], client=None)


@pytest.fixture
def post(run, store, foo):
    """Posts changes of the room of `foo`, all at once; the statuses."""
    http, compute = HttpServer("", 0, version="1"), Compute()
    sections = sections_of(INTEGRATIONS, {})
    config = ConfigService({"foo": sections["foo"]}, {"foo": foo}, store, compute)
    config.add_routes(http.router)
    config.open()

    async def start():
        compute.start()

    async def ask(changes):
        requests = [
            Request("POST", "/kapacitor/v1/config/foo/", body=json.dumps(each).encode())
            for each in changes
        ]
        answers = await asyncio.gather(*map(http.answer, requests))
        return [answer.status for answer in answers]

    run(start())
    yield lambda *changes: run(ask(changes))
    run(compute.close())


def test_what_cannot_be_stored_is_never_in_force(post, store, foo):
    assert post({"set": {"room": "old"}}) == [204]
    store.is_full = True
    assert post({"set": {"room": "new"}}) == [503]
    assert "new" not in foo.rooms
    store.is_full = False
    assert post({"set": {"url": "http://localhost"}}) == [204]
    assert (foo.config.room, foo.config.url) == ("old", "http://localhost")


def test_changes_at_once_come_one_after_the_other(post, store, foo):
    rooms = [{"set": {"room": f"r{number}"}} for number in range(20)]
    others = [{"set": {"url": "http://localhost"}}, {"delete": ["enabled"]}]
    assert set(post(*rooms, *others, *rooms)) == {204}
    [(_, stored)] = store.values.items("overrides")
    kept = json.loads(stored)["options"]
    assert kept == {"room": foo.config.room, "url": foo.config.url}
    assert foo.config.url == "http://localhost"
