"""Databases of former versions, opened by today's server."""

from __future__ import annotations

import base64
import json
import lzma
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.testing.loopback import LoopbackServer

DATABASES = Path(__file__).parents[1] / "store/databases"
# of alarms, alerts of the script, and memory; the rest is of the flood
PENDING = {"alarms/chat": 3, "alarms/foo": 6, "copies/post": 6, "flood/foo": 7}
PENDING |= {"main:cpu:alert2/hipchat": 6, "memory/chat": 1}
CPU = ["ok is CRITICAL", "crit is CRITICAL", "crit is CRITICAL", "ok is OK"]
CPU += ["info is INFO", "warn is WARNING"]
LEVELS = {"ok": "OK", "info": "INFO", "warn": "WARNING", "crit": "CRITICAL"}
CRITICAL = "level() == CRITICAL"

whole = pytest.mark.parametrize("name", ["stopped", "killed"])


@pytest.fixture
def open_old(
    start_kapacitord: Callable[..., Any], tmp_path: Path, sink: LoopbackServer
) -> Callable[..., Any]:
    """Starts a server on a copy of an old database."""

    def start(name: str, http: str = "") -> Any:
        data = tmp_path / "data"
        for packed in (DATABASES / name).rglob("*.*"):
            path = data / packed.relative_to(DATABASES / name)
            path.parent.mkdir(parents=True, exist_ok=True)
            content = packed.read_bytes()
            if path.suffix == ".xz":
                path, content = path.with_suffix(""), lzma.decompress(content)
            path.write_bytes(content)
            path.chmod(0o600)
        return start_kapacitord(file=configuration(data, sink.url, http))

    return start


def configuration(data: Path, url: str, http: str) -> str:
    # nothing of the database is too old, whenever the test runs
    return f"""\
data_dir = "{data}"
[http]
  bind-address = ":9092"
  {http}
[storage]
  boltdb = "{data}/kapacitor.db"
[replay]
  dir = "{data}/replay"
[auth]
  enabled = true
  bcrypt-cost = 4
[alert]
  retention = "876000h"
[delivery]
  max-age = "876000h"
  retention = "876000h"
[foo]
  enabled = true
  url = "{url}/foo"
[hipchat]
  enabled = true
  url = "{url}/room"
  token = "configured"
  room = "configured"
[[httppost]]
  endpoint = "down"
  url = "{url}/post/down"
[[httppost]]
  endpoint = "rejects"
  url = "{url}/post/rejects"
"""


def deliveries(server: Any, state: str) -> list[dict[str, Any]]:
    path = f"/deliveries?state={state}&limit=1000"
    found: list[dict[str, Any]] = server.json("GET", path)["deliveries"]
    return found


def addresses(found: list[dict[str, Any]]) -> Counter[str]:
    return Counter(f"{each['topic']}/{each['handler']}" for each in found)


def handlers(server: Any, topic: str) -> dict[str, tuple[str, Any, str]]:
    found = server.json("GET", f"/alerts/topics/{topic}/handlers")["handlers"]
    return {
        each["id"]: (each["kind"], each["options"], each["match"]) for each in found
    }


def tasks(server: Any) -> dict[str, tuple[str, bool, str]]:
    found = server.json("GET", "/tasks")["tasks"]
    keys = ("status", "executing", "error")
    return {each["id"]: tuple(each[key] for key in keys) for each in found}


def sent(sink: LoopbackServer, count: int) -> list[tuple[str, str, str]]:
    """Return the places, secrets and texts of the next messages."""
    found = []
    for _ in range(count):
        request = sink.next(20)
        body = request.json
        secret = request.query.get("auth_token", "")
        secret = secret or request.headers.get("Authorization", "")
        place = f"{request.path} {body.get('room', '')}".rstrip()
        found.append((place, secret, body["message"]))
    return found


def until(ask: Callable[[], Any], wanted: Any) -> None:
    deadline = time.monotonic() + 20
    while (found := ask()) != wanted:
        assert time.monotonic() < deadline, found
        # a server in another process can only be asked again
        time.sleep(0.02)


def check_secrets(server: Any, data: Path, *paths: str) -> None:
    """Check that neither answers nor files nor the log contain a secret."""
    for path in ("/tasks", "/templates", "/config", "/users", "/deliveries", *paths):
        status, text = server.call("GET", f"/kapacitor/v1{path}")
        assert status == 200
        assert "secret-" not in text
    assert server.stop() == 0
    assert "secret-" not in server.log
    for file in data.rglob("*"):
        assert file.is_dir() or b"secret-" not in file.read_bytes(), file


