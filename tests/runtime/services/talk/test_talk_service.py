"""Tests of the Talk service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError
from runtime.secrets import Secret
from runtime.services.talk.config import Config
from runtime.services.talk.service import Service
from runtime.services.talk.talktest import TalkServer
from runtime.testing.events import changed_event, sample_event
from runtime.testing.handlers import (
    deliver,
    requests_of_all_levels,
    run_service_test,
    service_test,
)
from runtime.testing.snapshots import TextSnapshot


@pytest.fixture
def server():
    with TalkServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled, url=Secret(server.url), author_name="configured-author-name"
    )


def test_the_defaults():
    assert Config() == Config(enabled=False, url=Secret(""), author_name="")


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_url_is_required(server):
    invalid = replace(config(server), url=Secret(""))
    expected = "must specify url"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            500,
            '{"error": "boom"}',
            'failed to understand Talk response. code: 500 content: {"error": "boom"}',
        ),
        (201, "", "failed to understand Talk response. code: 201 content: "),
    ],
)
def test_an_error_response(server, status, body, expected):
    server.status = status
    server.body = body
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, config(server))
    assert str(caught.value) == expected
    assert caught.value.status == status


def test_a_refused_connection_is_retried(server):
    configured = config(server)
    server.refuse()
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, configured)
    assert caught.value.retry


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(
        config(server), url=Secret(server.url), author_name="Kapacitor"
    )
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "kapacitor/cpu/serverA is CRITICAL",
            "details": "the details",
            "level": "CRITICAL",
            "time": 31536010000000000,
            "name": "cpu",
            "task": "TestStream_Alert",
            "group": "host=serverA",
            "tags": {"host": "serverA"},
            "fields": {"count": 10},
        },
    )
    deliver(Service, configured, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "authorName": "Kapacitor",
        "text": "kapacitor/cpu/serverA is CRITICAL",
        "title": "kapacitor/cpu/serverA",
    }


def test_example_2_kapacitor_server_2(server):
    configured = replace(
        config(server), url=Secret(server.url), author_name="Kapacitor"
    )
    event = changed_event(
        sample_event(),
        {
            "id": "id",
            "message": "message",
            "details": "details",
            "level": "CRITICAL",
            "time": 0,
            "name": "alert",
            "task": "testAlertHandlers",
            "group": "",
            "tags": {},
            "fields": {"value": 1},
        },
    )
    deliver(Service, configured, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {"authorName": "Kapacitor", "text": "message", "title": "id"}
