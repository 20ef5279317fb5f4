"""The log over HTTP, and the commands that follow it."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

LOGS = "/kapacitor/v1preview/logs"


@pytest.fixture(scope="module")
def shared(start_shared_kapacitord: Any) -> Any:
    """A server whose log level stays the same; each test has its own tasks."""
    return start_shared_kapacitord()


@pytest.fixture
def server(start_kapacitord: Any) -> Any:
    return start_kapacitord()


Follow = Callable[..., http.client.HTTPResponse]


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Opens log sessions of a server."""
    opened: list[http.client.HTTPConnection] = []

    def open(server: Any, query: str = "", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        opened.append(connection)
        connection.request("GET", f"{LOGS}{query}", headers=headers)
        return connection.getresponse()

    yield open
    for connection in opened:
        connection.close()


def until(answer: http.client.HTTPResponse, text: str) -> str:
    """The first line that holds `text`."""
    for line in answer:
        if text in line.decode():
            return line.decode()
    raise AssertionError(f"the log ended without {text}")


def define(server: Any, id: str, script: str) -> None:
    """A running task that reads the database of its name."""
    dbrps = [{"db": id, "rp": "r"}]
    task = {"id": id, "script": script, "dbrps": dbrps, "status": "enabled"}
    server.json("POST", "/tasks", task)


def test_lines_come_as_they_are_written(shared: Any, follow: Follow) -> None:
    answer = follow(shared, "?service=http")
    assert answer.status == 200
    assert answer.getheader("Content-Type") == "application/logfmt"
    assert answer.getheader("Content-Encoding") is None
    shared.call("GET", "/kapacitor/v1/tasks?limit=7")
    line = until(answer, "limit=7")
    assert line.startswith("ts=20")
    assert ' lvl=info msg="http request" service=http ' in line
    assert line.endswith("ms\n")


def test_a_session_begins_by_saying_so(shared: Any, follow: Follow) -> None:
    line = next(iter(follow(shared))).decode()
    assert ' lvl=info msg="created log session" service=sessions id=' in line


def test_lines_are_json_if_exactly_that_is_accepted(
    shared: Any, follow: Follow
) -> None:
    answer = follow(shared, "", Accept="application/json")
    assert answer.getheader("Content-Type") == "application/json"
    line = json.loads(next(iter(answer)))
    assert list(line)[:4] == ["ts", "lvl", "msg", "service"]
    other = follow(shared, "", Accept="application/json, */*")
    assert other.getheader("Content-Type") == "application/logfmt"


FAILING = "stream|from()|eval(lambda: \"no\" + 1).as('x')"


def test_levels_are_equal_or_least(shared: Any, follow: Follow) -> None:
    least, equal = follow(shared, "?lvl=error%2B"), follow(shared, "?lvl=error")
    debug = follow(shared, "?lvl=info")
    shared.call("GET", "/kapacitor/v1/ping")
    assert "lvl=info" in until(debug, "/ping")
    define(shared, "levels", FAILING)
    shared.write("cpu v=1", "db=levels&rp=r")
    for answer in (least, equal):
        assert "lvl=error" in next(iter(answer)).decode()


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("?a=1&a=2", "query params cannot contain duplicate params"),
        ("?lvl=loud", "invalid log level"),
    ],
)
def test_what_cannot_be_asked(shared: Any, query: str, text: str) -> None:
    status, body = shared.call("GET", f"{LOGS}{query}")
    assert (status, json.loads(body)["error"]) == (400, text)


def test_logs_are_a_preview_only(shared: Any) -> None:
    assert shared.call("GET", "/kapacitor/v1/logs")[0] == 404


def test_a_stop_ends_the_sessions_at_once(server: Any, follow: Follow) -> None:
    answer = follow(server)
    next(iter(answer))
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 5
    answer.read()


def test_the_level_of_the_log_is_set(server: Any) -> None:
    def ask(body: str) -> tuple[int, str]:
        status, text = server.call("POST", "/kapacitor/v1/loglevel", body)
        return status, json.loads(text)["error"] if text else ""

    assert ask('{"level":"warn"}') == (400, "invalid log level")
    assert ask('{"level":"off"}') == (400, "invalid log level")
    assert ask('{"level":') == (400, "invalid json: unexpected EOF")
    assert ask('{"LEVEL":"Error"}') == (204, "")
    server.call("GET", "/kapacitor/v1/tasks?limit=8")
    assert server.cli("level", "info") == ""
    server.call("GET", "/kapacitor/v1/tasks?limit=9")
    assert "limit=8" not in server.log
    assert "limit=9" in server.log