@whole
def test_everything_is_listed_after_each_start(
    open_old: Callable[..., Any], sink: LoopbackServer, tmp_path: Path, name: str
) -> None:
    sink.status = 503
    server = open_old(name)
    for _ in range(2):
        check_definitions(server)
        check_states(server)
        server.stop()
        server.start()
    topics = ("alarms", "copies", "memory", "quiet")
    paths = [f"/alerts/topics/{topic}/handlers" for topic in topics]
    check_secrets(server, tmp_path / "data", *paths)


def check_definitions(server: Any) -> None:
    assert server.json("GET", "/storage/rejected")["rejected"] == []
    running = ("enabled", True, "")
    stopped = ("disabled", False, "")
    assert tasks(server) == {
        **dict.fromkeys(("cpu", "flood", "mem_90"), running),
        "off": stopped,
    }
    script = server.json("GET", "/tasks/cpu")["script"]
    assert script.endswith(".room('script')\n        .token('***')\n")
    task = server.json("GET", "/tasks/mem_90")
    assert task["template-id"] == "mem"
    assert task["vars"]["limit"]["value"] == 90
    [template] = server.json("GET", "/templates")["templates"]
    assert (template["id"], template["error"]) == ("mem", "")
    assert template["script"] == task["script"]
    assert handlers(server, "alarms") == {
        "chat": ("hipchat", {"room": "r", "token": "***"}, CRITICAL),
        "copies": ("publish", {"topics": ["copies"]}, ""),
        "foo": ("foo", {"room": "ops"}, ""),
        "gather": (
            "aggregate",
            {
                "id": "sum",
                "interval": 3600 * 10**9,
                "message": "{{ .Count }} events",
                "topic": "sums",
            },
            "",
        ),
        "rejects": ("post", {"endpoint": "rejects"}, CRITICAL),
    }
    post = {"endpoint": "down", "headers": {"Authorization": "***"}}
    assert handlers(server, "copies") == {"post": ("post", post, "")}
    assert handlers(server, "flood") == {"foo": ("foo", {"room": "flood"}, "")}
    assert handlers(server, "memory") == {"chat": ("hipchat", {}, "")}
    assert handlers(server, "quiet") == {
        "foo": ("foo", {}, ""),
        "tcp": ("tcp", {"address": "127.0.0.1:9"}, ""),
    }
    assert handlers(server, "sums") == {"foo": ("foo", {"room": "sums"}, "")}
    options = server.json("GET", "/config/hipchat/")["options"]
    assert (options["room"], options["token"]) == ("over", True)
    users = server.json("GET", "/users")["users"]
    assert [(each["name"], each["type"], each["permissions"]) for each in users] == [
        ("ann", "normal", ["api", "write_points"]),
        ("root", "admin", []),
    ]


def check_states(server: Any) -> None:
    for topic in ("alarms", "copies", "main:cpu:alert2"):
        assert server.levels(topic) == LEVELS
    assert server.levels("memory") == {"mem a": "CRITICAL"}
    assert server.levels("flood") == {f"h{n}": "CRITICAL" for n in range(12)}
    assert addresses(deliveries(server, "pending")) == PENDING
    assert addresses(deliveries(server, "dead")) == {"alarms/rejects": 3}
    # the summary and the six events that it replaced are cancelled like the others
    cancelled = deliveries(server, "cancelled")
    assert addresses(cancelled) == {"flood/gone": 13, "memory/gone": 1}
    assert all(each["error"].startswith("the handler was del") for each in cancelled)
    for path, name in (("recordings", "rec"), ("replays", "rep")):
        [found] = server.json("GET", f"/{path}")[path]
        assert (found["id"], found["status"], found["error"]) == (name, "finished", "")


@whole
def test_pending_deliveries_arrive_once(
    open_old: Callable[..., Any], sink: LoopbackServer, name: str
) -> None:
    server = open_old(name)
    found = sent(sink, sum(PENDING.values()))
    [summary] = [each for each in found if " more events " in each[2]]
    assert summary[:2] == ("/foo flood", "")
    assert summary[2].startswith("flood: 6 more events between 20")
    found.remove(summary)
    critical = [text for text in CPU if text.endswith("CRITICAL")]
    flood = [f"h{number} is CRITICAL" for number in range(6)]
    assert Counter(found) == Counter(
        (place, secret, text)
        for place, secret, texts in (
            ("/foo ops", "", CPU),
            ("/foo flood", "", flood),
            ("/room/r/notification", "secret-2", critical),
            ("/room/script/notification", "secret-1", CPU),
            ("/room/over/notification", "secret-4", ["mem a is CRITICAL"]),
            ("/post/down", "Bearer secret-3", CPU),
        )
        for text in texts
    )
    ops = [text for place, _, text in found if place == "/foo ops"]
    assert ops.index("ok is CRITICAL") < ops.index("ok is OK")
    until(lambda: deliveries(server, "pending"), [])
    assert sink.taken() == []


