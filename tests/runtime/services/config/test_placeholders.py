"""Sending the placeholder of a secret back leaves the secret unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.secrets import Secret
from runtime.services.hipchat.config import Config as HipChatConfig
from runtime.services.httppost.config import BasicAuth, Config

URL = "http://user:5ecret@h/{{ .ID }}?token=5ecret&level={{ .Level }}"
SHOWN = "http://***@h/{{ .ID }}?token=***&level={{ .Level }}"
PATH = "/config/httppost/e"


@pytest.fixture
def api(config: Any, start_api: Any) -> Any:
    """A server with an endpoint and a HipChat room, both with secrets."""
    endpoint = Config(
        "e",
        URL,
        headers={
            "Authorization": "Bearer 5ecret",
            "X-Callback-URL": "https://user:5ecret@h/x",
            "X-Team": "ops",
        },
        basic_auth=BasicAuth("user", Secret("5ecret")),
    )
    hipchat = HipChatConfig(url="http://h/v2/room", token=Secret("5ecret-token"))
    config.handlers = INTEGRATIONS.tables(httppost=(endpoint,), hipchat=hipchat)
    return start_api(config)


def in_force(api: Any, section: str = "httppost") -> Any:
    """A section's first element as its service has it."""
    service = api.server._overrides
    return service._resolved(section, service._overrides)[0]


def test_an_endpoint_shows_no_secret(api: Any) -> None:
    options = api.json("GET", PATH)["options"]
    assert options["url"] == SHOWN
    assert options["headers"] == {
        "Authorization": "***",
        "X-Callback-URL": "https://***@h/x",
        "X-Team": "ops",
    }
    assert options["basic-auth"] is True
    assert "5ecret" not in api.ask("GET", "/config")[1]


@pytest.mark.parametrize("section", ["httppost/e", "hipchat/"])
def test_what_is_shown_may_be_set(api: Any, section: str) -> None:
    name = section.partition("/")[0]
    before = in_force(api, name)
    options = api.json("GET", f"/config/{section}")["options"]
    # the name of an element cannot be set
    options.pop("endpoint", None)
    said = {key: value for key, value in options.items() if value is not None}
    for _ in range(2):
        api.json("POST", f"/config/{section}", {"set": said})
        assert in_force(api, name) == before
    api.restart()
    assert in_force(api, name) == before


def test_a_secret_of_an_earlier_update_stays(api: Any) -> None:
    new = "http://user:n3w@h/?a=b"
    auth = {"username": "u", "password": "n3w"}
    said = {"url": new, "headers": {"X-Key": "n3w"}, "basic-auth": auth}
    api.json("POST", PATH, {"set": said})
    options = api.json("GET", PATH)["options"]
    assert "n3w" not in json.dumps(options)
    api.json("POST", PATH, {"set": {"url": "http://***@h/?a=***"}})
    api.json("POST", PATH, {"set": {"headers": {"X-Key": "***", "X-B": "c"}}})
    api.json("POST", PATH, {"set": {"basic-auth": {"username": "v"}}})
    found = in_force(api)
    assert found.url == new
    assert found.headers == {"X-Key": "n3w", "X-B": "c"}
    assert found.basic_auth == BasicAuth("v", Secret("n3w"))
    api.json("POST", PATH, {"set": {"url": "http://other/?a=n3w"}})
    assert in_force(api).url == "http://other/?a=n3w"


@pytest.mark.parametrize(
    ("path", "said", "text"),
    [
        (
            "httppost/e",
            {"url": "http://***@other/"},
            "option url: *** hides a part of the stored URL, which is another one",
        ),
        (
            "httppost/e",
            {"headers": {"X-Token": "***"}},
            "option headers: *** is a placeholder for a secret that is not stored: "
            "X-Token",
        ),
        (
            "httppost/e",
            {"headers": {"X-Callback-URL": "https://***@other/x"}},
            "option headers: *** is a placeholder for a secret that is not stored: "
            "X-Callback-URL",
        ),
        (
            "hipchat/",
            {"token": False},
            "option token: wrong kind bool, expected value of kind string: false",
        ),
    ],
)
def test_what_hides_nothing_known_is_refused(
    api: Any, path: str, said: Any, text: str
) -> None:
    before = in_force(api), in_force(api, "hipchat")
    status, told = api.ask("POST", f"/config/{path}", {"set": said})
    assert (status, told) == (
        400,
        f"failed to override configuration {path}: cannot set {text}",
    )
    assert (in_force(api), in_force(api, "hipchat")) == before


@pytest.mark.parametrize(
    "url", ["ht!tp://user:5ecret@h", "http://h:5ecret-5ecret/", "http://5ecret@[h"]
)
def test_a_refused_url_is_not_told(api: Any, url: str) -> None:
    for path in (PATH, "/config/hipchat/"):
        status, told = api.ask("POST", path, {"set": {"url": url}})
        assert status == 400
        assert "5ecret" not in told


def test_a_new_element_has_nothing_to_hide(api: Any) -> None:
    said = {"endpoint": "f", "url": "http://***@h/"}
    assert api.ask("POST", "/config/httppost", {"add": said})[0] == 400
    api.json("POST", "/config/hipchat/", {"set": {"token": ""}})
    said = {"token": "***"}
    assert api.ask("POST", "/config/hipchat/", {"set": said}) == (
        400,
        "failed to override configuration hipchat/: cannot set option token: "
        "*** is a placeholder, but no secret is stored",
    )
