"""Tests of the Zulip service against a fake server."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.zulip.config import Config
from runtime.services.zulip.handler import HandlerConfig
from runtime.services.zulip.service import Service
from runtime.services.zulip.zuliptest import ZulipServer
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
    with ZulipServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        url=server.url,
        email="configured-email",
        api_key=Secret("configured-api-key"),
        channel="configured-channel",
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        url="",
        email="",
        api_key=Secret(""),
        channel="",
        global_=False,
        state_changes_only=False,
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(replace(usual, channel="")),
        Variant(usual, options=HandlerConfig(subject="explicit-subject")),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(config(server), channel="other-channel")
    explicit = HandlerConfig(channel="other-channel")
    deliver(Service, configured)
    deliver(Service, config(server), explicit)
    assert server.next() == server.next()


def test_a_disabled_service_sends_nothing(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        deliver(Service, config(server, enabled=False))
    assert server.received.empty()


def test_url_is_required(server):
    invalid = replace(config(server), url="")
    expected = "must specify url"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_email_is_required(server):
    invalid = replace(config(server), email="")
    expected = "must specify email"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_api_key_is_required(server):
    invalid = replace(config(server), api_key=Secret(""))
    expected = "must specify api-key"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"msg": "boom"}', "boom"),
        (
            500,
            '{"result": "success"}',
            'failed to understand Zulip response. code: 500 content: {"result": "success"}',
        ),
        (
            200,
            '{"result": "refused"}',
            'failed to understand Zulip response. code: 200 content: {"result": "refused"}',
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
    assert "configured-api-key" not in str(caught.value)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".zulip().channel('explicit-channel').subject('explicit-subject')"
    expected = HandlerConfig(channel="explicit-channel", subject="explicit-subject")
    assert options_from_script("zulip", config(server), script) == [expected]
    unset = options_from_http("zulip", config(server), {})
    assert options_from_script("zulip", config(server), ".zulip()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("zulip", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("channel", 5),
        ("subject", 5),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("zulip", config(server), {key: value})


def test_example_1_a_message(server):
    configured = replace(config(server), email="bot@example.com", api_key=Secret("abc"))
    event = changed_event(
        sample_event(), {"message": "CPU of a is at 97 %", "level": "WARNING"}
    )
    options = HandlerConfig(channel="ops", subject="CPU")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.method == "POST"
    assert request.path == "/api/v1/messages"
    assert (
        request.headers.items()
        >= {"Authorization": "Basic Ym90QGV4YW1wbGUuY29tOmFiYw=="}.items()
    )
    assert dict(parse_qsl(request.text)) == {
        "type": "stream",
        "to": "ops",
        "topic": "CPU",
        "content": ":warning: CPU of a is at 97 %",
    }