@whole
def test_dead_deliveries_can_be_sent_again(
    open_old: Callable[..., Any], sink: LoopbackServer, name: str
) -> None:
    server = open_old(name)
    sent(sink, sum(PENDING.values()))
    resent = server.json("POST", "/deliveries/resend?state=dead")
    assert resent == {"count": 3}
    assert Counter(sent(sink, 3)) == {
        ("/post/rejects", "", "crit is CRITICAL"): 2,
        ("/post/rejects", "", "ok is CRITICAL"): 1,
    }
    until(lambda: deliveries(server, "dead"), [])


@whole
def test_gathered_events_are_published(
    open_old: Callable[..., Any], sink: LoopbackServer, name: str
) -> None:
    server = open_old(name)
    sent(sink, sum(PENDING.values()))
    # deleting the handler ends the interval
    server.json("DELETE", "/alerts/topics/alarms/handlers/gather")
    assert sent(sink, 1) == [("/foo sums", "", "6 events")]
    assert server.levels("sums") == {"sum": "CRITICAL"}


@whole
def test_tasks_go_on_from_the_stored_levels(
    open_old: Callable[..., Any], sink: LoopbackServer, name: str
) -> None:
    server = open_old(name)
    sent(sink, sum(PENDING.values()))
    server.write("cpu,host=warn v=9")
    requests = {each.path: each for each in (sink.next(20) for _ in range(5))}
    assert set(requests) == {
        "/foo",
        "/post/down",
        "/post/rejects",
        "/room/r/notification",
        "/room/script/notification",
    }
    event = json.loads(requests["/post/down"].body)
    assert (event["level"], event["previousLevel"]) == ("CRITICAL", "WARNING")
    assert event["duration"] > 0


@whole
def test_recordings_can_be_replayed(
    open_old: Callable[..., Any], sink: LoopbackServer, name: str
) -> None:
    sink.status = 503
    server = open_old(name)
    replay = {"id": "again", "task": "cpu", "recording": "rec", "clock": "fast"}
    assert server.call("POST", "/kapacitor/v1/replays", replay)[0] == 201
    path = "/kapacitor/v1/replays/again"
    # 202 while it runs
    until(lambda: server.call("GET", path)[0], 200)
    found = server.json("GET", "/replays/again")
    assert found["status"] == "finished"
    assert found["error"] == ""
    stats = found["stats"]["node-stats"]["alert2"]
    assert (stats["collected"], stats["alerts_triggered"]) == (6, 6)


@whole
def test_users_log_in_with_their_passwords(
    open_old: Callable[..., Any], sink: LoopbackServer, name: str
) -> None:
    sink.status = 503
    server = open_old(name, "auth-enabled = true")

    def status(path: str, user: str) -> int:
        token = base64.b64encode(user.encode()).decode()
        headers = {"Authorization": f"Basic {token}"}
        found: int = server.call("GET", f"/kapacitor/v1{path}", headers=headers)[0]
        return found

    assert status("/tasks", "ann:secret-5") == 200
    assert status("/config", "ann:secret-5") == 403
    assert status("/config", "root:secret-6") == 200
    assert status("/tasks", "ann:secret-6") == 401


def test_the_oldest_version(
    open_old: Callable[..., Any], sink: LoopbackServer, tmp_path: Path
) -> None:
    packed = DATABASES / "oldest/kapacitor.db.xz"
    assert b"secret-1" in lzma.decompress(packed.read_bytes())
    server = open_old("oldest")
    assert server.json("GET", "/storage/rejected")["rejected"] == []
    running = ("enabled", True, "")
    stopped = ("disabled", False, "")
    assert tasks(server) == {"cpu": running, "mem_90": running, "off": stopped}
    options = {"room": "r", "token": "***"}
    assert handlers(server, "alarms") == {
        "chat": ("hipchat", options, CRITICAL),
        "foo": ("foo", {"room": "ops"}, ""),
    }
    assert handlers(server, "memory") == {"chat": ("hipchat", {}, "")}
    assert handlers(server, "quiet") == {"foo": ("foo", {}, "")}
    assert server.json("GET", "/config/hipchat/")["options"]["room"] == "over"
    # that version did not keep the states of alerts that were over
    levels = {id: level for id, level in LEVELS.items() if level != "OK"}
    assert server.levels("alarms") == server.levels("main:cpu:alert2") == levels
    assert server.levels("memory") == {"mem a": "CRITICAL"}
    server.write("cpu,host=new v=9\nmem,host=b v=95")
    assert sorted(sent(sink, 4)) == [
        ("/foo ops", "", "new is CRITICAL"),
        ("/room/over/notification", "secret-4", "mem b is CRITICAL"),
        ("/room/r/notification", "secret-2", "new is CRITICAL"),
        ("/room/script/notification", "secret-1", "new is CRITICAL"),
    ]
    check_secrets(server, tmp_path / "data", "/alerts/topics/alarms/handlers")
