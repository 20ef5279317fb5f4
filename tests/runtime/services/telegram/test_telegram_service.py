"""Tests of the Telegram service against a fake server."""

from dataclasses import replace

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.secrets import Secret
from runtime.services.telegram.config import Config
from runtime.services.telegram.handler import HandlerConfig
from runtime.services.telegram.service import Service
from runtime.services.telegram.telegramtest import TelegramServer
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
    with TelegramServer() as server:
        yield server


def config(server, *, enabled=True):
    return Config(
        enabled=enabled,
        url=server.url + "/bot",
        token=Secret("configured-token"),
        chat_id="configured-chat-id",
        disable_web_page_preview=True,
        disable_notification=True,
    )


def test_the_defaults():
    assert Config() == Config(
        enabled=False,
        url="https://api.telegram.org/bot",
        token=Secret(""),
        chat_id="",
        parse_mode="",
        disable_web_page_preview=False,
        disable_notification=False,
        global_=False,
        state_changes_only=False,
    )


def test_requests(server, snapshot):
    sent = requests_of_all_levels(Service, config(server), server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_variants(server, snapshot):
    usual = config(server)
    variants = [
        Variant(replace(usual, parse_mode="aa")),
        Variant(replace(usual, parse_mode="markdown")),
        Variant(replace(usual, parse_mode="html")),
        Variant(replace(usual, disable_web_page_preview=False)),
        Variant(replace(usual, disable_notification=False)),
    ]
    sent = requests_of_variants(Service, usual, variants, server)
    assert sent == snapshot(extension_class=TextSnapshot)


def test_the_message_is_valid(server):
    deliver(Service, config(server))
    assert server.next_message()


def test_options_fall_back_to_the_configuration(server):
    configured = replace(
        config(server),
        chat_id="other-chat-id",
        disable_web_page_preview=True,
        disable_notification=True,
    )
    explicit = HandlerConfig(
        chat_id="other-chat-id",
        disable_web_page_preview=True,
        disable_notification=True,
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
    expected = "must specify url"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


def test_token_is_required(server):
    invalid = replace(config(server), token=Secret(""))
    expected = "must specify token"
    with pytest.raises(ConfigError) as caught:
        invalid.validate()
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"error": "boom"}', "sendMessage error (0) description: "),
        (
            201,
            "",
            "failed to understand Telegram response (err: Expecting value: line 1 column 1 (char 0)). code: 201 content: ",
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
    assert "configured-token" not in str(caught.value)


def test_service_test(server, snapshot):
    shown = service_test(Service, config(server), server)
    assert shown == snapshot(extension_class=TextSnapshot)


def test_service_test_of_a_disabled_service(server):
    with pytest.raises(DeliveryError, match="service is not enabled"):
        run_service_test(Service, config(server, enabled=False))


def test_tickscript_property(server):
    script = ".telegram().chatId('explicit-chat-id').parseMode('explicit-parse-mode').disableWebPagePreview().disableNotification()"
    expected = HandlerConfig(
        chat_id="explicit-chat-id",
        parse_mode="explicit-parse-mode",
        disable_web_page_preview=True,
        disable_notification=True,
    )
    assert options_from_script("telegram", config(server), script) == [expected]
    unset = options_from_http("telegram", config(server), {})
    assert options_from_script("telegram", config(server), ".telegram()") == [unset]


def test_an_unknown_option_is_refused(server):
    with pytest.raises(OptionsError, match="'' has invalid keys: nope"):
        options_from_http("telegram", config(server), {"nope": 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chat-id", 5),
        ("parse-mode", 5),
        ("disable-web-page-preview", "x"),
        ("disable-notification", "x"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(server, key, value):
    with pytest.raises(OptionsError, match=f"'{key}'"):
        options_from_http("telegram", config(server), {key: value})


def test_example_1_kapacitor_streamer_1(server):
    configured = replace(
        config(server),
        chat_id="123456789",
        parse_mode="",
        disable_web_page_preview=True,
        disable_notification=False,
        url=server.url + "/bot",
        token=Secret("TOKEN:AUTH"),
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
        chat_id="12345678", disable_notification=True, parse_mode="HTML"
    )
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/botTOKEN:AUTH/sendMessage"
    assert request.json == {
        "chat_id": "12345678",
        "text": "kapacitor/cpu/serverA is CRITICAL",
        "parse_mode": "HTML",
        "disable_web_page_preview": True,
        "disable_notification": True,
    }


def test_example_2_kapacitor_streamer_2(server):
    configured = replace(
        config(server),
        chat_id="123456789",
        parse_mode="",
        disable_web_page_preview=True,
        disable_notification=False,
        url=server.url + "/bot",
        token=Secret("TOKEN:AUTH"),
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
    options = HandlerConfig(chat_id="87654321")
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/botTOKEN:AUTH/sendMessage"
    assert request.json == {
        "chat_id": "87654321",
        "text": "kapacitor/cpu/serverA is CRITICAL",
        "disable_web_page_preview": True,
    }


def test_example_3_kapacitor_server_3(server):
    configured = replace(
        config(server),
        chat_id="",
        parse_mode="",
        disable_web_page_preview=False,
        disable_notification=False,
        url=server.url + "/bot",
        token=Secret("TOKEN:AUTH"),
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
    options = HandlerConfig(chat_id="chat id", disable_web_page_preview=True)
    deliver(Service, configured, options, event=event)
    request = server.next()
    assert request.path == "/botTOKEN:AUTH/sendMessage"
    assert request.json == {
        "chat_id": "chat id",
        "text": "message",
        "disable_web_page_preview": True,
    }


def test_example_4_kapacitor_derived_4(server):
    configured = replace(
        config(server),
        chat_id="",
        parse_mode="",
        disable_web_page_preview=False,
        disable_notification=False,
        url=server.url + "/bot",
        token=Secret("t"),
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
    options = HandlerConfig(parse_mode="rtf")
    expected = "parseMode rtf is not valid, please use 'Markdown' or 'HTML'"
    with pytest.raises(DeliveryError) as caught:
        deliver(Service, configured, options, event=event)
    assert str(caught.value) == expected
