"""Handlers of topics, seen from outside: each kind, `match`, and who may define what."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.testing.loopback import LoopbackServer

ALERT = """\
stream
    |from()
        .measurement('ev')
        .groupBy('host')
    |alert()
        .id('{{ index .Tags "host" }}')
        .details('D')
        .warn(lambda: "v" > 50)
        .crit(lambda: "v" > 90)
        .topic('TOPIC')
"""
EVENT = (
    b'{"id":"a","message":"a is CRITICAL","details":"D","time":"1970-01-01T00:00:06Z",'
    b'"duration":4000000000,"level":"CRITICAL","data":{"series":[{"name":"ev",'
    b'"tags":{"host":"a"},"columns":["time","v"],'
    b'"values":[["1970-01-01T00:00:06Z",96]]}]},"previousLevel":"CRITICAL",'
    b'"recoverable":true}\n'
)


@pytest.fixture(scope="module")
def server(start_shared_kapacitord) -> Any:
    # one after the other, so that what arrives can be compared
    return start_shared_kapacitord("[delivery]\n  concurrency = 1\n")


@pytest.fixture
def topic(server: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A topic named as the test, to which a task of the same name publishes."""
    name = request.node.name.split("[")[0].removeprefix("test_")
    body = {
        "id": name,
        "dbrps": [{"db": name, "rp": "r"}],
        "script": ALERT.replace("TOPIC", name),
        "status": "enabled",
    }
    server.json("POST", "/tasks", body)
    yield name
    for handler in server.json("GET", handlers(name))["handlers"]:
        server.json("DELETE", f"{handlers(name)}/{handler['id']}")
    server.json("DELETE", f"/tasks/{name}")
    server.json("DELETE", f"/alerts/topics/{name}")


def handlers(topic: str) -> str:
    return f"/alerts/topics/{topic}/handlers"


def attach(
    server: Any, topic: str, kind: str, options: object = None, **more: Any
) -> None:
    spec = {"id": f"{kind}-handler", "kind": kind, "options": options, **more}
    server.json("POST", handlers(topic), spec)


def refused(server: Any, topic: str, kind: str, options: object) -> tuple[int, str]:
    path = f"/kapacitor/v1{handlers(topic)}"
    spec = {"id": "refused", "kind": kind, "options": options}
    status, text = server.call("POST", path, spec)
    return status, json.loads(text)["error"]


def write(server: Any, topic: str, *points: str) -> None:
    server.write("\n".join(points), f"db={topic}&rp=r&precision=s")


def critical(server: Any, topic: str) -> None:
    """Make the event that `EVENT` shows, and one before it."""
    write(server, topic, "ev,host=a v=96 2", "ev,host=a v=96 6")


def content(file: Path, lines: int) -> list[bytes]:
    """The lines of a file, once there are so many."""
    found: list[bytes] = []
    deadline = time.monotonic() + 30
    while len(found) < lines and time.monotonic() < deadline:
        time.sleep(0.005)
        with contextlib.suppress(FileNotFoundError):
            found = file.read_bytes().splitlines(keepends=True)
    return found


def test_log(server: Any, topic: str, tmp_path: Path) -> None:
    file = tmp_path / "events"
    attach(server, topic, "log", {"path": str(file), "mode": 0o640})
    critical(server, topic)
    first, second = content(file, 2)
    assert second == EVENT
    assert json.loads(first)["previousLevel"] == "OK"
    assert file.stat().st_mode & 0o777 == 0o640


def test_exec(server: Any, topic: str, tmp_path: Path) -> None:
    file = tmp_path / "events"
    options = {"prog": "/bin/sh", "args": ["-c", f"cat >> {file}"]}
    attach(server, topic, "exec", options)
    critical(server, topic)
    assert content(file, 2)[1] == EVENT


def test_a_failing_program_is_logged(server: Any, topic: str) -> None:
    options = {"prog": "/bin/sh", "args": ["-c", "echo went wrong; exit 3"]}
    attach(server, topic, "exec", options)
    write(server, topic, "ev,host=a v=96 2")
    deadline = time.monotonic() + 30
    while "went wrong" not in server.log and time.monotonic() < deadline:
        server.process_wait(0.005)
    assert "exec command failed" in server.log
    assert "went wrong" in server.log


