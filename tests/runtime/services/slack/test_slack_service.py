"""Tests of the Slack service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.outbound.connection import Certificates, Connection
from runtime.secrets import Secret
from runtime.services.slack.config import Config
from runtime.services.slack.handler import HandlerConfig
from runtime.services.slack.service import Service
from runtime.services.slack.slacktest import SlackServer
from runtime.testing.events import changed_event, sample_event
from runtime.testing.handlers import (
    certificates_of,
    connection_of,
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
    with SlackServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        default=True,
        workspace="configured-workspace",
        url=Secret(server.url),
        token=Secret("configured-token"),
        channel="configured-channel",
        icon_emoji="configured-icon-emoji",
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        default=False,
        workspace="",
        url=Secret(""),
        token=Secret(""),
        channel="",
        username="kapacitor",
        icon_emoji="",
        ssl_ca="",
        ssl_cert="",
        ssl_key="",
        insecure_skip_verify=False,
        global_=False,
        state_changes_only=False,
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(
        config(server),
        channel="other-channel",
        username="other-username",
        icon_emoji="other-icon-emoji",
    )
    explicit = HandlerConfig(
        channel="other-channel",
        username="other-username",
        icon_emoji="other-icon-emoji",
    )
    deliver(Service, configured)
    deliver(Service, config(server), explicit)
    assert server.next() == server.next()


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_url_is_required(server):
    invalid = replace(config(server), url=Secret(""))
    expected = "must specify url"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"error": "boom"}', "boom"),
        (201, "", "failed to understand Slack response. code: 201 content: "),
        (
            200,
            '{"ok": false}',
            'failed to understand Slack response. code: 200 content: {"ok": false}',
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


def test_a_response_that_may_change_is_retried(server):
    server.status = 400
    for body in (
        '{"error": "fatal_error"}',
        '{"error": "internal_error"}',
        '{"error": "ratelimited"}',
        '{"error": "request_timeout"}',
        '{"error": "service_unavailable"}',
    ):
        server.body = body
        with pytest.raises(DeliveryError) as caught:
            deliver(Service, config(server))
        assert caught.value.retry


def test_a_refused_connection_is_retried(server):
    configured = config(server)
    server.refuse()
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, configured)
    assert caught.value.retry
    assert "configured-token" not in str(caught.value)


def test_handlers_choose_a_section(server):
    usual = config(server)
    other = replace(
        usual, workspace="other", default=False, url=Secret(server.url + "/other")
    )
    chosen = HandlerConfig(workspace="other")
    deliver(Service, other, chosen)
    deliver(Service, (usual, other), chosen)
    assert server.next() == server.next()
    deliver(Service, usual)
    deliver(Service, (usual, other))
    assert server.next() == server.next()
    missing = HandlerConfig(workspace="missing")
    expected = "workspace id not found"
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, (usual, other), missing)
    assert str(caught.value) == expected
    assert caught.value.retry


def test_sections_are_told_apart(server):
    usual = config(server)
    other = replace(
        usual, workspace="other", default=False, url=Secret(server.url + "/other")
    )
    Config.instances.validate([usual, other])
    with pytest.raises(ConfigError, match="is not unique"):
        Config.instances.validate([usual, other, other])
    with pytest.raises(ConfigError, match="id must not be empty"):
        Config.instances.validate([usual, replace(other, workspace="")])
    expected = "at least one Slack config must be set as default"
    with pytest.raises(ConfigError) as caught:
        Config.instances.validate([replace(usual, default=False), other])
    assert str(caught.value) == expected


def test_certificates(server):
    configured = replace(
        config(server),
        ssl_ca="missing/ssl-ca.pem",
        ssl_cert="missing/ssl-cert.pem",
        ssl_key="missing/ssl-key.pem",
    )
    files = Certificates(
        ca="missing/ssl-ca.pem",
        certificate="missing/ssl-cert.pem",
        key="missing/ssl-key.pem",
    )
    assert certificates_of(Service, configured) == files
    with pytest.raises(ConfigError, match="no such file or directory"):
        deliver(Service, configured)


def test_connections(server):
    usual = config(server)
    assert connection_of(Service, usual) == Connection()
    assert connection_of(
        Service, replace(usual, insecure_skip_verify=True)
    ) == Connection(verify=False)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".slack().workspace('configured-workspace').channel('explicit-channel').username('explicit-username').iconEmoji('explicit-icon-emoji')"
    expected = HandlerConfig(
        workspace="configured-workspace",
        channel="explicit-channel",
        username="explicit-username",
        icon_emoji="explicit-icon-emoji",
    )
    assert options_from_script("slack", config(server), script) == [expected]
    unset = options_from_http("slack", config(server), {})
    assert options_from_script("slack", config(server), ".slack()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("slack", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("workspace", 5),
        ("channel", 5),
        ("username", 5),
        ("icon-emoji", 5),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("slack", config(server), {key: value})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(
        config(server),
        token=Secret(""),
        channel="#channel",
        icon_emoji="",
        workspace="",
        url=Secret(server.url + "/test/slack/url"),
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
    options = HandlerConfig(channel="@jim")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/test/slack/url"
    assert request.json == {
        "channel": "@jim",
        "username": "kapacitor",
        "text": "",
        "attachments": [
            {
                "fallback": "kapacitor/cpu/serverA is CRITICAL",
                "color": "danger",
                "text": "kapacitor/cpu/serverA is CRITICAL",
                "mrkdwn_in": ["text"],
            }
        ],
        "icon_emoji": "",
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(
        config(server),
        token=Secret("my_secret_token"),
        channel="#channel",
        icon_emoji="",
        workspace="company_private",
        url=Secret(server.url + "/test/slack/url2"),
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
    options = HandlerConfig(workspace="company_private", channel="#alerts")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/test/slack/url2"
    assert (
        request.headers.items() >= {"Authorization": "Bearer my_secret_token"}.items()
    )
    assert request.json == {
        "channel": "#alerts",
        "username": "kapacitor",
        "text": "",
        "attachments": [
            {
                "fallback": "kapacitor/cpu/serverA is CRITICAL",
                "color": "danger",
                "text": "kapacitor/cpu/serverA is CRITICAL",
                "mrkdwn_in": ["text"],
            }
        ],
        "icon_emoji": "",
    }


def test_example_3_kapacitor_server_3(server):
    configured = replace(
        config(server),
        token=Secret(""),
        channel="",
        icon_emoji="",
        workspace="",
        url=Secret(server.url + "/test/slack/url"),
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
    options = HandlerConfig(channel="#test")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/test/slack/url"
    assert request.json == {
        "channel": "#test",
        "username": "kapacitor",
        "text": "",
        "attachments": [
            {
                "fallback": "message",
                "color": "danger",
                "text": "message",
                "mrkdwn_in": ["text"],
            }
        ],
        "icon_emoji": "",
    }


def test_example_4_level_ok(server):
    configured = replace(
        config(server),
        token=Secret(""),
        channel="",
        icon_emoji="",
        workspace="",
        url=Secret(server.url + "/test/slack/url"),
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
    options = HandlerConfig(channel="#test")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/test/slack/url"
    assert request.json == {
        "channel": "#test",
        "username": "kapacitor",
        "text": "",
        "attachments": [
            {
                "fallback": "message",
                "color": "good",
                "text": "message",
                "mrkdwn_in": ["text"],
            }
        ],
        "icon_emoji": "",
    }


def test_example_5_level_info(server):
    configured = replace(
        config(server),
        token=Secret(""),
        channel="",
        icon_emoji="",
        workspace="",
        url=Secret(server.url + "/test/slack/url"),
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
    options = HandlerConfig(channel="#test")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/test/slack/url"
    assert request.json == {
        "channel": "#test",
        "username": "kapacitor",
        "text": "",
        "attachments": [
            {
                "fallback": "message",
                "color": "good",
                "text": "message",
                "mrkdwn_in": ["text"],
            }
        ],
        "icon_emoji": "",
    }


def test_example_6_level_warning(server):
    configured = replace(
        config(server),
        token=Secret(""),
        channel="",
        icon_emoji="",
        workspace="",
        url=Secret(server.url + "/test/slack/url"),
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
    options = HandlerConfig(channel="#test")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/test/slack/url"
    assert request.json == {
        "channel": "#test",
        "username": "kapacitor",
        "text": "",
        "attachments": [
            {
                "fallback": "message",
                "color": "warning",
                "text": "message",
                "mrkdwn_in": ["text"],
            }
        ],
        "icon_emoji": "",
    }
