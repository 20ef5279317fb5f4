"""Requests that a server refuses, and its recovery."""

import gzip
import os
import resource
import time

import pytest

from runtime.errors import RefusedError, StoreError
from runtime.lazy import with_given
from runtime.services.httpd.messages import MAX_BODY_BYTES, Request
from runtime.services.httpd.unpacking import unpacked
from runtime.services.httpd.write import MAX_LINE_BYTES, check_lines
from runtime.testing.loopback import LoopbackServer

SCRIPT = """\
stream
    |from().measurement('cpu').groupBy('host')
    |alert().id('{{ index .Tags "host" }}').crit(lambda: "value" > 90).foo()
"""


def write(api, text, encoding=""):
    body = text if isinstance(text, bytes) else text.encode()
    request = Request("POST", "/write", "/write?db=d&rp=r", "db=d&rp=r", body, encoding)

    async def ask():
        return await api.server.http.answer(request)

    return api.run(ask())


def test_a_bomb_is_refused_at_once(api):
    bomb = gzip.compress(b"\n" * (300 * 1024 * 1024), 9)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.monotonic()
    answer = write(api, bomb, "gzip")
    assert answer.status == 413
    assert answer.body == b"the decompressed body is too large\n"
    assert time.monotonic() - begin < 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 * 1024  # KiB


def test_what_shrinks_a_lot_but_stays_small_is_taken():
    text = b"cpu value=1 1\n" * 70_000
    assert unpacked(gzip.compress(text, 9), "gzip") == text
    with pytest.raises(RefusedError):
        unpacked(gzip.compress(text * 2, 9), "gzip")


def test_large_writes_are_taken_like_small_ones(api):
    script = SCRIPT.replace('"value" > 90', "TRUE")
    task = {"id": "t", "dbrps": [{"db": "d", "rp": "r"}], "script": script}
    api.json("POST", "/tasks", task | {"type": "stream", "status": "enabled"})
    lines = [f"m{number} v=1" for number in range(120_000)]
    lines[5] = "cpu,host=first value=1 5"
    lines[-1] = "cpu,host=last value=1 6"
    text = "\n".join(lines).encode()
    assert len(text) > 1024 * 1024
    assert write(api, text).status == 204
    assert write(api, gzip.compress(text, 1), "gzip").status == 204
    stats = api.json("GET", "/tasks/t")["stats"]["node-stats"]
    assert stats["from1"]["collected"] == 4
    events = api.json("GET", "/alerts/topics/main:t:alert2/events")["events"]
    assert [event["id"] for event in events] == ["first", "last"]
    answer = write(api, text + b"\nbad")
    assert (answer.status, answer.body[:21]) == (400, b"unable to parse 'bad'")
    assert write(api, b"# nothing\n" * 200_000).status == 204


def test_a_line_that_is_too_long_is_refused(api):
    long = "cpu value=1 1\n" + 'cpu text="' + "x" * MAX_LINE_BYTES + '" 1\n'
    answer = write(api, long)
    assert (answer.status, answer.body) == (
        400,
        b"line 2 is longer than 65536 bytes\n",
    )
    check_lines(b"x" * MAX_LINE_BYTES + b"\n" + b"y" * MAX_LINE_BYTES)
    with pytest.raises(RefusedError, match="line 3 is"):
        check_lines(b"a\nb\n" + b"y" * (MAX_LINE_BYTES + 1))


def test_a_body_that_is_too_large_is_refused(start_kapacitord):
    server = start_kapacitord()
    status, text = server.call("POST", "/write?db=d", b"\n" * (MAX_BODY_BYTES + 1))
    assert (status, "larger than" in text) == (413, True)


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"a":' * 100_000, '{"id":' + "[" * 99]
)
def test_json_that_is_too_deep_is_refused(api, body):
    assert api.ask("POST", "/tasks", body)[0] == 400
    assert api.ask("GET", "/tasks")[0] == 200


class Faulty:
    """Makes a server's commits fail."""

    def __init__(self, api, monkeypatch):
        self.on = False
        store = api.server._store
        begin = store._begin

        def failing():
            if self.on:
                raise StoreError("failed to write database: disk is full")
            begin()

        monkeypatch.setattr(store, "_begin", failing)


