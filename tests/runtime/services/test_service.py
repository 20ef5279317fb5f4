"""The base of the services of HTTP integrations."""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

import pytest

from runtime.alert.types import Level
from runtime.errors import ConfigError, DeliveryError, OptionsError, TaskError
from runtime.integration import Integrations
from runtime.outbound.client import AiohttpClient, Request, Response
from runtime.outbound.connection import Certificates, Connection
from runtime.services.expressions import (
    contains,
    get,
    joined,
    length,
    less,
    waiting_s,
)
from runtime.services.hipchat.config import Config as HipChatConfig
from runtime.services.hipchat.handler import HandlerConfig as HipChatOptions
from runtime.services.httppost.config import Config as HttpPostConfig
from runtime.services.httppost.service import HandlerConfig
from runtime.services.httppost.service import Service as HttpPostService
from runtime.services.service import HttpService
from runtime.services.urls import join
from runtime.testing.events import changed_event, sample_event
from runtime.testing.handlers import options_from_script
from runtime.testing.loopback import Answer

BROKEN = changed_event(
    sample_event(), {"message": "a\ud800b", "tags": {"host": "h\udcff"}}
)


@dataclass(frozen=True)
class Config:
    url: str
    enabled: bool = True

    def validate(self):
        """Nothing can be wrong."""


class FormService(HttpService):
    """Posts a form to a path that is named after a tag."""

    kind = "form"

    def default_handler_config(self):
        return None

    def request(self, config, options, event):
        body = urlencode({"text": event.state.message}).encode()
        return Request("POST", join(config.url, event.data.tags["host"]), body=body)

    def test_options(self):
        return None

    def test_event(self, options):
        return options, sample_event()


def sent(make, event):
    async def run():
        client = AiohttpClient()
        try:
            await make(client).handle(event)
        finally:
            await client.close()

    asyncio.run(run())


def test_what_is_no_character_is_replaced_in_forms_and_paths(server):
    sent(lambda client: FormService(Config(server.url), client).handler(None), BROKEN)
    request = server.next()
    assert request.path == "/h%EF%BF%BD"
    assert parse_qs(request.text) == {"text": ["a\ufffdb"]}


def test_each_service_test_has_a_key_of_its_own(server):
    async def run():
        client = AiohttpClient()
        try:
            service = FormService(Config(server.url), client)
            await service.test(None)
            await service.test(None)
        finally:
            await client.close()

    asyncio.run(run())
    keys = {server.next().headers["Idempotency-Key"] for _ in range(2)}
    assert len(keys) == 2
    assert all(len(key) == 32 for key in keys)


def test_other_events_are_sent_as_they_are(server):
    event = sample_event(Level.WARNING)
    sent(lambda client: FormService(Config(server.url), client).handler(None), event)
    assert parse_qs(server.next().text) == {"text": [event.state.message]}


def test_what_is_no_character_is_replaced_in_templates_of_posts(server):
    url = server.url + "/{{ .Message }}"
    endpoint = HttpPostConfig("e", url, alert_template="<{{ .Message }}>")

    def handler(client):
        return HttpPostService([endpoint], client).handler(HandlerConfig(endpoint="e"))

    sent(handler, BROKEN)
    request = server.next()
    assert (request.path, request.text) == ("/a%EF%BF%BDb", "<a\ufffdb>")


class JudgingService(FormService):
    """Believes what the answer's JSON says."""

    kind = "judging"

    def accepts(self, response):
        return response.status in self.ok and response.json["code"] < 400

    def failure(self, response):
        return ": ".join([response.json["message"], str(response.json["code"])])


class TruthfulService(JudgingService):
    """Takes for success what says so."""

    def accepts(self, response):
        return response.status in self.ok and bool(get(response.json, "ok"))


# responses that endpoints may give in spite of their documentation
ODD_BODIES = [
    "",
    "null",
    "5",
    '"x"',
    "[]",
    "{}",
    "<html>",
    '{"code": null, "message": 5}',
]


def outcome(service, status, body):
    """The error of a delivery that is answered so; None where it succeeded."""
    response = Response(status, body.encode())
    try:
        service(Config("http://127.0.0.1:1"), None).check(None, None, response)
    except DeliveryError as error:
        return error
    return None


@pytest.mark.parametrize("body", ODD_BODIES)
def test_the_status_decides_about_answers_that_cannot_be_judged(body, caplog):
    for status, retry in ((503, True), (429, True), (400, False), (404, False)):
        error = outcome(JudgingService, status, body)
        assert (error.status, error.retry) == (status, retry)
        assert str(error) == f"unexpected response code {status} from judging service"
    assert outcome(JudgingService, 200, body) is None
    assert "only its status was checked" in caplog.text


