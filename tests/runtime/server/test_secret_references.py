"""Secrets from a file or the environment, wherever secrets are allowed."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import ConfigError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.secrets.references import Reference, read
from runtime.server.config.config import Config
from runtime.server.config.file import decode
from runtime.server.config.text import dump
from runtime.services.hipchat.config import Config as HipChatConfig
from runtime.services.httppost.config import Config as EndpointConfig
from runtime.testing.loopback import LoopbackServer

HANDLERS = "/alerts/topics/t/handlers"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """A file with a secret."""
    path = tmp_path / "token"
    path.write_text("5ecret-in-a-file\n")
    return path


@pytest.fixture
def hipchat(config: Config, start_api: Any) -> Any:
    """Starts a server that posts to a HipChat that listens."""
    with LoopbackServer() as server:

        def start(*sections: str) -> tuple[Any, LoopbackServer]:
            room = HipChatConfig(True, server.url, room="r")
            endpoint = EndpointConfig("e", server.url)
            config.handlers = INTEGRATIONS.tables(hipchat=room, httppost=(endpoint,))
            return start_api(config), server

        yield start


def sent(api: Any, server: LoopbackServer) -> str:
    """The token that the service test sends."""
    tested = api.json("POST", "/service-tests/hipchat", {})
    assert tested["success"], tested
    return str(server.next().raw_query)


def test_a_configuration_file_may_say_where_a_secret_stands(
    token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", "5ecret-in-a-variable")
    text = f"""\
[hipchat]
  token = {{ file = "{token}" }}
[http]
  shared-secret = {{ env = "A_TOKEN" }}
