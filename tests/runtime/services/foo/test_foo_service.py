"""Tests of the Foo service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.services.foo.config import Config
from runtime.services.foo.footest import FooServer
from runtime.services.foo.handler import HandlerConfig
from runtime.services.foo.service import Service
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
    with FooServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(enabled=enabled, url=server.url, room="configured-room")


def test_the_defaults():
    assert Config() == Config(enabled=False, url="", room="")


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(config(server), room="other-room")
    explicit = HandlerConfig(room="other-room")
    deliver(Service, configured)
    deliver(Service, config(server), explicit)
    assert server.next() == server.next()


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_url_is_required(server):
    invalid = replace(config(server), url="")
    expected = "must specify the Foo server URL"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"error": "boom"}', "unexpected response code 500 from Foo service"),
        (201, "", "unexpected response code 201 from Foo service"),
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
    script = ".foo().room('explicit-room')"
    expected = HandlerConfig(room="explicit-room")
    assert options_from_script("foo", config(server), script) == [expected]
    unset = options_from_http("foo", config(server), {})
    assert options_from_script("foo", config(server), ".foo()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("foo", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("room", 5),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("foo", config(server), {key: value})


def test_example_1_complete_body(server):
    configured = replace(config(server), url=server.url + "/hooks?x=1")
    event = changed_event(sample_event(), {"message": "a is CRITICAL"})
    options = HandlerConfig(room="alerts")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.method == "POST"
    assert request.path == "/hooks"
    assert request.query == {"x": "1"}
    assert request.headers.items() >= {"Content-Type": "application/json"}.items()
    assert request.text == '{"room":"alerts","message":"a is CRITICAL"}'


def test_example_2_an_empty_room_stays_empty(server):
    configured = config(server)
    event = changed_event(sample_event(), {})
    options = HandlerConfig(room="")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {"room": "", "message": "CPU of serverA is CRITICAL"}
