"""Tests of the SNMP trap service without its hook."""

from dataclasses import replace

import pytest

from runtime.alert.templates import NO_TEMPLATE, Template
from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.snmptrap.config import Config
from runtime.services.snmptrap.handler import Data, HandlerConfig
from runtime.services.snmptrap.service import Service
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


@pytest.fixture
def server(monkeypatch):
    hook = RecordingHook()
    monkeypatch.setattr(Service, "hook", lambda self: hook)
    return hook


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        addr="127.0.0.1:1162",
        community=Secret("configured-community"),
        retries=7,
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False, addr="localhost:162", community=Secret(""), retries=1
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(
            usual,
            options=HandlerConfig(
                trap_oid="1.3.6.1.4.1.1",
                data_list=(
                    Data(
                        oid="1.3.6.1.4.1.1.1",
                        type="s",
                        value=Template("{{ .Message }}"),
                    ),
                ),
            ),
        ),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_addr_is_required(server):
    invalid = replace(config(server), addr="")
    expected = "must specify addr"
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
    script = ".snmpTrap('1.3.6.1.4.1.1').data('1.3.6.1.4.1.1.1', 's', '{{ .Message }}')"
    expected = HandlerConfig(
        trap_oid="1.3.6.1.4.1.1",
        data_list=(
            Data(oid="1.3.6.1.4.1.1.1", type="s", value=Template("{{ .Message }}")),
        ),
    )
    assert options_from_script("snmptrap", config(server), script) == [expected]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("snmptrap", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trap-oid", 5),
        ("data-list", "x"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("snmptrap", config(server), {key: value})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(config(server), community=Secret("public"), retries=2)
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "kapacitor/cpu/serverA is CRITICAL",
            "details": "here/cpu",
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
        trap_oid="1.1.1",
        data_list=(
            Data(oid="1.1.1.2", type="c", value=Template("1")),
            Data(oid="1.1.1.2", type="s", value=Template("SNMP ALERT")),
            Data(oid="1.1.1.2", type="s", value=Template("{{.Message}}")),
        ),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "trap": "1.1.1",
        "data": [
            {"oid": "1.1.1.2", "type": "c", "value": "1"},
            {"oid": "1.1.1.2", "type": "s", "value": "SNMP ALERT"},
            {
                "oid": "1.1.1.2",
                "type": "s",
                "value": "kapacitor/cpu/serverA is CRITICAL",
            },
        ],
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(config(server), community=Secret("public"), retries=2)
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "kapacitor/cpu/serverA is CRITICAL",
            "details": "here/cpu",
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
        trap_oid="1.1.2",
        data_list=(
            Data(oid="1.1.2.3", type="i", value=Template("10")),
            Data(oid="1.1.2.3", type="n", value=NO_TEMPLATE),
            Data(oid="1.1.2.3", type="t", value=Template("20000")),
            Data(oid="1.1.2.3", type="s", value=Template("{{ .Details }}")),
        ),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "trap": "1.1.2",
        "data": [
            {"oid": "1.1.2.3", "type": "i", "value": "10"},
            {"oid": "1.1.2.3", "type": "n", "value": ""},
            {"oid": "1.1.2.3", "type": "t", "value": "20000"},
            {"oid": "1.1.2.3", "type": "s", "value": "here/cpu"},
        ],
    }


def test_example_3_kapacitor_server_3(server):
    configured = replace(config(server), community=Secret("public"), retries=3)
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
        trap_oid="1.1.2",
        data_list=(
            Data(oid="1.1.2.1", type="s", value=Template("{{.Message}}")),
            Data(oid="1.1.2.2", type="s", value=Template("{{.Level}}")),
        ),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.json == {
        "trap": "1.1.2",
        "data": [
            {"oid": "1.1.2.1", "type": "s", "value": "message"},
            {"oid": "1.1.2.2", "type": "s", "value": "CRITICAL"},
        ],
    }