"""
    config = decode(text, INTEGRATIONS).config
    assert config.handlers["hipchat"].token.reveal() == "5ecret-in-a-file"
    assert config.http.shared_secret.reveal() == "5ecret-in-a-variable"
    # the output is a valid file
    assert "5ecret" not in dump(config)
    assert decode(dump(config), INTEGRATIONS).config == config


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ('{ file = "/nowhere/x" }', "the file /nowhere/x for a secret cannot be read"),
        ('{ env = "NOT_THERE" }', "the variable NOT_THERE for a secret is not set"),
        ('{ fiel = "/x" }', "TOML value has type map[string]interface {}"),
    ],
)
def test_what_a_file_refers_to_must_be_there(said: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(f"[hipchat]\n  token = {said}\n", INTEGRATIONS)
    assert 'toml: line 2 (last key "hipchat.token"' in str(caught.value)
    assert text in str(caught.value)


def test_only_text_of_regular_files_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "bytes").write_bytes(b"5ecret\xff")
    (tmp_path / "large").write_bytes(b"5ecret" * 20_000)
    (tmp_path / "empty").write_bytes(b"\n")
    for name, problem in (
        ("pipe", "is not a regular file"),
        ("bytes", "is not UTF-8 text"),
        ("large", "has more than 65536 bytes"),
        ("empty", "is empty"),
        ("", "is not a regular file"),
    ):
        with pytest.raises(ConfigError) as caught:
            read(Reference("file", f"{tmp_path}/{name}"))
        assert str(caught.value) == f"the file {tmp_path}/{name} for a secret {problem}"
    with pytest.raises(ConfigError, match="absolute"):
        read(Reference("file", "token"))


def test_an_update_may_say_where_a_secret_stands(hipchat: Any, token: Path) -> None:
    api, server = hipchat()
    said = {"token": {"file": str(token)}}
    api.json("POST", "/config/hipchat/", {"set": said})
    shown = api.json("GET", "/config/hipchat/")["options"]
    assert shown["token"] is True
    assert sent(api, server) == "auth_token=5ecret-in-a-file"
    # sending the shown value back changes nothing
    api.json("POST", "/config/hipchat/", {"set": shown})
    token.write_text("another-secret")
    api.json("POST", "/config/hipchat/", {"set": {"global": True}})
    assert sent(api, server) == "auth_token=another-secret"
    api.restart()
    assert sent(api, server) == "auth_token=another-secret"
    # it is not read again for what is shown, or for other tables
    token.unlink()
    assert api.json("GET", "/config/hipchat/")["options"]["token"] is True
    api.json("POST", "/config/httppost/e", {"set": {"url": "http://h/"}})
    assert api.ask("POST", "/config/hipchat/", {"set": {"room": "x"}})[0] == 400
    assert sent(api, server) == "auth_token=another-secret"


def test_a_nested_secret_may_stand_elsewhere(hipchat: Any, token: Path) -> None:
    api, _ = hipchat()
    auth = {"username": "u", "password": {"file": str(token)}}
    api.json("POST", "/config/httppost/e", {"set": {"basic-auth": auth}})
    api.json("POST", "/config/httppost/e", {"set": {"basic-auth": {"username": "v"}}})
    assert api.json("GET", "/config/httppost/e")["options"]["basic-auth"] is True


@pytest.mark.parametrize("kind", ["file", "env"])
def test_an_update_whose_secret_is_missing_changes_nothing(
    hipchat: Any, kind: str
) -> None:
    api, _ = hipchat()
    before = api.json("GET", "/config")
    said = {"token": {kind: "/not-there"}, "room": "x"}
    status, text = api.ask("POST", "/config/hipchat/", {"set": said})
    assert status == 400
    assert text.startswith(
        "failed to override configuration hipchat/: cannot set option token: the "
    )
    assert "/not-there for a secret" in text
    assert api.json("GET", "/config") == before


def test_a_handler_may_say_where_its_secret_stands(hipchat: Any, token: Path) -> None:
    api, _ = hipchat()
    options = {"room": "r", "token": {"file": str(token)}}
    body = {"id": "h", "kind": "hipchat", "options": options}
    shown = api.json("POST", HANDLERS, body)["options"]
    assert shown == {"room": "r", "token": "***"}
    body["options"] = {**shown, "room": "s"}
    api.json("PUT", f"{HANDLERS}/h", body)
    api.restart()
    handler = api.server._alerts.handlers.running(
        api.server._alerts.handlers.get("t", "h")
    )
    assert handler.options.token.reveal() == "5ecret-in-a-file"
    assert handler.options.room == "s"
    body["options"] = {"token": {"env": "NOT_THERE"}}
    status, text = api.ask("PUT", f"{HANDLERS}/h", body)
    assert status == 500
    assert "'token': the variable NOT_THERE for a secret is not set" in text


def test_strangers_let_no_file_be_read(
    config: Config, start_api: Any, token: Path, tmp_path: Path
) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "link").symlink_to(token)
    (allowed / "token").write_text("x")
    config.http = dataclasses.replace(config.http, bind_address="0.0.0.0:0")
    config.alert = dataclasses.replace(
        config.alert, allowed_secret_files=(str(allowed),)
    )
    api = start_api(config)
    for said in (
        {"file": str(token)},
        {"file": str(allowed / "link")},
        {"file": f"{allowed}/../token"},
        {"env": "HOME"},
    ):
        body = {"id": "h", "kind": "hipchat", "options": {"token": said}}
        status, text = api.ask("POST", HANDLERS, body)
        assert (status, "secrets may not be read from" in text) == (403, True)
        status, text = api.ask("POST", "/config/hipchat/", {"set": {"token": said}})
        assert (status, "secrets may not be read from" in text) == (403, True)
        said = {"endpoint": "e", "url": "http://h", "basic-auth": {"password": said}}
        assert api.ask("POST", "/config/httppost", {"add": said})[0] == 403
    body = {"token": {"file": str(allowed / "token")}}
    api.json("POST", "/config/hipchat/", {"set": body})
    assert json.loads(api.ask("GET", "/config/hipchat/")[1])["options"]["token"] is True


def test_a_handler_is_asked_again_where_its_secret_is(
    config, start_api, tmp_path, caplog
):
    token = tmp_path / "token"
    token.write_text("x")
    config.http = dataclasses.replace(config.http, bind_address="0.0.0.0:0")
    config.alert = dataclasses.replace(config.alert, allowed_secret_files=(str(token),))
    api = start_api(config)
    options = {"token": {"file": str(token)}}
    body = {"id": "h", "kind": "hipchat", "options": options}
    assert api.ask("POST", HANDLERS, body)[0] == 200
    api.restart()
    assert "handler is no longer allowed" not in caplog.text
    config.alert = dataclasses.replace(config.alert, allowed_secret_files=())
    api.restart()
    assert "handler is no longer allowed" in caplog.text
