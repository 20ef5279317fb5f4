"""Tests of the Gotify service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.gotify.config import Config
from runtime.services.gotify.gotifytest import GotifyServer
from runtime.services.gotify.handler import HandlerConfig
from runtime.services.gotify.service import Service
from runtime.testing.events import Variant, changed_event, sample_event
from runtime.testing.handlers import (
    deliver,
    options_from_http,
    options_from_script,
    requests_of_all_levels,
    requests_of_variants,
    run_service_test,
    service_test,
)
from runtime.testing.snapshots import TextSnapshot


@pytest.fixture
def server():
    with GotifyServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(enabled=enabled, url=server.url, token=Secret("configured-token"))


def test_the_defaults():
    assert Config() == Config(
        enabled=False, url="", token=Secret(""), global_=False, state_changes_only=False
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(usual, options=HandlerConfig(title="explicit-title")),
        Variant(usual, options=HandlerConfig(priority=7)),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(config(server), token=Secret("other-token"))
    explicit = HandlerConfig(token=Secret("other-token"))
    deliver(Service, configured)
    deliver(Service, config(server), explicit)
    assert server.next() == server.next()


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_url_is_required(server):
    invalid = replace(config(server), url="")
    expected = "must specify url"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_token_is_required(server):
    invalid = replace(config(server), token=Secret(""))
    expected = "must specify token"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"errorDescription": "boom"}', "boom"),
        (201, "", "failed to understand Gotify response. code: 201 content: "),
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
    assert "configured-token" not in str(caught.value)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".gotify().token('explicit-token').priority(7).title('explicit-title')"
    expected = HandlerConfig(
        token=Secret("explicit-token"), priority=7, title="explicit-title"
    )
    assert options_from_script("gotify", config(server), script) == [expected]
    unset = options_from_http("gotify", config(server), {})
    assert options_from_script("gotify", config(server), ".gotify()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("gotify", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("token", 5),
        ("priority", "x"),
        ("title", 5),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("gotify", config(server), {key: value})


def test_example_1_a_message_of_another_application(server):
    configured = config(server)
    event = changed_event(
        sample_event(), {"message": "CPU of a is at 97 %", "level": "WARNING"}
    )
    options = HandlerConfig(token=Secret("A1"), title="CPU", priority=10)
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.method == "POST"
    assert request.path == "/message"
    assert request.headers.items() >= {"X-Gotify-Key": "A1"}.items()
    assert request.json == {
        "title": "CPU",
        "message": "CPU of a is at 97 %",
        "priority": 10,
    }
