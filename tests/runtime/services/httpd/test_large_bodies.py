"""Bodies of the largest size, broken and whole, beside other requests."""

import os
from pathlib import Path
from typing import Any

import pytest

from runtime.golang.json_decode import ParsedBody
from runtime.services.httpd.service import MAX_API_BODY_BYTES

DBRPS = [{"db": "d", "rp": "r"}]
SCRIPT = "stream|from().measurement('cpu')"
TASK = {"type": "stream", "dbrps": DBRPS, "script": SCRIPT}
LONG = ("a" * 251, "ä" * 126, "a" * 100_000, ".", "..")
ODD = ("a/b", "a\0b", "a\x01b", "a b", "\n", "../x")


def filled(start: str, item: str, end: str = "") -> bytes:
    """A body of the largest size that the API takes."""
    count = (MAX_API_BODY_BYTES - len(start) - len(end)) // len(item)
    return (start + item * count + end).encode()


BODIES = {
    "numbers": filled('{"id":[', "1,"),
    "strings": filled('{"id":[', '"",'),
    "objects": filled('{"dbrps":[', '{"db":"d","rp":"r"},'),
    "arrays": filled("[", "[],"),
    "depth": filled("", "["),
    "one string": filled('{"id":"', "a"),
    "escapes": filled('{"id":"', "\\u00e9"),
    "a bad escape": filled('{"id":"', "a", "\\x"),
    "a long number": filled('{"id":', "1"),
    "whole numbers": filled('{"id":[', "1,", "1]}"),
    "whole objects": filled('{"dbrps":[', '{"a":1},', "{}]}"),
    "a whole id": filled('{"id":"', "a", '"}'),
    "a whole script": filled('{"id":"x","type":"stream","script":"', " ", '"}'),
    "members": filled('{"options":{', '"a":1,', '"b":2}}'),
}
ROUTES = (
    *(("POST", "/tasks"), ("PATCH", "/tasks/t"), ("POST", "/templates")),
    *(("PATCH", "/templates/t"), ("POST", "/alerts/topics/t/handlers")),
    *(("PUT", "/alerts/topics/t/handlers/h"), ("POST", "/config/hipchat/")),
    *(("PATCH", "/alerts/topics/t/handlers/h"), ("POST", "/service-tests/hipchat")),
    *(("POST", "/loglevel"), ("POST", "/recordings/stream"), ("POST", "/replays")),
    *(("POST", "/users"), ("POST", "/storage/stores/tasks"), ("POST", "/nothing")),
)


def cpu_s(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def test_large_bodies_cost_little(start_kapacitord: Any) -> None:
    server = start_kapacitord("[auth]\n  enabled = true\n  bcrypt-cost = 4\n")
    server.call("POST", "/kapacitor/v1/tasks", TASK | {"id": "t"})
    tried = [(route, "numbers") for route in ROUTES]
    tried += [(route, name) for route in ROUTES[::4] for name in BODIES]
    for (method, route), name in tried:
        before = cpu_s(server.process.pid)
        status, text = server.call(method, f"/kapacitor/v1{route}", BODIES[name])
        assert status in (200, 204) or 400 <= status < 500, (route, name, text)
        assert len(text) < 1000, (route, name)
        # most take a twentieth of a second
        assert cpu_s(server.process.pid) - before < 0.8, (route, name)
    status, text = server.call("POST", "/kapacitor/v1/tasks", BODIES["depth"] + b"[")
    assert status == 413
    assert f"larger than {MAX_API_BODY_BYTES} bytes" in text


def test_ids_have_a_limit(api: Any) -> None:
    api.json("POST", "/tasks", TASK | {"id": "t"})
    api.json("POST", "/templates", {"id": "t", "type": "stream", "script": SCRIPT})
    handler = {"id": "h", "kind": "log", "options": {"path": "/tmp/x"}}
    api.json("POST", "/alerts/topics/t/handlers", handler)
    for id in (*LONG, *ODD):
        for method, path, body in (
            ("POST", "/tasks", TASK | {"id": id}),
            ("PATCH", "/tasks/t", {"id": id}),
            ("POST", "/templates", {"id": id, "type": "stream", "script": SCRIPT}),
            ("PATCH", "/templates/t", {"id": id}),
            ("POST", "/alerts/topics/t/handlers", handler | {"id": id}),
            ("PUT", "/alerts/topics/t/handlers/h", handler | {"id": id}),
            (
                "PATCH",
                "/alerts/topics/t/handlers/h",
                [{"op": "replace", "path": "/id", "value": id}],
            ),
            ("POST", "/recordings/stream", {"id": id, "task": "t", "stop": "x"}),
            ("POST", "/replays", {"id": id, "task": "t", "recording": "r"}),
        ):
            status, text = api.ask(method, path, body)
            assert (status, len(text) < 300) == (400, True), (method, path, text)
            assert "ID must" in text
            assert "/data" not in text
    assert [each["id"] for each in api.json("GET", "/tasks")["tasks"]] == ["t"]


def test_ids_may_be_as_long_as_the_limit(api: Any) -> None:
    for id in ("a" * 250, "ä" * 125, "a..b", "..."):
        assert api.json("POST", "/tasks", TASK | {"id": id})["id"] == id
        body = {"id": id, "task": id, "stop": "2100-01-01T00:00:00Z"}
        status, _ = api.ask("POST", "/recordings/stream", body)
        assert status == 201


def test_a_task_has_at_most_a_thousand_databases(api: Any) -> None:
    task = TASK | {"id": "t", "dbrps": [{"db": str(n), "rp": ""} for n in range(1001)]}
    assert api.ask("POST", "/tasks", task) == (400, "a task has at most 1000 dbrps")
    assert api.ask("POST", "/tasks", task | {"dbrps": task["dbrps"][:1000]})[0] == 200


def test_copies_of_copies_end(api: Any) -> None:
    handler = {"id": "h", "kind": "log", "options": {"path": "/tmp/x"}}
    api.json("POST", "/alerts/topics/t/handlers", handler)
    copies = [
        {"op": "copy", "from": "/options", "path": f"/options/{n}"} for n in range(60)
    ]
    status, text = api.ask("PATCH", "/alerts/topics/t/handlers/h", copies)
    assert status >= 400
    assert "the accumulated size increase of copy is" in text


@pytest.mark.parametrize("body", [b'{"a":1}', b"[1,", b""])
def test_a_parsed_body_is_a_body(body: bytes) -> None:
    parsed = ParsedBody.of(body)
    assert parsed == body
    assert (parsed.error is None) == (parsed.value is not None)
