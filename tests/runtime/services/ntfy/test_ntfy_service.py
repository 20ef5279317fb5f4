"""Tests of the ntfy service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.ntfy.config import Config
from runtime.services.ntfy.handler import HandlerConfig
from runtime.services.ntfy.ntfytest import NtfyServer
from runtime.services.ntfy.service import Service
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
    with NtfyServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        url=server.url,
        token=Secret("configured-token"),
        topic="configured-topic",
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        url="https://ntfy.sh",
        token=Secret(""),
        topic="",
        global_=False,
        state_changes_only=False,
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(replace(usual, topic="")),
        Variant(usual, options=HandlerConfig(priority=-1)),
        Variant(usual, options=HandlerConfig(priority=8)),
        Variant(usual, options=HandlerConfig(priority=4)),
        Variant(usual, options=HandlerConfig(tags=("explicit-a", "explicit-b"))),
        Variant(usual, options=HandlerConfig(click="explicit-click")),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(config(server), topic="other-topic")
    explicit = HandlerConfig(topic="other-topic")
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


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"error": "boom"}', "boom"),
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
    script = ".ntfy().ntfyTopic('explicit-topic').priority(4).ntfyTags('explicit-a', 'explicit-b').click('explicit-click')"
    expected = HandlerConfig(
        topic="explicit-topic",
        priority=4,
        tags=("explicit-a", "explicit-b"),
        click="explicit-click",
    )
    assert options_from_script("ntfy", config(server), script) == [expected]
    unset = options_from_http("ntfy", config(server), {})
    assert options_from_script("ntfy", config(server), ".ntfy()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("ntfy", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("topic", 5),
        ("priority", "x"),
        ("tags", "x"),
        ("click", 5),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("ntfy", config(server), {key: value})


def test_example_1_a_handler_with_all_options(server):
    configured = replace(config(server), token=Secret("tk_1"))
    event = changed_event(
        sample_event(),
        {"id": "cpu:a", "message": "CPU of a is at 97 %", "level": "CRITICAL"},
    )
    options = HandlerConfig(
        topic="ops",
        priority=2,
        tags=("skull", "db"),
        click="https://grafana.example.com",
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.method == "POST"
    assert request.path == "/"
    assert request.headers.items() >= {"Authorization": "Bearer tk_1"}.items()
    assert request.json == {
        "topic": "ops",
        "title": "cpu:a",
        "message": "CPU of a is at 97 %",
        "priority": 2,
        "tags": ["skull", "db"],
        "click": "https://grafana.example.com",
    }


def test_example_2_without_a_token(server):
    configured = replace(config(server), token=Secret(""), topic="ops")
    event = changed_event(
        sample_event(), {"id": "cpu:a", "message": "CPU of a is back", "level": "OK"}
    )
    deliver(Service, configured, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "topic": "ops",
        "title": "cpu:a",
        "message": "CPU of a is back",
        "priority": 3,
        "tags": ["white_check_mark"],
    }
