"""Options of handlers over HTTP: errors, and redacted values."""

from __future__ import annotations

import json
from typing import Any

import pytest

HANDLERS = "/alerts/topics/t/handlers"
URL = "http://user:5ecret@h/{{ .ID }}?token=5ecret"
SHOWN = "http://***@h/{{ .ID }}?token=***"
UNKNOWN = (
    "option {} has *** in place of a secret that is not stored here: "
    "write the secret or, better, move it to the configuration"
)


def define(api: Any, kind: str, options: Any, id: str = "h") -> tuple[int, str]:
    body = {"id": id, "kind": kind, "options": options}
    found: tuple[int, str] = api.ask("POST", HANDLERS, body)
    return found


def stored(api: Any) -> Any:
    return api.server._alerts.handlers.get("t", "h").options


# Kapacitor answers what is wrong in options with 500
@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"5ecre": "5ecret"}, "has invalid keys: 5ecre"),
        ({"token": {"value": "5ecret"}}, "'token' expected type 'string'"),
        ({"token": ["5ecret"]}, "'token' expected type 'string'"),
        ({"room": {"token": "5ecret"}}, "value: 'map[token:***]'"),
        ({"room": ["x" * 1_000_000]}, "value: '[***]'"),
        ({"room": ["x"] * 1_000}, f"value: '[{'x ' * 99}x…'"),
        ({"x" * 1_000_000: 1}, f"has invalid keys: {'x' * 200}…"),
        ([1], "cannot unmarshal array into Go struct field HandlerSpec.options"),
    ],
)
def test_wrong_options_are_named_and_not_repeated(
    api: Any, options: Any, named: str
) -> None:
    status, text = define(api, "hipchat", options)
    assert status in (400, 500)
    assert named in text
    assert "5ecret" not in text
    assert len(text) < 1000
    assert api.json("GET", HANDLERS)["handlers"] == []


def test_a_null_leaves_an_option_as_it_is(api: Any) -> None:
    assert define(api, "hipchat", {"room": None, "token": None})[0] == 200


def test_a_wrong_url_is_not_repeated(api: Any) -> None:
    for url in ([URL], {"a": URL}, f"{URL}{{{{ nope }}}}"):
        status, text = define(api, "post", {"url": url})
        assert (status, "5ecret" in text) == (500, False)


def test_what_is_shown_of_an_endpoint_may_be_sent_back(api: Any) -> None:
    options = {"url": URL, "headers": {"X-Token": "5ecret", "X-Team": "ops"}}
    shown = json.loads(define(api, "post", options)[1])["options"]
    assert shown == {"url": SHOWN, "headers": {"X-Token": "***", "X-Team": "ops"}}
    assert "5ecret" not in api.ask("GET", HANDLERS)[1]
    body = {"id": "h", "kind": "post", "options": shown}
    for _ in range(2):
        assert api.json("PUT", f"{HANDLERS}/h", body)["options"] == shown
        assert stored(api) == options
    change = [{"op": "add", "path": "/options/headers/X-B", "value": "c"}]
    api.json("PATCH", f"{HANDLERS}/h", change)
    assert stored(api)["url"] == URL
    changed = {**body, "options": {"url": "http://other/?token=new"}}
    api.json("PUT", f"{HANDLERS}/h", changed)
    assert stored(api) == {"url": "http://other/?token=new"}


@pytest.mark.parametrize(
    ("kind", "options", "name"),
    [
        ("hipchat", {"token": "***"}, "token"),
        ("post", {"url": "http://***@h/"}, "url"),
        ("post", {"url": "http://h/", "headers": {"Cookie": "***"}}, "headers.Cookie"),
    ],
)
def test_what_hides_nothing_known_is_refused(
    api: Any, kind: str, options: Any, name: str
) -> None:
    expected = (400, f"failed to create handler: {UNKNOWN.format(name)}")
    assert define(api, kind, options) == expected
    assert define(api, "log", {"path": "/tmp/x"})[0] == 200
    body = {"id": "h", "kind": kind, "options": options}
    expected = (400, f"failed to update handler: {UNKNOWN.format(name)}")
    assert api.ask("PUT", f"{HANDLERS}/h", body) == expected
    assert stored(api) == {"path": "/tmp/x"}
