"""Tests of the OpsGenie service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.opsgenie.config import Config
from runtime.services.opsgenie.handler import HandlerConfig
from runtime.services.opsgenie.opsgenietest import OpsGenieServer
from runtime.services.opsgenie.service import Service
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
    with OpsGenieServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        teams=("configured-a", "configured-b"),
        recipients=("configured-a", "configured-b"),
        url=server.url + "/v1/json/alert",
        recovery_url=server.url + "/v1/json/alert/note",
        api_key=Secret("configured-api-key"),
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        teams=(),
        recipients=(),
        url="https://api.opsgenie.com/v1/json/alert",
        recovery_url="https://api.opsgenie.com/v1/json/alert/note",
        api_key=Secret(""),
        global_=False,
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(
        config(server), teams=("other-a", "other-b"), recipients=("other-a", "other-b")
    )
    explicit = HandlerConfig(
        teams_list=("other-a", "other-b"), recipients_list=("other-a", "other-b")
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
    expected = "url cannot be empty"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_recovery_url_is_required(server):
    invalid = replace(config(server), recovery_url="")
    expected = "recovery_url cannot be empty"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_api_key_is_required(server):
    invalid = replace(config(server), api_key=Secret(""))
    expected = "api-key cannot be empty"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_url_is_checked(server):
    invalid = replace(config(server), url=":")
    expected = 'invalid URL ":": parse ":": missing protocol scheme'
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_recovery_url_is_checked(server):
    invalid = replace(config(server), recovery_url=":")
    expected = 'invalid recovery_url ":": parse ":": missing protocol scheme'
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"message": "boom"}', "boom"),
        (201, "", "failed to understand OpsGenie response. code: 201 content: "),
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
    assert "configured-api-key" not in str(caught.value)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".opsGenie().teams('explicit-a', 'explicit-b').recipients('explicit-a', 'explicit-b')"
    expected = HandlerConfig(
        teams_list=("explicit-a", "explicit-b"),
        recipients_list=("explicit-a", "explicit-b"),
    )
    assert options_from_script("opsgenie", config(server), script) == [expected]
    unset = options_from_http("opsgenie", config(server), {})
    assert options_from_script("opsgenie", config(server), ".opsGenie()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("opsgenie", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("teams-list", "x"),
        ("recipients-list", "x"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("opsgenie", config(server), {key: value})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        url=server.url,
        api_key=Secret("api_key"),
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
            "group": "host=serverA",
            "tags": {"host": "serverA"},
            "fields": {"count": 10},
        },
    )
    options = HandlerConfig(
        teams_list=("test_team", "another_team"),
        recipients_list=("test_recipient", "another_recipient"),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "apiKey": "api_key",
        "message": "kapacitor/cpu/serverA is CRITICAL",
        "entity": "kapacitor/cpu/serverA",
        "alias": "kapacitor/cpu/serverA",
        "note": "",
        "details": {"Level": "CRITICAL", "Monitoring Tool": "Kapacitor"},
        "description": '{"series":[{"name":"cpu","tags":{"host":"serverA"},"columns":["time","count"],"values":[["1971-01-01T00:00:10Z",10]]}]}',
        "teams": ["test_team", "another_team"],
        "recipients": ["test_recipient", "another_recipient"],
        "monitoring_tool": "kapacitor",
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        url=server.url,
        api_key=Secret("api_key"),
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
            "group": "host=serverA",
            "tags": {"host": "serverA"},
            "fields": {"count": 10},
        },
    )
    options = HandlerConfig(
        teams_list=("test_team2",),
        recipients_list=("test_recipient2", "another_recipient"),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "apiKey": "api_key",
        "message": "kapacitor/cpu/serverA is CRITICAL",
        "entity": "kapacitor/cpu/serverA",
        "alias": "kapacitor/cpu/serverA",
        "note": "",
        "details": {"Level": "CRITICAL", "Monitoring Tool": "Kapacitor"},
        "description": '{"series":[{"name":"cpu","tags":{"host":"serverA"},"columns":["time","count"],"values":[["1971-01-01T00:00:10Z",10]]}]}',
        "teams": ["test_team2"],
        "recipients": ["test_recipient2", "another_recipient"],
        "monitoring_tool": "kapacitor",
    }


def test_example_3_kapacitor_server_3(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        url=server.url,
        api_key=Secret("api_key"),
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
    options = HandlerConfig(
        teams_list=("A team", "B team"),
        recipients_list=("test_recipient1", "test_recipient2"),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.json == {
        "apiKey": "api_key",
        "message": "message",
        "entity": "id",
        "alias": "id",
        "note": "",
        "details": {"Level": "CRITICAL", "Monitoring Tool": "Kapacitor"},
        "description": '{"series":[{"name":"alert","columns":["time","value"],"values":[["1970-01-01T00:00:00Z",1]]}]}',
        "teams": ["A team", "B team"],
        "recipients": ["test_recipient1", "test_recipient2"],
        "monitoring_tool": "kapacitor",
    }


def test_example_4_kapacitor_derived_4(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        url=server.url,
        recovery_url=server.url + "/note",
        api_key=Secret("api_key"),
    )
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "kapacitor/cpu/serverA is OK",
            "details": "the details",
            "level": "OK",
            "time": 31536001000000000,
            "duration": 1000000000,
            "name": "cpu",
            "task": "TestStream_AlertRecovery",
            "group": "host=serverA",
            "tags": {"host": "serverA", "type": "idle"},
            "fields": {"v": 0},
        },
    )
    deliver(Service, configured, event=event)
    request = server.next()
    assert request.path == "/note/"
    assert request.json == {
        "apiKey": "api_key",
        "entity": "kapacitor/cpu/serverA",
        "alias": "kapacitor/cpu/serverA",
        "message": "kapacitor/cpu/serverA is OK",
        "note": "kapacitor/cpu/serverA is OK",
        "monitoring_tool": "kapacitor",
        "details": {"Level": "RECOVERY", "Monitoring Tool": "Kapacitor"},
        "description": '{"series":[{"name":"cpu","tags":{"host":"serverA","type":"idle"},"columns":["time","v"],"values":[["1971-01-01T00:00:01Z",0]]}]}',
    }
