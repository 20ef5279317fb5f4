"""Tests of the PagerDuty service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.pagerduty.config import Config
from runtime.services.pagerduty.handler import HandlerConfig
from runtime.services.pagerduty.pagerdutytest import PagerDutyServer
from runtime.services.pagerduty.service import Service
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
    with PagerDutyServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        url=server.url + "/generic/2010-04-15/create_event.json",
        service_key=Secret("configured-service-key"),
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        url="https://events.pagerduty.com/generic/2010-04-15/create_event.json",
        service_key=Secret(""),
        global_=False,
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(config(server), service_key=Secret("other-service-key"))
    explicit = HandlerConfig(service_key=Secret("other-service-key"))
    deliver(Service, configured)
    deliver(Service, config(server), explicit)
    assert server.next() == server.next()


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_url_is_required(server):
    invalid = replace(config(server), url="")
    expected = "url cannot be empty"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_url_is_checked(server):
    invalid = replace(config(server), url=":")
    expected = 'invalid URL ":": parse ":": missing protocol scheme'
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"message": "boom"}', "boom"),
        (201, "", "failed to understand PagerDuty response. code: 201 content: "),
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
    assert "configured-service-key" not in str(caught.value)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".pagerDuty().serviceKey('explicit-service-key')"
    expected = HandlerConfig(service_key=Secret("explicit-service-key"))
    assert options_from_script("pagerduty", config(server), script) == [expected]
    unset = options_from_http("pagerduty", config(server), {})
    assert options_from_script("pagerduty", config(server), ".pagerDuty()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("pagerduty", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("service-key", 5),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("pagerduty", config(server), {key: value})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(
        config(server), url=server.url, service_key=Secret("service_key")
    )
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "CRITICAL alert for kapacitor/cpu/serverA",
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
        "service_key": "service_key",
        "event_type": "trigger",
        "description": "CRITICAL alert for kapacitor/cpu/serverA",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "details": "the details",
        "incident_key": "kapacitor/cpu/serverA",
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(
        config(server), url=server.url, service_key=Secret("service_key")
    )
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "CRITICAL alert for kapacitor/cpu/serverA",
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
    options = HandlerConfig(service_key=Secret("test_override_key"))
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "service_key": "test_override_key",
        "event_type": "trigger",
        "description": "CRITICAL alert for kapacitor/cpu/serverA",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "details": "the details",
        "incident_key": "kapacitor/cpu/serverA",
    }


def test_example_3_kapacitor_server_3(server):
    configured = replace(config(server), url=server.url)
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
    options = HandlerConfig(service_key=Secret("service_key"))
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "service_key": "service_key",
        "event_type": "trigger",
        "description": "message",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "details": "details",
        "incident_key": "id",
    }


def test_example_4_kapacitor_derived_4(server):
    configured = replace(config(server), url=server.url, service_key=Secret("k"))
    event = changed_event(
        sample_event(),
        {
            "id": "id",
            "message": "message",
            "details": "details",
            "level": "INFO",
            "time": 0,
            "name": "alert",
            "task": "testAlertHandlers",
            "group": "",
            "tags": {},
            "fields": {"value": 1},
        },
    )
    expected = "AlertLevel 'info' is currently ignored by the PagerDuty service"
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, configured, event=event)
    assert str(caught.value) == expected


def test_example_5_kapacitor_derived_5(server):
    configured = replace(config(server), url=server.url, service_key=Secret("k"))
    event = changed_event(
        sample_event(),
        {
            "id": "id",
            "message": "message",
            "details": "details",
            "level": "OK",
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
    assert request.json == {
        "service_key": "k",
        "event_type": "resolve",
        "description": "message",
        "incident_key": "id",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "details": "details",
    }