def test_tcp(server: Any, topic: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        attach(server, topic, "tcp", {"address": address})
        critical(server, topic)
        received = []
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(10)
                with connection.makefile("rb") as stream:
                    received.append(stream.read())
    assert received[1] == EVENT + b"\n"


def test_post(server: Any, topic: str, sink: LoopbackServer) -> None:
    options = {"url": f"{sink.url}/hook?a=b", "headers": {"X-Key": "k"}}
    attach(server, topic, "post", options)
    critical(server, topic)
    sink.next(10)
    request = sink.next(10)
    assert (request.method, request.path, request.raw_query) == ("POST", "/hook", "a=b")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Key"] == "k"
    assert json.loads(request.body) == json.loads(EVENT)


def test_post_to_an_endpoint(start_kapacitord, sink: LoopbackServer) -> None:
    server = start_kapacitord(f"""\
[[httppost]]
  endpoint = "e"
  url = "{sink.url}/{{{{ .ID }}}}"
  alert-template = "{{{{ .Message }}}} was {{{{ .PreviousLevel }}}}"
  headers = {{ A = "configured", B = "configured" }}
  basic-auth = {{ username = "u", password = "p" }}
""")
    body = {
        "id": "t",
        "dbrps": [{"db": "t", "rp": "r"}],
        "script": ALERT.replace(
            ".topic('TOPIC')", ".post().endpoint('e').header('B', 'x')"
        ),
        "status": "enabled",
    }
    server.json("POST", "/tasks", body)
    write(server, "t", "ev,host=a v=96 2")
    request = sink.next(10)
    assert (request.path, request.text) == ("/a", "a is CRITICAL was OK")
    assert (request.headers["A"], request.headers["B"]) == ("configured", "x")
    credentials = base64.b64encode(b"u:p").decode()
    assert request.headers["Authorization"] == f"Basic {credentials}"
    options = server.json("GET", "/config/httppost/e")["options"]
    assert options["basic-auth"] is True


def test_publish(server: Any, topic: str, sink: LoopbackServer) -> None:
    others = [f"{topic}-1", f"{topic}-2"]
    for other in others:
        attach(server, other, "post", {"url": f"{sink.url}/{other}"})
    attach(server, topic, "publish", {"topics": others})
    write(server, topic, "ev,host=a v=96 2")
    assert {sink.next(10).path for _ in others} == {f"/{other}" for other in others}
    for other in others:
        event = server.json("GET", f"/alerts/topics/{other}/events/a")
        assert event["state"]["level"] == "CRITICAL"
    # in each topic the previous level is its own
    write(server, others[0], "ignored v=1 1")
    write(server, topic, "ev,host=a v=1 3")
    assert {json.loads(sink.next(10).body)["previousLevel"] for _ in others} == {
        "CRITICAL"
    }


def test_aggregate(server: Any, topic: str, sink: LoopbackServer) -> None:
    target = f"{topic}-target"
    attach(server, target, "post", {"url": sink.url})
    options = {"interval": 200_000_000, "topic": target, "id": "sum"}
    attach(server, topic, "aggregate", options)
    write(server, topic, "ev,host=a v=96 2", "ev,host=b v=60 3")
    event = json.loads(sink.next(10).body)
    assert event["id"] == "sum"
    assert event["level"] == "CRITICAL"
    assert event["message"] == "Received 2 events in the last 200ms."
    assert set(event["details"].split("\n")) == {"a is CRITICAL", "b is WARNING"}
    assert event["time"] == "1970-01-01T00:00:03Z"
    assert event["recoverable"] is False
    assert len(event["data"]["series"]) == 2


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("log", {"path": "rel"}, "log path must be absolute: rel is not absolute"),
        (
            "post",
            {},
            "An appropriately formatted url must be specified if an endpoint is not "
            "specified",
        ),
        (
            "publish",
            {"topics": "a"},
            "failed to decode options into *alert.PublishHandlerConfig: 1 error(s) "
            "decoding:\n\n* 'topics': source data must be an array or slice, got "
            "string",
        ),
        (
            "exec",
            {"prog": "x", "args": ["a", 5]},
            "failed to decode options into *alert.ExecHandlerConfig: 1 error(s) "
            "decoding:\n\n* 'args[1]' expected type 'string', got unconvertible type "
            "'float64', value: '5'",
        ),
        (
            "tcp",
            {"addres": "x"},
            "failed to decode options into *alert.TCPHandlerConfig: 1 error(s) "
            "decoding:\n\n* '' has invalid keys: addres",
        ),
        (
            "aggregate",
            {"interval": 1_000_000_000, "topic": "q", "message": "{{ .Foo }}"},
            "failed to evaluate message template with aggregate message data: "
            'template: message:1:3: executing "message" at <.Foo>: can\'t evaluate '
            "field Foo in type alert.aggregateMessageData",
        ),
    ],
)
def test_options_that_are_refused(
    server: Any, kind: str, options: object, text: str
) -> None:
    found = refused(server, "refusals", kind, options)
    assert found == (500, f"failed to create handler: {text}")


