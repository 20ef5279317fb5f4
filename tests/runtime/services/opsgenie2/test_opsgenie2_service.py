"""Tests of the OpsGenie2 service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.opsgenie2.config import Config
from runtime.services.opsgenie2.handler import HandlerConfig
from runtime.services.opsgenie2.opsgenie2test import OpsGenie2Server
from runtime.services.opsgenie2.service import Service
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
    with OpsGenie2Server() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        url=server.url + "/v2/alerts",
        api_key=Secret("configured-api-key"),
        teams=("configured-a", "configured-b"),
        recipients=("configured-a", "configured-b"),
        details=True,
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        url="https://api.opsgenie.com/v2/alerts",
        recovery_action="notes",
        api_key=Secret(""),
        teams=(),
        recipients=(),
        details=False,
        global_=False,
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(
            usual,
            options=HandlerConfig(recovery_action="close"),
            changes={"level": "OK"},
        ),
        Variant(replace(usual, recovery_action="close"), changes={"level": "OK"}),
        Variant(replace(usual, recovery_action="notesnotes"), changes={"level": "OK"}),
        Variant(replace(usual, details=False)),
        Variant(usual, changes={"details": ""}),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(
        config(server),
        teams=("other-a", "other-b"),
        recipients=("other-a", "other-b"),
        details=True,
    )
    explicit = HandlerConfig(
        teams_list=("other-a", "other-b"),
        recipients_list=("other-a", "other-b"),
        details=True,
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


def test_recovery_action_is_required(server):
    invalid = replace(config(server), recovery_action="")
    expected = "recovery_action cannot be empty"
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


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"message": "boom"}', "opsgenie error: boom"),
        (
            201,
            "",
            "opsgenie error: failed to understand OpsGenie response. code: 201 content: ",
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
    assert str(caught.value).startswith("failed to execute API request: ")
    assert "configured-api-key" not in str(caught.value)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".opsGenie2().teams('explicit-a', 'explicit-b').recipients('explicit-a', 'explicit-b').recoveryAction('close').details()"
    expected = HandlerConfig(
        teams_list=("explicit-a", "explicit-b"),
        recipients_list=("explicit-a", "explicit-b"),
        recovery_action="close",
        details=True,
    )
    assert options_from_script("opsgenie2", config(server), script) == [expected]
    unset = options_from_http("opsgenie2", config(server), {})
    assert options_from_script("opsgenie2", config(server), ".opsGenie2()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("opsgenie2", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("teams-list", "x"),
        ("recipients-list", "x"),
        ("recovery_action", 5),
        ("details", "x"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("opsgenie2", config(server), {key: value})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        details=False,
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
    assert request.headers.items() >= {"Authorization": "GenieKey api_key"}.items()
    assert request.json == {
        "message": "kapacitor/cpu/serverA is CRITICAL",
        "entity": "kapacitor/cpu/serverA",
        "alias": "a2FwYWNpdG9yL2NwdS9zZXJ2ZXJB",
        "note": "",
        "priority": "P1",
        "details": {
            "Level": "CRITICAL",
            "Monitoring Tool": "Kapacitor",
            "Kapacitor Task Name": "cpu",
            "host": "serverA",
        },
        "description": '{"series":[{"name":"cpu","tags":{"host":"serverA"},"columns":["time","count"],"values":[["1971-01-01T00:00:10Z",10]]}]}',
        "responders": [
            {"name": "test_team", "type": "team"},
            {"name": "another_team", "type": "team"},
            {"username": "test_recipient", "type": "user"},
            {"username": "another_recipient", "type": "user"},
        ],
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        details=False,
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
    assert request.headers.items() >= {"Authorization": "GenieKey api_key"}.items()
    assert request.json == {
        "message": "kapacitor/cpu/serverA is CRITICAL",
        "entity": "kapacitor/cpu/serverA",
        "alias": "a2FwYWNpdG9yL2NwdS9zZXJ2ZXJB",
        "note": "",
        "priority": "P1",
        "details": {
            "Level": "CRITICAL",
            "Monitoring Tool": "Kapacitor",
            "Kapacitor Task Name": "cpu",
            "host": "serverA",
        },
        "description": '{"series":[{"name":"cpu","tags":{"host":"serverA"},"columns":["time","count"],"values":[["1971-01-01T00:00:10Z",10]]}]}',
        "responders": [
            {"name": "test_team2", "type": "team"},
            {"username": "test_recipient2", "type": "user"},
            {"username": "another_recipient", "type": "user"},
        ],
    }


def test_example_3_kapacitor_streamer_3(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        details=False,
        url=server.url,
        api_key=Secret("api_key"),
        recovery_action="notes",
    )
    event = changed_event(
        sample_event(),
        {
            "id": "kapacitor/cpu/serverA",
            "message": "kapacitor/cpu/serverA is CRITICAL",
            "details": "the details",
            "level": "CRITICAL",
            "time": 31536000000000000,
            "name": "cpu",
            "task": "TestStream_AlertRecovery",
            "group": "host=serverA",
            "tags": {"host": "serverA", "type": "idle"},
            "fields": {"v": 2},
        },
    )
    options = HandlerConfig(teams_list=("test_team",))
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.headers.items() >= {"Authorization": "GenieKey api_key"}.items()
    assert request.json == {
        "message": "kapacitor/cpu/serverA is CRITICAL",
        "entity": "kapacitor/cpu/serverA",
        "alias": "a2FwYWNpdG9yL2NwdS9zZXJ2ZXJB",
        "note": "",
        "priority": "P1",
        "details": {
            "Level": "CRITICAL",
            "Monitoring Tool": "Kapacitor",
            "Kapacitor Task Name": "cpu",
            "host": "serverA",
            "type": "idle",
        },
        "description": '{"series":[{"name":"cpu","tags":{"host":"serverA","type":"idle"},"columns":["time","v"],"values":[["1971-01-01T00:00:00Z",2]]}]}',
        "responders": [{"name": "test_team", "type": "team"}],
    }


def test_example_4_kapacitor_streamer_4(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        details=False,
        url=server.url,
        api_key=Secret("api_key"),
        recovery_action="notes",
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
    options = HandlerConfig(teams_list=("test_team",))
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/a2FwYWNpdG9yL2NwdS9zZXJ2ZXJB/notes"
    assert request.query == {"identifierType": "alias"}
    assert request.headers.items() >= {"Authorization": "GenieKey api_key"}.items()
    assert request.json == {"note": "kapacitor/cpu/serverA is OK"}


def test_example_5_kapacitor_server_5(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        details=False,
        url=server.url,
        api_key=Secret("api_key"),
        recovery_action="notes",
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
    assert request.headers.items() >= {"Authorization": "GenieKey api_key"}.items()
    assert request.json == {
        "message": "message",
        "entity": "id",
        "alias": "aWQ=",
        "note": "",
        "priority": "P1",
        "details": {
            "Level": "CRITICAL",
            "Monitoring Tool": "Kapacitor",
            "Kapacitor Task Name": "alert",
        },
        "description": '{"series":[{"name":"alert","columns":["time","value"],"values":[["1970-01-01T00:00:00Z",1]]}]}',
        "responders": [
            {"name": "A team", "type": "team"},
            {"name": "B team", "type": "team"},
            {"username": "test_recipient1", "type": "user"},
            {"username": "test_recipient2", "type": "user"},
        ],
    }


def test_example_6_kapacitor_derived_6(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        details=False,
        url=server.url + "/v2/alerts",
        api_key=Secret("k"),
        recovery_action="bogus",
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
    options = HandlerConfig(recovery_action="close")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/v2/alerts/a2FwYWNpdG9yL2NwdS9zZXJ2ZXJB/close"
    assert request.query == {"identifierType": "alias"}
    assert request.json == {"note": "kapacitor/cpu/serverA is OK"}


def test_example_7_kapacitor_derived_7(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        details=False,
        url=server.url + "/v2/alerts",
        api_key=Secret("k"),
        recovery_action="bogus",
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
    options = HandlerConfig(recovery_action="other")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/v2/alerts/a2FwYWNpdG9yL2NwdS9zZXJ2ZXJB/notes"
    assert request.query == {"identifierType": "alias"}


def test_example_8_level_info(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        details=False,
        url=server.url,
        api_key=Secret("api_key"),
        recovery_action="notes",
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
    options = HandlerConfig(
        teams_list=("A team", "B team"),
        recipients_list=("test_recipient1", "test_recipient2"),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.headers.items() >= {"Authorization": "GenieKey api_key"}.items()
    assert request.json == {
        "message": "message",
        "entity": "id",
        "alias": "aWQ=",
        "note": "",
        "priority": "P5",
        "details": {
            "Level": "INFO",
            "Monitoring Tool": "Kapacitor",
            "Kapacitor Task Name": "alert",
        },
        "description": '{"series":[{"name":"alert","columns":["time","value"],"values":[["1970-01-01T00:00:00Z",1]]}]}',
        "responders": [
            {"name": "A team", "type": "team"},
            {"name": "B team", "type": "team"},
            {"username": "test_recipient1", "type": "user"},
            {"username": "test_recipient2", "type": "user"},
        ],
    }


def test_example_9_level_warning(server):
    configured = replace(
        config(server),
        teams=(),
        recipients=(),
        details=False,
        url=server.url,
        api_key=Secret("api_key"),
        recovery_action="notes",
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
    options = HandlerConfig(
        teams_list=("A team", "B team"),
        recipients_list=("test_recipient1", "test_recipient2"),
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/"
    assert request.headers.items() >= {"Authorization": "GenieKey api_key"}.items()
    assert request.json == {
        "message": "message",
        "entity": "id",
        "alias": "aWQ=",
        "note": "",
        "priority": "P3",
        "details": {
            "Level": "WARNING",
            "Monitoring Tool": "Kapacitor",
            "Kapacitor Task Name": "alert",
        },
        "description": '{"series":[{"name":"alert","columns":["time","value"],"values":[["1970-01-01T00:00:00Z",1]]}]}',
        "responders": [
            {"name": "A team", "type": "team"},
            {"name": "B team", "type": "team"},
            {"username": "test_recipient1", "type": "user"},
            {"username": "test_recipient2", "type": "user"},
        ],
    }