def test_an_answer_that_can_be_judged_is():
    assert outcome(JudgingService, 200, '{"code": 1, "message": "x"}') is None
    error = outcome(JudgingService, 200, '{"code": 404, "message": "no room"}')
    assert (str(error), error.retry) == ("no room: 404", False)
    error = outcome(JudgingService, 503, '{"code": 503, "message": "busy"}')
    assert (str(error), error.retry) == ("busy: 503", True)


@pytest.mark.parametrize("body", ["", "null", "5", '"x"', "[]", "<html>"])
def test_a_success_status_without_the_json_that_confirms_it_is_tried_again(body):
    assert outcome(TruthfulService, 200, body).retry
    assert not outcome(TruthfulService, 400, body).retry


@pytest.mark.parametrize(("wait_s", "retry"), [(None, False), (0.0, True), (3.0, True)])
def test_a_refusal_that_says_when_to_come_back_is_tried_again(wait_s, retry):
    body = b'{"ok": false, "error": "rate_limited"}'
    service = TruthfulService(Config("http://127.0.0.1:1"), None)
    for status, expected in ((200, retry), (400, False)):
        with pytest.raises(DeliveryError) as caught:
            service.check(None, None, Response(status, body, retry_after_s=wait_s))
        assert (caught.value.retry, caught.value.retry_after_s) == (expected, wait_s)


def test_a_refusal_in_json_is_final():
    assert not outcome(TruthfulService, 200, '{"ok": false}').retry
    assert outcome(TruthfulService, 200, '{"ok": true}') is None


class ComparingService(FormService):
    """Judges as generated code does, with functions that never raise."""

    kind = "comparing"

    def accepts(self, response):
        reply = response.json
        return (
            response.status in self.ok
            and less(get(reply, "code"), 400)
            and contains(get(reply, "message"), "sent")
            and length(get(reply, "items")) > 0
            and get(reply, "ok") is True
        )

    def failure(self, response):
        return joined([get(response.json, "message"), response.status], ": ")


GOOD = {"code": 200, "message": "sent", "items": [1], "ok": True}


@pytest.mark.parametrize(
    "change",
    [
        {"code": None},
        {"code": "200"},
        {"code": True},
        {"code": []},
        {"message": None},
        {"message": 5},
        {"items": None},
        {"items": 5},
        {"ok": None},
        *({name: ...} for name in GOOD),
    ],
)
def test_a_value_of_another_type_is_no_refusal(change):
    reply = {**GOOD, **change}
    body = json.dumps({k: v for k, v in reply.items() if v is not ...})
    assert outcome(ComparingService, 200, json.dumps(GOOD)) is None
    assert outcome(ComparingService, 200, body).retry
    assert outcome(ComparingService, 503, body).retry
    assert not outcome(ComparingService, 400, body).retry


@pytest.mark.parametrize(
    "change", [{"code": 404}, {"message": "refused"}, {"items": []}, {"ok": False}]
)
def test_a_value_that_refuses_is_final(change):
    assert not outcome(ComparingService, 200, json.dumps({**GOOD, **change})).retry


def test_an_event_outlives_answers_that_cannot_be_judged(server):
    """Through the handler: what comes out is an error that says to try again."""
    server.answers.append(Answer(503, '{"message": 5}'))
    with pytest.raises(DeliveryError) as refused:
        sent(
            lambda client: JudgingService(Config(server.url), client).handler(None),
            sample_event(),
        )
    assert refused.value.retry


class PatientService(TruthfulService):
    """Reads from the answer when to come back."""

    def retries(self, config, options, response):
        return response.json["code"] == 130101

    def wait_s(self, config, options, response):
        return waiting_s(response.json["wait"])


@pytest.mark.parametrize(
    ("body", "header_s", "retry", "wait_s"),
    [
        ('{"ok": false, "code": 130101, "wait": 5}', None, True, 5.0),
        ('{"ok": false, "code": 130101, "wait": "5"}', 9.0, True, 9.0),
        ('{"ok": false, "code": 1, "wait": 5}', 2.0, False, 5.0),
        ('{"ok": false, "code": 1, "wait": -5}', 2.0, False, 2.0),
        ('{"ok": false, "code": 130101, "wait": "soon"}', None, True, None),
        ('{"ok": false}', None, False, None),
        ("<html>", None, False, None),
    ],
)
def test_an_answer_may_ask_for_another_attempt(body, header_s, retry, wait_s):
    response = Response(400, body.encode(), retry_after_s=header_s)
    with pytest.raises(DeliveryError) as caught:
        PatientService(Config("http://127.0.0.1:1"), None).check(None, None, response)
    assert (caught.value.retry, caught.value.retry_after_s) == (retry, wait_s)