def test_an_aggregate_needs_an_interval(server: Any) -> None:
    # Kapacitor ends at once
    for options in ({"topic": "q"}, {"topic": "q", "interval": 0}):
        status, text = refused(server, "refusals", "aggregate", options)
        assert status >= 400
        assert "interval" in text


@pytest.mark.parametrize(
    ("match", "told"),
    [
        ("", ["a WARNING", "a CRITICAL", "b WARNING", "a OK"]),
        ("level() == CRITICAL", ["a CRITICAL"]),
        ("level() >= WARNING", ["a WARNING", "a CRITICAL", "b WARNING"]),
        ("changed()", ["a WARNING", "a CRITICAL", "b WARNING", "a OK"]),
        ("changed() AND level() == OK", ["a OK"]),
        ("\"host\" == 'b'", ["b WARNING"]),
        ('"host" =~ /^a/', ["a WARNING", "a CRITICAL", "a OK"]),
        ("name() == 'ev'", ["a WARNING", "a CRITICAL", "b WARNING", "a OK"]),
        ("taskName() == 'nope'", []),
        ("alertDuration() > 0s", ["a CRITICAL", "a OK"]),
        ("\"nope\" == 'x' OR TRUE", []),
    ],
)
def test_match(
    server: Any, topic: str, sink: LoopbackServer, match: str, told: list[str]
) -> None:
    attach(server, topic, "post", {"url": sink.url}, match=match)
    attach(server, topic, "tcp", {"address": "127.0.0.1:1"}, match="FALSE")
    # the last handler that hears of everything says when all is done
    spec = {"id": "z", "kind": "post", "options": {"url": f"{sink.url}/all"}}
    server.json("POST", handlers(topic), spec)
    write(
        server,
        topic,
        "ev,host=a v=60 1",
        "ev,host=a v=95 3",
        "ev,host=b v=60 4",
        "ev,host=a v=1 5",
    )
    requests = [sink.next(10) for _ in range(4 + len(told))]
    found = [
        f"{event['id']} {event['level']}"
        for event in (json.loads(each.body) for each in requests if each.path == "/")
    ]
    assert found == told


def test_match_looks_at_what_changed(
    server: Any, topic: str, sink: LoopbackServer
) -> None:
    attach(server, topic, "post", {"url": sink.url}, match="changed() == TRUE")
    write(
        server,
        topic,
        *(f"ev,host=a v={v} {i}" for i, v in enumerate((60, 60, 95, 95, 1))),
    )
    levels = [json.loads(sink.next(10).body)["level"] for _ in range(3)]
    assert levels == ["WARNING", "CRITICAL", "OK"]


def test_a_handler_that_fails_holds_up_no_other(
    server: Any, topic: str, sink: LoopbackServer
) -> None:
    with LoopbackServer(status=500) as broken:
        attach(server, topic, "hipchat")
        attach(server, topic, "post", {"url": broken.url})
        spec = {"id": "good", "kind": "post", "options": {"url": sink.url}}
        server.json("POST", handlers(topic), spec)
        critical(server, topic)
        assert [json.loads(sink.next(10).body)["id"] for _ in range(2)] == ["a", "a"]
        broken.next(10)


def test_handlers_and_states_outlive_the_server(
    start_kapacitord, sink: LoopbackServer
) -> None:
    server = start_kapacitord()
    body = {
        "id": "t",
        "dbrps": [{"db": "t", "rp": "r"}],
        "script": ALERT.replace("TOPIC", "t"),
        "status": "enabled",
    }
    server.json("POST", "/tasks", body)
    attach(server, "t", "post", {"url": sink.url})
    write(server, "t", "ev,host=a v=96 1", "ev,host=b v=96 1", "ev,host=b v=1 2")
    for _ in range(3):
        sink.next(10)
    server.stop()
    server.start()
    # events that were OK are forgotten, and counting starts again
    topic = server.json("GET", "/alerts/topics/t")
    assert (topic["level"], topic["collected"]) == ("CRITICAL", 0)
    events = server.json("GET", "/alerts/topics/t/events")["events"]
    assert {event["id"]: event["state"]["level"] for event in events} == {
        "a": "CRITICAL",
        "b": "OK",
    }
    write(server, "t", "ev,host=a v=1 9")
    event = json.loads(sink.next(10).body)
    assert (event["level"], event["previousLevel"]) == ("OK", "CRITICAL")
    assert event["duration"] == 8_000_000_000
