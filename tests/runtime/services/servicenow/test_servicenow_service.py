"""Tests of the ServiceNow service against a fake server."""

from dataclasses import replace

import pytest

from runtime.alert.templates import Template
from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.servicenow.config import Config
from runtime.services.servicenow.handler import HandlerConfig
from runtime.services.servicenow.service import Service
from runtime.services.servicenow.servicenowtest import ServiceNowServer
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
    with ServiceNowServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        url=server.url + "/api/global/em/jsonv2",
        source="configured-source",
        username="configured-username",
        password=Secret("configured-password"),
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        url="https://instance.service-now.com/api/global/em/jsonv2",
        source="",
        username="",
        password=Secret(""),
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
            usual,
            options=HandlerConfig(messagekey=Template("explicit-messagekey {{ .ID }}")),
        ),
        Variant(
            usual,
            options=HandlerConfig(
                additional_info={"key": Template("explicit-value {{ .ID }}")}
            ),
        ),
        Variant(
            usual,
            options=HandlerConfig(
                node_=Template("explicit-node {{ .ID }}"),
                type=Template("explicit-type {{ .ID }}"),
                resource=Template("explicit-resource {{ .ID }}"),
                metricname=Template("explicit-metricname {{ .ID }}"),
            ),
        ),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(
        config(server),
        source="other-source",
        username="other-username",
        password=Secret("other-password"),
    )
    explicit = HandlerConfig(
        source="other-source",
        username="other-username",
        password=Secret("other-password"),
    )
    deliver(Service, configured)
    deliver(Service, config(server), explicit)
    assert server.next() == server.next()


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_url_is_required(server):
    invalid = replace(config(server), url="")
    expected = "must specify events URL"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"error": "boom"}', "boom"),
        (201, "", "failed to understand ServiceNow response. code: 201 content: "),
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
    assert "configured-password" not in str(caught.value)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".serviceNow().URL('explicit-url').source('explicit-source').username('explicit-username').password('explicit-password').node('explicit-node {{ .ID }}').type('explicit-type {{ .ID }}').resource('explicit-resource {{ .ID }}').metricName('explicit-metricname {{ .ID }}').messageKey('explicit-messagekey {{ .ID }}').additionalInfo('key', 'explicit-value {{ .ID }}')"
    expected = HandlerConfig(
        url="explicit-url",
        source="explicit-source",
        username="explicit-username",
        password=Secret("explicit-password"),
        node_=Template("explicit-node {{ .ID }}"),
        type=Template("explicit-type {{ .ID }}"),
        resource=Template("explicit-resource {{ .ID }}"),
        metricname=Template("explicit-metricname {{ .ID }}"),
        messagekey=Template("explicit-messagekey {{ .ID }}"),
        additional_info={"key": Template("explicit-value {{ .ID }}")},
    )
    assert options_from_script("servicenow", config(server), script) == [expected]
    unset = options_from_http("servicenow", config(server), {})
    assert options_from_script("servicenow", config(server), ".serviceNow()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("servicenow", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", 5),
        ("source", 5),
        ("username", 5),
        ("password", 5),
        ("node", 5),
        ("type", 5),
        ("resource", 5),
        ("metricname", 5),
        ("messagekey", 5),
        ("additional_info", "x"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("servicenow", config(server), {key: value})


@pytest.mark.parametrize(
    "key", ["node", "type", "resource", "metricname", "messagekey"]
)
def test_a_bad_template_is_refused(server, key):
    with pytest.raises(OptionsError, match=f"template: {key}:1: "):
        options_from_http("servicenow", config(server), {key: "{{"})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(
        config(server),
        username="",
        password=Secret(""),
        url=server.url + "/api/global/em/jsonv2",
        source="Kapacitor",
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
            "group": "host=serverA,type=idle",
            "tags": {"host": "serverA", "type": "idle"},
            "fields": {"mean": 94.42},
        },
    )
    deliver(Service, configured, event=event)
    request = server.next()
    assert request.path == "/api/global/em/jsonv2"
    assert request.json == {
        "records": [
            {
                "source": "Kapacitor",
                "message_key": "kapacitor/cpu/serverA",
                "severity": "1",
                "description": "kapacitor/cpu/serverA is CRITICAL",
            }
        ]
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(
        config(server),
        username="",
        password=Secret(""),
        url=server.url + "/api/global/em/jsonv2",
        source="Kapacitor",
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
            "group": "host=serverA,type=idle",
            "tags": {"host": "serverA", "type": "idle"},
            "fields": {"mean": 94.42},
        },
    )
    options = HandlerConfig(
        node_=Template('{{ index .Tags "host" }}'),
        type=Template("CPU"),
        resource=Template("CPU-Total"),
        metricname=Template('{{ index .Tags "type" }}'),
        messagekey=Template("Alert: {{ .ID }}"),
        additional_info={
            "link": Template("http://push/alert?id={{ .ID }}"),
            "ticks": Template("666"),
        },
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/api/global/em/jsonv2"
    assert request.json == {
        "records": [
            {
                "source": "Kapacitor",
                "node": "serverA",
                "type": "CPU",
                "resource": "CPU-Total",
                "metric_name": "idle",
                "message_key": "Alert: kapacitor/cpu/serverA",
                "severity": "1",
                "description": "kapacitor/cpu/serverA is CRITICAL",
                "additional_info": '{"link":"http://push/alert?id=kapacitor/cpu/serverA","ticks":"666"}',
            }
        ]
    }


def test_example_3_kapacitor_server_3(server):
    configured = replace(
        config(server),
        username="",
        password=Secret(""),
        url=server.url + "/api/global/em/jsonv2",
        source="Kapacitor",
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
    options = HandlerConfig(source="Kapacitor")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/api/global/em/jsonv2"
    assert request.json == {
        "records": [
            {
                "source": "Kapacitor",
                "severity": "1",
                "description": "message",
                "message_key": "id",
            }
        ]
    }


def test_example_4_level_ok(server):
    configured = replace(
        config(server),
        username="",
        password=Secret(""),
        url=server.url + "/api/global/em/jsonv2",
        source="Kapacitor",
    )
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
    options = HandlerConfig(source="Kapacitor")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/api/global/em/jsonv2"
    assert request.json == {
        "records": [
            {
                "source": "Kapacitor",
                "severity": "5",
                "description": "message",
                "message_key": "id",
            }
        ]
    }


def test_example_5_level_info(server):
    configured = replace(
        config(server),
        username="",
        password=Secret(""),
        url=server.url + "/api/global/em/jsonv2",
        source="Kapacitor",
    )
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
    options = HandlerConfig(source="Kapacitor")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/api/global/em/jsonv2"
    assert request.json == {
        "records": [
            {
                "source": "Kapacitor",
                "severity": "5",
                "description": "message",
                "message_key": "id",
            }
        ]
    }


def test_example_6_level_warning(server):
    configured = replace(
        config(server),
        username="",
        password=Secret(""),
        url=server.url + "/api/global/em/jsonv2",
        source="Kapacitor",
    )
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
    options = HandlerConfig(source="Kapacitor")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/api/global/em/jsonv2"
    assert request.json == {
        "records": [
            {
                "source": "Kapacitor",
                "severity": "4",
                "description": "message",
                "message_key": "id",
            }
        ]
    }
