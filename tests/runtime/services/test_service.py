"""What the services of HTTP integrations share."""

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

import pytest

from runtime.alert.types import Level
from runtime.http_client import AiohttpClient, Request
from runtime.services.httppost.config import Config as HttpPostConfig
from runtime.services.httppost.service import HandlerConfig
from runtime.services.httppost.service import Service as HttpPostService
from runtime.services.service import HttpService
from runtime.services.urls import join
from runtime.testing.events import changed_event, sample_event
from runtime.testing.loopback import LoopbackServer

BROKEN = changed_event(
    sample_event(), {"message": "a\ud800b", "tags": {"host": "h\udcff"}}
)


@dataclass(frozen=True)
class Config:
    url: str
    enabled: bool = True

    def validate(self):
        """Nothing can be wrong."""


class FormService(HttpService):
    """Posts a form to a path that is named after a tag."""

    kind = "form"

    def default_handler_config(self):
        return None

    def request(self, config, options, event):
        body = urlencode({"text": event.state.message}).encode()
        return Request("POST", join(config.url, event.data.tags["host"]), body=body)

    def test_options(self):
        return None

    def test_event(self, options):
        return options, sample_event()


@pytest.fixture
def server():
    with LoopbackServer() as server:
        yield server


def sent(make, event):
    async def run():
        client = AiohttpClient()
        await make(client).handle(event)
        await client.close()

    asyncio.run(run())


def test_what_is_no_character_is_replaced_in_forms_and_paths(server):
    sent(lambda client: FormService(Config(server.url), client).handler(None), BROKEN)
    request = server.next()
    assert request.path == "/h%EF%BF%BD"
    assert parse_qs(request.text) == {"text": ["a\ufffdb"]}


def test_other_events_are_sent_as_they_are(server):
    event = sample_event(Level.WARNING)
    sent(lambda client: FormService(Config(server.url), client).handler(None), event)
    assert parse_qs(server.next().text) == {"text": [event.state.message]}


def test_what_is_no_character_is_replaced_in_templates_of_posts(server):
    url = server.url + "/{{ .Message }}"
    endpoint = HttpPostConfig("e", url, alert_template="<{{ .Message }}>")

    def handler(client):
        return HttpPostService([endpoint], client).handler(HandlerConfig(endpoint="e"))

    sent(handler, BROKEN)
    request = server.next()
    assert (request.path, request.text) == ("/a%EF%BF%BDb", "<a\ufffdb>")
