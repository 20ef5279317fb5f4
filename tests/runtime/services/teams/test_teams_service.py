"""Tests of the Teams service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.services.teams.config import Config
from runtime.services.teams.handler import HandlerConfig
from runtime.services.teams.service import Service
from runtime.services.teams.teamstest import TeamsServer
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
    with TeamsServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(enabled=enabled, channel_url=server.url)


def test_the_defaults():
    assert Config() == Config(
        enabled=False, channel_url="", global_=False, state_changes_only=False
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(usual, changes={"id": ""}),
        Variant(usual, changes={"id": "", "topic": ""}),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    for status in (200, 204):
        server.status = status
        deliver(Service, config(server))
        assert server.next_message()


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_channel_url_is_required(server):
    invalid = replace(config(server), channel_url="")
    expected = "must specify Teams channel webhook URL"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"error": "boom"}', "boom"),
        (201, "", "failed to understand Teams response. code: 201 content: "),
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
    script = ".teams().channelURL('explicit-channel-url')"
    expected = HandlerConfig(channel_url="explicit-channel-url")
    assert options_from_script("teams", config(server), script) == [expected]
    unset = options_from_http("teams", config(server), {})
    assert options_from_script("teams", config(server), ".teams()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("teams", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("channel-url", 5),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("teams", config(server), {key: value})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(config(server), channel_url=server.url)
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "kapacitor/cpu/serverA is CRITICAL",
            "details": "the details",
            "level": "CRITICAL",
            "time": 31536010000000000,
            "topic": "main:TestStream_Alert:alert5",
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
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "title": "CRITICAL: [kapacitor/cpu/serverA]",
        "text": "kapacitor/cpu/serverA is CRITICAL",
        "summary": "CRITICAL: [kapacitor/cpu/serverA] - kapacitor/cpu/serverA is CRITICAL...",
        "themeColor": "CC4A31",
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(config(server), channel_url=server.url)
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "kapacitor/cpu/serverA is CRITICAL",
            "details": "the details",
            "level": "CRITICAL",
            "time": 31536010000000000,
            "topic": "main:TestStream_Alert:alert5",
            "name": "cpu",
            "task": "TestStream_Alert",
            "group": "host=serverA",
            "tags": {"host": "serverA"},
            "fields": {"count": 10},
        },
    )
    options = HandlerConfig(channel_url="")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "title": "CRITICAL: [kapacitor/cpu/serverA]",
        "text": "kapacitor/cpu/serverA is CRITICAL",
        "summary": "CRITICAL: [kapacitor/cpu/serverA] - kapacitor/cpu/serverA is CRITICAL...",
        "themeColor": "CC4A31",
    }


def test_example_3_kapacitor_server_3(server):
    configured = replace(config(server), channel_url=server.url)
    event = changed_event(
        sample_event(),
        {
            "id": "id",
            "message": "message",
            "details": "details",
            "level": "CRITICAL",
            "time": 0,
            "topic": "test",
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
    assert request.json == {
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "title": "CRITICAL: [id]",
        "text": "message",
        "summary": "CRITICAL: [id] - message...",
        "themeColor": "CC4A31",
    }


def test_example_4_level_ok(server):
    configured = replace(config(server), channel_url=server.url)
    event = changed_event(
        sample_event(),
        {
            "id": "id",
            "message": "message",
            "details": "details",
            "level": "OK",
            "time": 0,
            "topic": "test",
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
    assert request.json == {
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "title": "OK: [id]",
        "text": "message",
        "summary": "OK: [id] - message...",
        "themeColor": "34CC25",
    }


def test_example_5_level_info(server):
    configured = replace(config(server), channel_url=server.url)
    event = changed_event(
        sample_event(),
        {
            "id": "id",
            "message": "message",
            "details": "details",
            "level": "INFO",
            "time": 0,
            "topic": "test",
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
    assert request.json == {
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "title": "INFO: [id]",
        "text": "message",
        "summary": "INFO: [id] - message...",
        "themeColor": "34CC25",
    }


def test_example_6_level_warning(server):
    configured = replace(config(server), channel_url=server.url)
    event = changed_event(
        sample_event(),
        {
            "id": "id",
            "message": "message",
            "details": "details",
            "level": "WARNING",
            "time": 0,
            "topic": "test",
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
    assert request.json == {
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "title": "WARNING: [id]",
        "text": "message",
        "summary": "WARNING: [id] - message...",
        "themeColor": "FFA533",
    }
