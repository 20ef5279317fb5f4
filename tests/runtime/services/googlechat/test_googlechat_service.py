"""Tests of the Google Chat service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.googlechat.config import Config
from runtime.services.googlechat.googlechattest import GoogleChatServer
from runtime.services.googlechat.handler import HandlerConfig
from runtime.services.googlechat.service import Service
from runtime.testing.events import changed_event, sample_event
from runtime.testing.handlers import (
    deliver,
    options_from_http,
    options_from_script,
    requests_of_all_levels,
    run_service_test,
    service_test,
)
from runtime.testing.snapshots import TextSnapshot


@pytest.fixture
def server():
    with GoogleChatServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(enabled=enabled, url=Secret(server.url))


def test_the_defaults():
    assert Config() == Config(
        enabled=False, url=Secret(""), global_=False, state_changes_only=False
    )


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
        (500, '{"error": {"message": "boom"}}', "boom"),
        (201, "", "failed to understand Google Chat response. code: 201 content: "),
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


def test_tickscript_property(server):
    script = ".googleChat().url('explicit-url')"
    expected = HandlerConfig(url=Secret("explicit-url"))
    assert options_from_script("googlechat", config(server), script) == [expected]
    unset = options_from_http("googlechat", config(server), {})
    assert options_from_script("googlechat", config(server), ".googleChat()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("googlechat", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", 5),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("googlechat", config(server), {key: value})


def test_example_1_a_message(server):
    configured = replace(
        config(server), url=Secret(server.url + "/v1/spaces/AAA/messages?key=k&token=t")
    )
    event = changed_event(
        sample_event(), {"message": "CPU of a is at 97 %", "level": "CRITICAL"}
    )
    deliver(Service, configured, event=event)
    request = server.next()
    assert request.path == "/v1/spaces/AAA/messages"
    assert request.query == {"key": "k", "token": "t"}
    assert request.json == {"text": "🚨 *CRITICAL* CPU of a is at 97 %"}
