"""Handlers refused when defined, since they could never get or send an event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.services.alert.match import Match
from runtime.services.httppost.config import Config as EndpointConfig
from runtime.store.database import Store
from runtime.testing.loopback import LoopbackServer

HANDLERS = "/alerts/topics/t/handlers"
NO_TARGET = (
    "An appropriately formatted url must be specified if an endpoint is not specified"
)
SCRIPT = """
stream
    |from()
        .measurement('cpu')
    |alert()
        .crit(lambda: TRUE)
        .post({url})
        .endpoint('{endpoint}')
"""


@pytest.fixture
def api(config: Any, start_api: Any) -> Any:
    """A server with the endpoint `known`."""
    endpoint = EndpointConfig("known", "http://127.0.0.1:1/")
    config.handlers = INTEGRATIONS.tables(httppost=(endpoint,))
    return start_api(config)


def task(url: str = "", endpoint: str = "known") -> dict[str, Any]:
    """A task with a handler that posts."""
    script = SCRIPT.format(url=f"'{url}'" if url else "", endpoint=endpoint)
    dbrps = [{"db": "d", "rp": "r"}]
    return {"id": "x", "type": "stream", "dbrps": dbrps, "script": script}


def refused(
    api: Any, body: dict[str, Any], method: str = "POST", path: str = ""
) -> str:
    """The text of a handler that is refused."""
    status, text = api.ask(method, HANDLERS + path, body)
    assert status >= 400, text
    return str(text)


@pytest.mark.parametrize(
    "expression",
    [
        *("5", "'x'", "5m", "level()", "name()", "alertDuration()", "CRITICAL"),
        *('"x"', '"host"', '"a" + "b"', "if(changed(), 1, 2)", "-level()"),
        *("name() == 5", "alertDuration() > 5", '"x" == 5', "5 > name() OR TRUE"),
        *("TRUE OR 5", "changed() AND 'x'", "!name()", "abs(name()) > 1.0"),
        *("nope()", "nope() == 1", "TRUE AND changed", 'hour("x") > 5'),
        *("strLength(name() == 5) > 1", "changed(1)", "lambda: TRUE", "TRUE TRUE"),
    ],
)
def test_a_match_that_is_not_boolean_is_refused(api: Any, expression: str) -> None:
    body = {"id": "h", "kind": "log", "options": {"path": "/x"}, "match": expression}
    text = refused(api, body)
    assert "invalid match expression: " in text
    assert "\0" not in text
    assert api.json("GET", HANDLERS)["handlers"] in (None, [])
    body["match"] = "TRUE"
    api.json("POST", HANDLERS, body)
    refused(api, body | {"match": expression}, "PUT", "/h")
    assert api.json("GET", f"{HANDLERS}/h")["match"] == "TRUE"


@pytest.mark.parametrize(
    "expression",
    [
        *("TRUE", "FALSE", "changed()", "!changed()", "level() == CRITICAL"),
        *("alertDuration() > 5m", "name() =~ /cpu/", "\"host\" != 'a'"),
        *('isPresent("x")', "if(changed(), TRUE, FALSE)", 'int("x") > 5'),
        *("strLength(name()) > 3 AND (changed() OR taskName() == 't')", "count() > 1"),
        *('bool("x")', '"name" == name()', "-level() < 0"),
    ],
)
def test_a_match_that_is_boolean_is_taken(expression: str) -> None:
    assert Match.compile(expression).source == expression


def test_the_reason_names_types() -> None:
    for expression, reason in (
        ("5", "expression returned unexpected type int, expected boolean"),
        (
            "abs(name()) > 1.0",
            'Cannot call function "abs" with args (name(): string), available '
            "signatures are [(float)].",
        ),
    ):
        with pytest.raises(Exception, match=r"^invalid match expression: ") as caught:
            Match.compile(expression)
        assert str(caught.value) == f"invalid match expression: {reason}"


def test_a_stored_match_that_is_not_boolean_is_listed(api: Any) -> None:
    spec = {"id": "h", "kind": "log", "options": {"path": "/x"}, "match": "TRUE"}
    api.json("POST", HANDLERS, spec)
    stored = json.dumps(spec | {"topic": "t", "match": "5"}).encode()

    def change() -> None:
        store = Store(Path(api.config.storage.boltdb))
        store.values.put("handler-specs", "t/h", stored)
        store.close()

    api.restart(change)
    [found] = api.json("GET", "/storage/rejected")["rejected"]
    assert "invalid match expression: expression returned" in found["error"]


def test_an_endpoint_that_does_not_exist_is_refused(api: Any) -> None:
    for options in ({"endpoint": "nope"}, {}, {"endpoint": ""}):
        body = {"id": "h", "kind": "post", "options": options}
        assert NO_TARGET in refused(api, body)
    status, text = api.ask(
        "POST", "/tasks", task(endpoint="nope") | {"status": "enabled"}
    )
    assert status == 500
    assert text.endswith(f"failed to create HTTPPostService.Handler: {NO_TARGET}")


def test_an_endpoint_that_exists_or_a_url_is_taken(api: Any) -> None:
    for number, options in enumerate(
        (
            {"endpoint": "known"},
            {"url": "http://h/"},
            {"endpoint": "known", "url": "http://h/"},
            # as in Kapacitor: the URL stands in for the endpoint
            {"endpoint": "nope", "url": "http://h/"},
        )
    ):
        api.json(
            "POST", HANDLERS, {"id": f"h{number}", "kind": "post", "options": options}
        )
    for url, endpoint in (("", "known"), ("http://h/", "nope")):
        api.json("POST", "/tasks", task(url, endpoint) | {"status": "enabled"})
        api.json("DELETE", "/tasks/x")


def test_an_endpoint_that_goes_away_makes_events_wait(api: Any) -> None:
    with LoopbackServer() as server:
        added = {"add": {"endpoint": "late", "url": server.url}}
        api.json("POST", "/config/httppost/", added)
        late = {"id": "h", "kind": "post", "options": {"endpoint": "late"}}
        api.json("POST", HANDLERS, late)
        api.json("POST", "/config/httppost/", {"remove": ["late"]})
        refused(api, late | {"id": "another"})
        # the handler is there, after a restart too
        api.restart()
        assert api.json("GET", f"{HANDLERS}/h")["id"] == "h"
        # sections added by overrides exist before tasks and handlers start
        api.json("POST", "/config/httppost/", added)
        api.json("POST", "/tasks", task(endpoint="late") | {"status": "enabled"})
        api.restart()
        assert api.json("GET", "/tasks/x")["executing"]
        assert api.json("GET", f"{HANDLERS}/h")["id"] == "h"
        assert not api.json("GET", "/storage/rejected").get("rejected")


@pytest.mark.parametrize("name", ["X Y", "", "X:", "é", "X\n"])
def test_a_header_name_that_no_request_has_is_refused(api: Any, name: str) -> None:
    options = {"url": "http://h/", "headers": {name: "v"}}
    text = refused(api, {"id": "h", "kind": "post", "options": options})
    assert "net/http: invalid header field name" in text
    said = {"set": {"headers": {name: "v"}}}
    status, text = api.ask("POST", "/config/httppost/known", said)
    assert (status, "invalid header field name" in text) == (400, True)


CANARY = "5ecret-of-somebody"


@pytest.mark.parametrize(
    "options",
    [
        {"token": [[CANARY]]},
        {"room": [[CANARY]]},
        {"room": {"a": CANARY}},
        {"room": {"a": {"b": [CANARY]}}},
        {"room": [5, CANARY]},
    ],
)
def test_a_value_of_the_wrong_type_is_not_repeated(api: Any, options: Any) -> None:
    text = refused(api, {"id": "h", "kind": "hipchat", "options": options})
    assert "got unconvertible type" in text
    assert CANARY not in text


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://h/", "headers": {"X": [CANARY]}},
        {"url": "http://h/", "headers": [CANARY]},
        {"url": "http://h/", "timeout": CANARY},
        {"url": "http://h/", "capture-response": CANARY},
        {"url": [CANARY]},
    ],
)
def test_nor_is_one_of_a_post(api: Any, options: Any) -> None:
    text = refused(api, {"id": "h", "kind": "post", "options": options})
    assert CANARY not in text


@pytest.mark.parametrize("char", ["\n", "\t", "\0", "\x7f", "\x85"])
def test_a_secret_has_no_control_characters(api: Any, char: str) -> None:
    secret = f"5ecret{char}more"
    options = {"token": secret}
    text = refused(api, {"id": "h", "kind": "hipchat", "options": options})
    assert "error decoding 'token': the secret contains the control character" in text
    status, told = api.ask("POST", "/config/hipchat/", {"set": {"token": secret}})
    assert (status, "cannot set option token: the secret contains" in told) == (
        400,
        True,
    )
    auth = {"basic-auth": {"username": "u", "password": secret}}
    status, more = api.ask("POST", "/config/httppost/known", {"set": auth})
    assert (status, "'password'" in more) == (400, True)
    assert "5ecret" not in text + told + more


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_line_ends_of_secrets_are_dropped(api: Any, end: str) -> None:
    with LoopbackServer() as server:
        said = {"enabled": True, "url": server.url + end, "token": f"5ecret-1{end}"}
        api.json("POST", "/config/hipchat/", {"set": said | {"room": "r"}})
        assert api.json("POST", "/service-tests/hipchat", {})["success"]
        assert server.next().raw_query == "auth_token=5ecret-1"
        body = {"id": "h", "kind": "hipchat", "options": {"token": f"5ecret-2{end}"}}
        api.json("POST", HANDLERS, body)
        [found] = api.server._alerts.handlers.matching("t")
        assert (
            api.server._alerts.handlers.running(found).options.token.reveal()
            == "5ecret-2"
        )


def test_what_kapacitor_shows_for_a_secret_is_none(api: Any) -> None:
    status, text = api.ask("POST", "/config/hipchat/", {"set": {"token": "<redacted>"}})
    assert (status, "<redacted> is a placeholder" in text) == (400, True)
    api.json("POST", "/config/hipchat/", {"set": {"token": "5ecret"}})
    api.json("POST", "/config/hipchat/", {"set": {"token": "<redacted>"}})
    options = api.json("GET", "/config/hipchat/")["options"]
    assert options["token"] is True
    body = {"id": "h", "kind": "hipchat", "options": {"token": "<redacted>"}}
    assert "in place of a secret that is not stored here" in refused(api, body)
    api.json("POST", HANDLERS, body | {"options": {"token": "5ecret"}})
    api.json("PUT", f"{HANDLERS}/h", body)
    [found] = api.server._alerts.handlers.matching("t")
    assert api.server._alerts.handlers.running(found).options.token.reveal() == "5ecret"
