"""The server starts with damaged stored entries, and reports them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from runtime.server.config.sections import AuthConfig
from runtime.store.database import Store

DBRPS = [{"db": "d", "rp": "r"}]
ALERT = "stream|from()|alert().crit(lambda: \"v\" > 5).topic('good')"
HANDLER = "/alerts/topics/bad/handlers/bad"
DEFINED = (
    ("/tasks", {"id": "bad", "dbrps": DBRPS, "script": ALERT, "status": "enabled"}),
    ("/templates", {"id": "bad", "script": ALERT}),
    ("/alerts/topics/bad/handlers", {"id": "bad", "kind": "foo"}),
    ("/config/foo/", {"set": {"room": "overridden"}}),
    ("/users", {"name": "bad", "password": "secret-word"}),
)
KEYS = {
    "tasks": "bad",
    "templates": "bad",
    "handler-specs": "bad/bad",
    "overrides": "foo/",
    "users": "bad",
    "recordings": "bad",
    "replays": "bad",
}
GARBAGE = (b"", b"\xff\x00", b"[]", b"null", b"5", b"{}", b'{"id": 5}', b"[" * 9999)


@pytest.fixture
def damaged(config: Any, start_api: Any) -> Any:
    """A server that restarts on a database that was edited meanwhile."""
    config.auth = AuthConfig(enabled=True, bcrypt_cost=4)
    api = start_api(config)
    good = {"id": "good", "dbrps": DBRPS, "script": ALERT, "status": "enabled"}
    api.json("POST", "/tasks", good)
    for path, body in DEFINED:
        api.json("POST", path, body)

    def start(values: dict[str, bytes]) -> Any:
        def write() -> None:
            store = Store(Path(config.storage.boltdb))
            for bucket, value in values.items():
                store.values.put(bucket, KEYS[bucket], value)
            store.close()

        begun = time.monotonic()
        api.restart(write)
        assert time.monotonic() - begun < 10
        return api

    return start


def rejected(api: Any) -> dict[str, str]:
    found = api.json("GET", "/storage/rejected")["rejected"]
    assert all(each["id"] == KEYS[each["store"]] for each in found)
    return {each["store"]: each["error"] for each in found}


@pytest.mark.parametrize("value", GARBAGE)
def test_garbage_of_every_kind_is_told_and_the_rest_works(
    damaged: Any, caplog: Any, value: bytes
) -> None:
    api = damaged(dict.fromkeys(KEYS, value))
    assert set(rejected(api)) == set(KEYS)
    told = [each for each in caplog.records if "unreadable entry" in each.message]
    assert {each.store for each in told} >= set(KEYS)
    assert all(each.err for each in told)
    api.json("POST", "/write?db=d&rp=r", b"m v=9 1")
    assert api.json("GET", "/alerts/topics/good")["level"] == "CRITICAL"
    assert [each["id"] for each in api.json("GET", "/tasks")["tasks"]] == ["good"]
    assert api.json("GET", "/config/foo/")["options"]["room"] == ""


def test_what_is_defined_anew_is_well_again(damaged: Any) -> None:
    api = damaged(dict.fromkeys(KEYS, b"{}"))
    for path, body in DEFINED:
        api.json("POST", path, body)
    assert set(rejected(api)) == {"recordings", "replays"}
    for bucket in ("recordings", "replays"):
        api.json("DELETE", f"/storage/rejected/{bucket}/bad")
    # nothing else can be dropped in this way
    api.json("DELETE", "/storage/rejected/tasks/good")
    assert rejected(api) == {}
    api.restart()
    assert rejected(api) == {}
    assert api.json("GET", "/tasks/good")["executing"]
    assert api.json("GET", "/config/foo/")["options"]["room"] == "overridden"


def _override(section: str, element: str, **options: Any) -> bytes:
    tree = {"section": section, "element": element, "options": options}
    return json.dumps(tree).encode()


@pytest.mark.parametrize(
    "stored",
    [
        _override("foo", "", nope=1),
        _override("foo", "", enabled=True, url=""),
        _override("foo", "", room=5),
        _override("other", "", room="r"),
        _override("foo", "element", room="r"),
    ],
)
def test_an_override_that_applies_no_more_is_not_in_force(
    damaged: Any, stored: bytes
) -> None:
    api = damaged({"overrides": stored})
    assert set(rejected(api)) == {"overrides"}
    assert api.json("GET", "/config/foo/")["options"]["room"] == ""
    api.json("POST", "/config/foo/", {"set": {"room": "new"}})
    assert api.json("GET", "/config/foo/")["options"]["room"] == "new"
    assert rejected(api) == {}


def test_a_handler_that_cannot_be_made_is_shown_and_can_be_replaced(
    damaged: Any,
) -> None:
    spec = {"id": "bad", "topic": "bad", "kind": "nope", "options": None, "match": ""}
    api = damaged({"handler-specs": json.dumps(spec).encode()})
    assert rejected(api) == {"handler-specs": 'unsupported action kind "nope"'}
    assert api.json("GET", HANDLER)["kind"] == "nope"
    api.json("PUT", HANDLER, {"id": "bad", "kind": "foo"})
    assert rejected(api) == {}


@pytest.mark.parametrize("script", ["", "stream|", "stream|from()|nope()", "\x00"])
def test_a_task_whose_script_is_wrong_says_so_and_can_be_replaced(
    damaged: Any, script: str
) -> None:
    task = {"id": "bad", "script": script, "enabled": True, "dbrps": [], "vars": {}}
    api = damaged({"tasks": json.dumps(task).encode()})
    shown = api.json("GET", "/tasks/bad")
    assert (shown["status"], shown["executing"]) == ("enabled", False)
    assert shown["error"]
    changed = {"script": ALERT, "dbrps": DBRPS}
    api.json("PATCH", "/tasks/bad", changed)
    api.json("PATCH", "/tasks/bad", {"status": "disabled"})
    api.json("PATCH", "/tasks/bad", {"status": "enabled"})
    assert api.json("GET", "/tasks/bad")["executing"]
