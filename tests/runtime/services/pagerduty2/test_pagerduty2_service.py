"""Tests of the PagerDuty2 service against a fake server."""

from dataclasses import replace

import pytest

from runtime.alert.templates import Template
from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.pagerduty2.config import Config
from runtime.services.pagerduty2.handler import HandlerConfig, Link
from runtime.services.pagerduty2.pagerduty2test import PagerDuty2Server
from runtime.services.pagerduty2.service import Service
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
    with PagerDuty2Server() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        url=server.url + "/v2/enqueue",
        routing_key=Secret("configured-routing-key"),
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        url="https://events.pagerduty.com/v2/enqueue",
        routing_key=Secret(""),
        global_=False,
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(
            usual, options=HandlerConfig(service_key=Secret("explicit-serviceKey"))
        ),
        Variant(
            usual,
            options=HandlerConfig(
                links=(
                    Link(
                        href=Template("explicit-href {{ .ID }}"),
                        text=Template("explicit-text {{ .ID }}"),
                    ),
                    Link(href=Template("explicit-href {{ .ID }}")),
                )
            ),
        ),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    for status in (200, 202):
        server.status = status
        deliver(Service, config(server))
        assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(config(server), routing_key=Secret("other-routing-key"))
    explicit = HandlerConfig(routing_key=Secret("other-routing-key"))
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
        (500, '{"message": "boom"}', "Status: , Message: boom Errors: []"),
        (
            201,
            "",
            "Status: , Message: failed to understand PagerDuty2 response. code: 201 content:  Errors: []",
        ),
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
    assert "configured-routing-key" not in str(caught.value)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".pagerDuty2().routingKey('explicit-routing-key').link('explicit-href {{ .ID }}', 'explicit-text {{ .ID }}').link('explicit-href {{ .ID }}')"
    expected = HandlerConfig(
        routing_key=Secret("explicit-routing-key"),
        links=(
            Link(
                href=Template("explicit-href {{ .ID }}"),
                text=Template("explicit-text {{ .ID }}"),
            ),
            Link(href=Template("explicit-href {{ .ID }}")),
        ),
    )
    assert options_from_script("pagerduty2", config(server), script) == [expected]
    unset = options_from_http("pagerduty2", config(server), {})
    assert options_from_script("pagerduty2", config(server), ".pagerDuty2()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("pagerduty2", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("routing-key", 5),
        ("links", "x"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("pagerduty2", config(server), {key: value})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(
        config(server), routing_key=Secret("routing_key"), url=server.url
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
    assert (
        request.headers.items()
        >= {"Accept": "application/vnd.pagerduty+json;version=2"}.items()
    )
    assert request.json == {
        "routing_key": "routing_key",
        "event_action": "trigger",
        "dedup_key": "kapacitor/cpu/serverA",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "payload": {
            "summary": "CRITICAL alert for kapacitor/cpu/serverA",
            "source": "serverA",
            "severity": "critical",
            "class": "TestStream_Alert",
            "timestamp": "1971-01-01T00:00:10.000000000Z",
            "component": "",
            "group": "",
            "custom_details": {
                "result": {
                    "series": [
                        {
                            "name": "cpu",
                            "tags": {"host": "serverA"},
                            "columns": ["time", "count"],
                            "values": [["1971-01-01T00:00:10Z", 10]],
                        }
                    ]
                }
            },
        },
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(
        config(server), routing_key=Secret("routing_key"), url=server.url
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
    options = HandlerConfig(
        routing_key=Secret("test_override_key"),
        links=(
            Link(href=Template("http://example.com")),
            Link(
                href=Template("http://example.com/{{.TaskName}}"), text=Template("task")
            ),
        ),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "routing_key": "test_override_key",
        "event_action": "trigger",
        "dedup_key": "kapacitor/cpu/serverA",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "links": [
            {"href": "http://example.com", "text": "http://example.com"},
            {"href": "http://example.com/TestStream_Alert", "text": "task"},
        ],
        "payload": {
            "summary": "CRITICAL alert for kapacitor/cpu/serverA",
            "source": "serverA",
            "severity": "critical",
            "class": "TestStream_Alert",
            "timestamp": "1971-01-01T00:00:10.000000000Z",
            "component": "",
            "group": "",
            "custom_details": {
                "result": {
                    "series": [
                        {
                            "name": "cpu",
                            "tags": {"host": "serverA"},
                            "columns": ["time", "count"],
                            "values": [["1971-01-01T00:00:10Z", 10]],
                        }
                    ]
                }
            },
        },
    }


def test_example_3_kapacitor_server_3(server):
    configured = replace(config(server), routing_key=Secret(""), url=server.url)
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
    options = HandlerConfig(
        routing_key=Secret("rkey"),
        links=(
            Link(href=Template("http://example.com"), text=Template("t1")),
            Link(
                href=Template("http://example.com/{{.TaskName}}"), text=Template("t2")
            ),
        ),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "routing_key": "rkey",
        "event_action": "trigger",
        "dedup_key": "id",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "links": [
            {"href": "http://example.com", "text": "t1"},
            {"href": "http://example.com/testAlertHandlers", "text": "t2"},
        ],
        "payload": {
            "summary": "message",
            "source": "unknown",
            "severity": "critical",
            "class": "testAlertHandlers",
            "timestamp": "1970-01-01T00:00:00.000000000Z",
            "component": "",
            "group": "",
            "custom_details": {
                "result": {
                    "series": [
                        {
                            "name": "alert",
                            "columns": ["time", "value"],
                            "values": [["1970-01-01T00:00:00Z", 1]],
                        }
                    ]
                }
            },
        },
    }


def test_example_4_kapacitor_derived_4(server):
    configured = replace(config(server), routing_key=Secret("k"), url=server.url)
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
        "routing_key": "k",
        "event_action": "resolve",
        "dedup_key": "id",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "payload": {
            "summary": "message",
            "source": "unknown",
            "severity": "info",
            "class": "testAlertHandlers",
            "timestamp": "1970-01-01T00:00:00.000000000Z",
            "component": "",
            "group": "",
            "custom_details": {
                "result": {
                    "series": [
                        {
                            "name": "alert",
                            "columns": ["time", "value"],
                            "values": [["1970-01-01T00:00:00Z", 1]],
                        }
                    ]
                }
            },
        },
    }


def test_example_5_level_ok(server):
    configured = replace(config(server), routing_key=Secret(""), url=server.url)
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
    options = HandlerConfig(
        routing_key=Secret("rkey"),
        links=(
            Link(href=Template("http://example.com"), text=Template("t1")),
            Link(
                href=Template("http://example.com/{{.TaskName}}"), text=Template("t2")
            ),
        ),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "routing_key": "rkey",
        "event_action": "resolve",
        "dedup_key": "id",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "links": [
            {"href": "http://example.com", "text": "t1"},
            {"href": "http://example.com/testAlertHandlers", "text": "t2"},
        ],
        "payload": {
            "summary": "message",
            "source": "unknown",
            "severity": "info",
            "class": "testAlertHandlers",
            "timestamp": "1970-01-01T00:00:00.000000000Z",
            "component": "",
            "group": "",
            "custom_details": {
                "result": {
                    "series": [
                        {
                            "name": "alert",
                            "columns": ["time", "value"],
                            "values": [["1970-01-01T00:00:00Z", 1]],
                        }
                    ]
                }
            },
        },
    }


def test_example_6_level_info(server):
    configured = replace(config(server), routing_key=Secret(""), url=server.url)
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
    options = HandlerConfig(
        routing_key=Secret("rkey"),
        links=(
            Link(href=Template("http://example.com"), text=Template("t1")),
            Link(
                href=Template("http://example.com/{{.TaskName}}"), text=Template("t2")
            ),
        ),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "routing_key": "rkey",
        "event_action": "trigger",
        "dedup_key": "id",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "links": [
            {"href": "http://example.com", "text": "t1"},
            {"href": "http://example.com/testAlertHandlers", "text": "t2"},
        ],
        "payload": {
            "summary": "message",
            "source": "unknown",
            "severity": "info",
            "class": "testAlertHandlers",
            "timestamp": "1970-01-01T00:00:00.000000000Z",
            "component": "",
            "group": "",
            "custom_details": {
                "result": {
                    "series": [
                        {
                            "name": "alert",
                            "columns": ["time", "value"],
                            "values": [["1970-01-01T00:00:00Z", 1]],
                        }
                    ]
                }
            },
        },
    }


def test_example_7_level_warning(server):
    configured = replace(config(server), routing_key=Secret(""), url=server.url)
    event = changed_event(
        sample_event(),
        {
            "id": "id",
            "message": "message",
            "details": "details",
            "level": "WARNING",
            "time": 0,
            "name": "alert",
            "task": "testAlertHandlers",
            "group": "",
            "tags": {},
            "fields": {"value": 1},
        },
    )
    options = HandlerConfig(
        routing_key=Secret("rkey"),
        links=(
            Link(href=Template("http://example.com"), text=Template("t1")),
            Link(
                href=Template("http://example.com/{{.TaskName}}"), text=Template("t2")
            ),
        ),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "routing_key": "rkey",
        "event_action": "trigger",
        "dedup_key": "id",
        "client": "kapacitor",
        "client_url": "http://kapacitor.example.com:9092/kapacitor/v1",
        "links": [
            {"href": "http://example.com", "text": "t1"},
            {"href": "http://example.com/testAlertHandlers", "text": "t2"},
        ],
        "payload": {
            "summary": "message",
            "source": "unknown",
            "severity": "warning",
            "class": "testAlertHandlers",
            "timestamp": "1970-01-01T00:00:00.000000000Z",
            "component": "",
            "group": "",
            "custom_details": {
                "result": {
                    "series": [
                        {
                            "name": "alert",
                            "columns": ["time", "value"],
                            "values": [["1970-01-01T00:00:00Z", 1]],
                        }
                    ]
                }
            },
        },
    }