@contextlib.contextmanager
def following(server: Any, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command that follows the log; killed at the end if it runs still."""
    with subprocess.Popen(
        [sys.executable, "-m", "runtime.client", "-url", server.url, *arguments],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_commands_follow_the_log(shared: Any) -> None:
    define(shared, "watched", FAILING)
    with following(shared, "watch", "watched", "lvl=error") as watch:
        assert watch.stdout is not None
        with following(shared, "logs", "service=sessions") as logs:
            assert logs.stdout is not None
            assert "created log session" in logs.stdout.readline()
            os.kill(logs.pid, signal.SIGINT)
            assert logs.wait(30) == 130
        # the session of `watch` has no first line to wait for
        deadline = time.monotonic() + 30
        while "v1preview/logs?lvl=error&task=watched" not in shared.log:
            assert time.monotonic() < deadline
            shared.process_wait(0.02)
        shared.write("cpu v=1", "db=watched&rp=r")
        line = watch.stdout.readline()
        assert "task=watched" in line
        assert "lvl=error" in line
        os.kill(watch.pid, signal.SIGINT)
        assert watch.wait(30) == 130


def test_the_commands_want_their_arguments(shared: Any) -> None:
    assert "must provide task ID." in shared.cli("watch", code=3)
    assert "bad keyvalue pair: 'x'" in shared.cli("logs", "x", code=3)
    assert "invalid log level" in shared.cli("logs", "lvl=loud", code=3)


def test_failing_deliveries_can_be_followed(
    start_kapacitord: Any, follow: Follow
) -> None:
    server = start_kapacitord('[foo]\n  enabled = true\n  url = "http://127.0.0.1:1"\n')
    script = "stream|from().measurement('m')|alert().crit(lambda: TRUE).foo()"
    define(server, "t", script)
    answer = follow(server, "?service=delivery&lvl=error%2B&task=t")
    server.write("m v=1", "db=t&rp=r")
    line = until(answer, "failed to deliver event")
    assert " service=delivery task=t topic=main:t:alert2 " in line


def test_those_who_watch_get_lines_of_all_levels(server: Any, follow: Follow) -> None:
    server.json("POST", "/loglevel", {"level": "error"})
    answer = follow(server, "?lvl=debug%2B")
    server.call("GET", "/kapacitor/v1/tasks?limit=3")
    assert " lvl=info " in until(answer, "limit=3")
    # the level may change while they do
    server.json("POST", "/loglevel", {"level": "info"})
    server.json("POST", "/loglevel", {"level": "error"})
    define(server, "t", "stream|from()|log().level('debug')")
    server.write("cpu v=1", "db=t&rp=r")
    line = until(answer, "msg=point")
    assert " lvl=debug msg=point service=kapacitor task_master=main task=t " in line
    assert " node=log2 " in line
    assert "limit=3" not in server.log
    assert "msg=point" not in server.log


def test_the_level_returns_when_nobody_watches(server: Any) -> None:
    server.json("POST", "/loglevel", {"level": "error"})
    with following(server, "logs", "service=sessions") as logs:
        assert logs.stdout is not None
        logs.stdout.readline()
    server.json("POST", "/loglevel", {"level": "info"})
    server.call("GET", "/kapacitor/v1/tasks?limit=5")
    assert "limit=5" in server.log


def test_a_task_that_fails_at_every_point_does_not_fill_the_log(shared: Any) -> None:
    dbrps = [{"db": "d", "rp": "r"}]
    scripts = {"bad": FAILING, "good": "stream|from()|httpOut('out')"}
    for id, script in scripts.items():
        task = {"id": id, "script": script, "dbrps": dbrps, "status": "enabled"}
        shared.json("POST", "/tasks", task)
    for _ in range(4):
        shared.write("\n".join(f"m v=1 {time}" for time in range(1000)), "db=d&rp=r")
    stats = shared.json("GET", "/tasks/bad")["stats"]["node-stats"]
    assert stats["eval2"]["errors"] == 4000
    assert shared.json("GET", "/tasks/bad")["executing"]
    good = shared.json("GET", "/tasks/good")["stats"]["node-stats"]
    assert good["http_out2"]["collected"] == 4000
    assert shared.log.count(" task=bad ") <= 20