def test_a_full_disk_refuses_writes_and_recovers(config, start_api, monkeypatch):
    with LoopbackServer() as chat:
        foo = type(config.handlers["foo"])(enabled=True, url=chat.url)
        config.handlers = with_given(config.handlers, {"foo": foo})
        api = start_api(config)
        task = {
            "id": "t",
            "type": "stream",
            "dbrps": [{"db": "d", "rp": "r"}],
            "script": SCRIPT,
            "status": "enabled",
        }
        api.json("POST", "/tasks", task)
        faulty = Faulty(api, monkeypatch)
        faulty.on = True
        for _ in range(3):
            answer = write(api, "cpu,host=a value=95 1")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert answer.body == b"failed to write database: disk is full\n"
        # events are refused while they cannot be stored: memory stays bounded
        assert len(api.server._backlog.queues.staged) == 1
        refused = api.answer("POST", "/kapacitor/v1/tasks", {**task, "id": "u"})
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        assert api.ask("GET", "/tasks/t")[0] == 200
        faulty.on = False
        assert write(api, "cpu,host=b value=95 2").status == 204
        api.until(lambda: not api.server._backlog.pending)
        assert chat.received.qsize() == 2


def test_a_second_server_on_the_database_does_not_start(
    start_kapacitord, refused_start, tmp_path
):
    first = start_kapacitord()
    second = type(first)(tmp_path / "second")
    second.directory.mkdir()
    second.sections = "[alert]\n"
    config = (first.directory / "kapacitor.conf").read_text()
    path = second.directory / "k.conf"
    path.write_text(config.replace(f":{first.port}", ":0"))
    pid = tmp_path / "pid"
    pid.write_text(str(first.process.pid))
    said = refused_start(path, "-pidfile", str(pid))
    assert "database is locked: another server uses it" in said
    assert pid.read_text() == str(first.process.pid)
    assert first.call("GET", "/kapacitor/v1/ping")[0] == 204


def test_a_damaged_database_is_told_and_kept(start_kapacitord, refused_start):
    server = start_kapacitord()
    assert server.stop() == 0
    path = server.directory / "data" / "kapacitor.db"
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    said = refused_start(server.directory / "kapacitor.conf")
    assert "malformed" in said
    assert "it is unchanged: replace it with a backup" in said
    assert path.read_bytes() == content


def test_limits_are_what_is_promised():
    assert (MAX_BODY_BYTES, MAX_LINE_BYTES) == (25 << 20, 64 << 10)


def test_what_a_full_disk_refuses_stays_as_it_was(config, start_api, monkeypatch):
    with LoopbackServer() as chat:
        foo = type(config.handlers["foo"])(enabled=True, url=chat.url, room="old")
        config.handlers = with_given(config.handlers, {"foo": foo})
        api = start_api(config)
        task = {"dbrps": [{"db": "d", "rp": "r"}], "script": SCRIPT}
        for id in ("delete", "disable", "rename"):
            api.json("POST", "/tasks", {"id": id, "status": "enabled", **task})
        topic = "/alerts/topics/main:delete:alert2"
        handlers = "/alerts/topics/cpu/handlers"
        api.json("POST", handlers, {"id": "h", "kind": "foo"})
        assert write(api, "cpu,host=a value=95 1").status == 204
        shown = [
            *("/tasks?fields=executing&fields=status&fields=error", topic + "/events"),
            *(handlers, "/config/foo"),
        ]
        before = [api.ask("GET", path) for path in shown]
        assert "true" in before[0][1]
        assert "CRITICAL" in before[1][1]
        faulty = Faulty(api, monkeypatch)
        faulty.on = True
        for method, path, body in (
            ("DELETE", "/tasks/delete", None),
            ("PATCH", "/tasks/disable", {"status": "disabled"}),
            ("PATCH", "/tasks/rename", {"id": "renamed"}),
            ("DELETE", topic, None),
            ("PUT", handlers + "/h", {"id": "renamed", "kind": "foo"}),
            ("DELETE", handlers + "/h", None),
            ("POST", "/config/foo/", {"set": {"room": "new"}}),
        ):
            assert api.ask(method, path, body)[0] == 503, (method, path)
            assert [api.ask("GET", path) for path in shown] == before, (method, path)
        # even while an event waits for room
        assert write(api, "cpu,host=b value=95 2").status == 503
        assert api.ask("DELETE", "/tasks/delete")[0] == 503
        assert api.ask("GET", shown[0]) == before[0]
        assert api.server._config.handlers["foo"].room == "old"