class PrefixedService(FormService):
    """Puts a text before its errors."""

    prepare_error = "failed to prepare API request"
    send_error = "failed to execute API request"

    def request(self, config, options, event):
        if event.state.level == Level.OK:
            raise DeliveryError("no OK")
        return super().request(config, options, event)


def test_errors_begin_with_the_step_that_failed(server):
    def failing(level):
        with pytest.raises(DeliveryError) as caught:
            sent(
                lambda client: PrefixedService(Config(server.url), client).handler(
                    None
                ),
                sample_event(level),
            )
        return caught.value

    assert str(failing(Level.OK)) == "failed to prepare API request: no OK"
    server.status = 500
    assert str(failing(Level.INFO)).startswith("unexpected response code 500")
    server.refuse()
    refused = failing(Level.INFO)
    assert str(refused).startswith('failed to execute API request: Post "http://127')
    assert refused.retry


def test_a_script_with_invalid_options_is_refused(monkeypatch):
    def validate(options):
        if options.room == "x":
            raise OptionsError("no room x")

    monkeypatch.setattr(HipChatOptions, "validate", validate, raising=False)
    config = HipChatConfig(enabled=True, url="http://127.0.0.1:1")
    with pytest.raises(TaskError) as caught:
        options_from_script("hipchat", config, ".hipChat().room('x')")
    assert str(caught.value) == "failed to create hipchat handler: no room x"
    [options] = options_from_script("hipchat", config, ".hipChat().room('y')")
    assert options.room == "y"


class SilentService(FormService):
    """Has nothing to say about events that are OK."""

    kind = "silent"

    def request(self, config, options, event):
        if event.state.level == Level.OK:
            return None
        return super().request(config, options, event)

    def test_event(self, options):
        return None, sample_event(options)


def test_a_service_test_that_sends_nothing_fails(server):
    async def run(level):
        client = AiohttpClient()
        try:
            await SilentService(Config(server.url), client).test(level)
        finally:
            await client.close()

    asyncio.run(run(Level.WARNING))
    assert server.next().method == "POST"
    with pytest.raises(DeliveryError) as refused:
        asyncio.run(run(Level.OK))
    assert str(refused.value) == (
        "no request was sent: silent sends nothing for the test's event, "
        "whose level is OK"
    )


@dataclass(frozen=True)
class SecuredConfig(Config):
    url: str = ""
    ca: str = ""
    wait: int = 0


class SecuredService(FormService):
    """Connects as its configuration says."""

    def certificates(self, config):
        return Certificates(ca=config.ca, settings=("root-ca", "", ""))

    def connection(self, config, options):
        return Connection(verify=False, limit=config.wait, proxy="http://proxy:1")


class KeepingClient:
    """Keeps the requests that it is asked to send."""

    def __init__(self):
        self.sent = []

    async def send(self, request):
        self.sent.append(request)
        return Response(200)


def test_the_connection_is_that_of_the_configuration():
    client = KeepingClient()
    service = SecuredService(SecuredConfig("http://a", wait=1_500_000_000), client)
    asyncio.run(service.alert(None, sample_event()))
    service.prepared([SecuredConfig("http://a")])()
    asyncio.run(service.alert(None, sample_event()))
    first, second = client.sent
    assert (first.verify, first.limit_s, first.proxy) == (False, 1.5, "http://proxy:1")
    assert second.limit_s is None
    assert first.identity is None


def test_a_file_that_cannot_be_read_refuses_a_change(tmp_path):
    file = str(tmp_path / "ca.pem")
    service = SecuredService(SecuredConfig("http://a"), KeepingClient())
    with pytest.raises(ConfigError) as caught:
        service.prepared([SecuredConfig("http://b", ca=file)])
    assert str(caught.value) == (
        f"Could not load TLS CA: open {file}: no such file or directory (root-ca)"
    )
    assert service.config.url == "http://a"


def test_a_file_that_cannot_be_read_refuses_the_start():
    integrations = Integrations(
        sections={"form": SecuredConfig}, services={"form": SecuredService}
    )
    tables = {"form": SecuredConfig(ca="/no/such/file")}
    with pytest.raises(ConfigError, match=r"^form: Could not load TLS CA: .*root-ca"):
        integrations.started(tables, KeepingClient())


def test_the_files_of_a_disabled_service_are_not_read():
    config = SecuredConfig(enabled=False, ca="/no/such/file")
    assert SecuredService(config, KeepingClient()).config is config
