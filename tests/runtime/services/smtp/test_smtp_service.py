"""Tests of the SMTP service without its hook."""

from dataclasses import replace

import pytest

from runtime.alert.templates import Template
from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.smtp.config import Config
from runtime.services.smtp.handler import HandlerConfig
from runtime.services.smtp.service import Service
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
from runtime.testing.hooks import RecordingHook
from runtime.testing.snapshots import TextSnapshot
from runtime.units import MINUTE, SECOND, Duration


@pytest.fixture
def server(monkeypatch):
    hook = RecordingHook()
    monkeypatch.setattr(Service, "hook", lambda self: hook)
    return hook


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        host="mail.example.com",
        port=587,
        username="kapacitor",
        password=Secret("configured-password"),
        no_verify=True,
        idle_timeout=Duration(MINUTE),
        from_="Kapacitor <kapacitor@example.com>",
        to=("oncall@example.com",),
        totemplates=("configured-a", "configured-b"),
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        host="localhost",
        port=25,
        username="",
        password=Secret(""),
        no_verify=False,
        idle_timeout=Duration(30 * SECOND),
        from_="",
        to=(),
        totemplates=(),
        global_=False,
        state_changes_only=False,
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(
            usual, options=HandlerConfig(to=("ops@example.com", "Jo <jo@example.com>"))
        ),
        Variant(replace(usual, to=())),
        Variant(usual, options=HandlerConfig(to=("explicit-a", "explicit-b"))),
        Variant(
            usual,
            options=HandlerConfig(to_field=(Template("{{ .Tags.host }}@example.com"),)),
        ),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_host_is_required(server):
    invalid = replace(config(server), host="")
    expected = "host cannot be empty"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_from__is_required(server):
    invalid = replace(config(server), from_="")
    expected = "must provide a 'from' address"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_port_is_checked(server):
    invalid = replace(config(server), port=0)
    expected = "invalid port 0"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected
    replace(config(server), port=1).validate()


def test_idle_timeout_is_checked(server):
    invalid = replace(config(server), idle_timeout=Duration(-1))
    expected = "idle timeout must be positive"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected
    replace(config(server), idle_timeout=Duration(0)).validate()
    replace(config(server), idle_timeout=Duration(1)).validate()


def test_from__is_checked(server):
    invalid = replace(config(server), from_="a")
    expected = "invalid from email address: \"a\", mail: missing '@' or angle-addr"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_to_is_checked(server):
    invalid = replace(config(server), to=("a",))
    expected = "invalid to email address: \"a\", mail: missing '@' or angle-addr"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".email('ops@example.com').to('Jo <jo@example.com>').toTemplates('{{ .Tags.host }}@example.com')"
    expected = HandlerConfig(
        to=("ops@example.com", "Jo <jo@example.com>"),
        to_field=(Template("{{ .Tags.host }}@example.com"),),
    )
    assert options_from_script("smtp", config(server), script) == [expected]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("smtp", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("to", "x"),
        ("to-field", "x"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("smtp", config(server), {key: value})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(config(server), from_="test@example.com", to=())
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor.cpu.serverA",
            "message": "kapacitor.cpu.serverA is CRITICAL",
            "details": '\n<b>kapacitor.cpu.serverA is CRITICAL</b>\n\nValue: 10\n<a href="http://graphs.example.com/host/serverA">Details</a>\n',
            "level": "CRITICAL",
            "time": 31536010000000000,
            "name": "cpu",
            "task": "TestStream_Alert",
            "group": "host=serverA",
            "tags": {"host": "serverA", "tagemail": "bob2@example.com"},
            "fields": {"count": 10, "extraemail": "bob@example.com"},
        },
    )
    options = HandlerConfig(to=("user1@example.com", "user2@example.com"), to_field=())
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "from": "test@example.com",
        "to": ["user1@example.com", "user2@example.com"],
        "subject": "kapacitor.cpu.serverA is CRITICAL",
        "html": '\n<b>kapacitor.cpu.serverA is CRITICAL</b>\n\nValue: 10\n<a href="http://graphs.example.com/host/serverA">Details</a>\n',
        "key": "0123456789abcdef0123456789abcdef",
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(config(server), from_="test@example.com", to=())
    event = changed_event(
        sample_event(),
        {
            "message": "message",
            "details": "details",
            "tags": {"host": "serverA", "tagemail": "bob2@example.com"},
            "fields": {"count": 10, "extraemail": "bob@example.com"},
        },
    )
    options = HandlerConfig(
        to=("user1@example.com", "user2@example.com"),
        to_field=(Template('{{ index .Fields "extraemail" }}'),),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "from": "test@example.com",
        "to": ["user1@example.com", "user2@example.com", "bob@example.com"],
        "subject": "message",
        "html": "details",
        "key": "0123456789abcdef0123456789abcdef",
    }


def test_example_3_kapacitor_streamer_3(server):
    configured = replace(config(server), from_="test@example.com", to=())
    event = changed_event(
        sample_event(),
        {
            "message": "message",
            "details": "details",
            "tags": {"host": "serverA", "tagemail": "bob2@example.com"},
            "fields": {"count": 10, "extraemail": "bob@example.com"},
        },
    )
    options = HandlerConfig(
        to=("user1@example.com", "user2@example.com"),
        to_field=(Template('{{ index .Tags "tagemail" }}'),),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "from": "test@example.com",
        "to": ["user1@example.com", "user2@example.com", "bob2@example.com"],
        "subject": "message",
        "html": "details",
        "key": "0123456789abcdef0123456789abcdef",
    }


def test_example_4_kapacitor_server_4(server):
    configured = replace(config(server), from_="test@example.com", to=())
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
        to=("oncall@example.com", "backup@example.com"), to_field=()
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "from": "test@example.com",
        "to": ["oncall@example.com", "backup@example.com"],
        "subject": "message",
        "html": "details",
        "key": "0123456789abcdef0123456789abcdef",
    }


def test_example_5_the_configured_recipients_where_a_handler_finds_no(server):
    configured = replace(
        config(server), from_="test@example.com", to=("oncall@example.com",)
    )
    event = changed_event(
        sample_event(), {"message": "message", "details": "details", "tags": {}}
    )
    options = HandlerConfig(to=(), to_field=(Template('{{ index .Tags "email" }}'),))
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "from": "test@example.com",
        "to": ["oncall@example.com"],
        "subject": "message",
        "html": "details",
        "key": "0123456789abcdef0123456789abcdef",
    }


def test_example_6_no_recipients(server):
    configured = replace(config(server), to=())
    event = changed_event(sample_event(), {})
    options = HandlerConfig(to=(), to_field=())
    expected = "not sending email, no recipients defined"
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, configured, options, event=event)
    assert str(caught.value) == expected


def test_example_7_a_recipient_that_is_not_an_address(server):
    configured = config(server)
    event = changed_event(sample_event(), {"tags": {"host": "serverA"}})
    options = HandlerConfig(
        to=("a@example.com",), to_field=(Template("{{ .Tags.host }}"),)
    )
    expected = "invalid to email address: \"serverA\", mail: missing '@' or angle-addr"
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, configured, options, event=event)
    assert str(caught.value) == expected
