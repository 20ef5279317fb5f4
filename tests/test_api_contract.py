"""Responses, headers and errors that clients of Kapacitor's HTTP API rely on."""

from __future__ import annotations

import errno
import gzip
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.testing.loopback import LoopbackServer

BASE = "/kapacitor/v1"
TOPICS = "/alerts/topics"
OPERAND = '"number","string","duration","identifier","TRUE","FALSE","==","(","-","!"'


@pytest.fixture(scope="module")
def room() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="module")
def server(start_shared_kapacitord) -> Any:
    return start_shared_kapacitord('[hipchat]\n  url = "http://hipchat.example.com"\n')


# --- conventions


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/"),
        ("GET", "/kapacitor/v1"),
        ("GET", "/kapacitor/v1/"),
        ("GET", "/kapacitor/v1/nope"),
        ("GET", "/kapacitor/v2/ping"),
        ("GET", "/kapacitor/v1/logs"),
        ("GET", "/ping"),
        ("GET", "/write"),
        ("HEAD", "/kapacitor/v1/tasks"),
        ("PUT", "/kapacitor/v1/config/foo/"),
        ("DELETE", "/kapacitor/v1/config/foo/"),
        ("POST", "/kapacitor/v1/config"),
        ("POST", "/kapacitor/v1/service-tests"),
        ("GET", "/kapacitor/v1/alerts"),
        ("GET", "/kapacitor/v1/users"),
        ("PUT", "/kapacitor/v1/tasks/x"),
        ("FOO", "/kapacitor/v1/ping"),
    ],
)
def test_what_is_not_found(ask: Any, method: str, path: str) -> None:
    answer = ask.raw(method, path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert ("Request-Id" in answer.headers) == (method != "FOO")
    assert ("X-Kapacitor-Version" in answer.headers) == (method != "FOO")
    if method != "HEAD":
        assert answer.text == (
            '{\n    "error": "Not Found",\n    "message": "Not Found"\n}'
        )


def test_ping_has_the_version_and_a_request_id(ask: Any) -> None:
    for method in ("GET", "HEAD"):
        answer = ask(method, "/ping", headers={"Request-Id": "mine"})
        assert (answer.status, answer.body) == (204, b"")
        assert re.match(r"1\.8\.\d", answer.headers["X-Kapacitor-Version"])
        assert re.fullmatch(
            r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
            answer.headers["Request-Id"],
        )
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_answers_are_gzipped_where_that_is_accepted(ask: Any) -> None:
    for path, status in (("/config", 200), ("/nope", 404)):
        answer = ask("GET", path, headers={"Accept-Encoding": "deflate, gzip"})
        assert (answer.status, answer.headers["Content-Encoding"]) == (status, "gzip")
        assert json.loads(gzip.decompress(answer.body))
    answer = ask("GET", "/ping", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in ask("GET", "/config").headers


def test_pages_of_other_sites_are_refused(ask: Any) -> None:
    answer = ask("GET", "/ping", headers={"Origin": "http://o"})
    assert answer.status == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert ask("GET", "/ping", headers={"Host": "evil.example"}).status == 421


@pytest.mark.parametrize("path", ["/./config", "/x/../config", "/config//"])
def test_unclean_paths_are_redirected(ask: Any, path: str) -> None:
    answer = ask("GET", path)
    assert answer.status == 301
    location = "/kapacitor/v1/config" + ("/" if path.endswith("/") else "")
    assert answer.headers["Location"] == location
    assert answer.text == f'<a href="{location}">Moved Permanently</a>.\n\n'


def test_paths_are_matched_decoded(ask: Any) -> None:
    assert ask("GET", "%2Fconfig/foo").status in (200, 301)
    assert ask("GET", "/config%2Ffoo").json == ask("GET", "/config/foo").json


def test_previews_are_the_same_api(ask: Any) -> None:
    for path in ("/config", "/tasks", "/alerts/topics", "/service-tests"):
        preview = ask.raw("GET", f"/kapacitor/v1preview{path}")
        assert preview.json == ask("GET", path).json


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"level": "debug"}, 204, ""),
        ({"level": "Info"}, 204, ""),
        ({"level": "ERROR"}, 204, ""),
        ({"level": "WARN"}, 400, "invalid log level"),
        ({"level": "OFF"}, 400, "invalid log level"),
        ("{", 400, "invalid json: unexpected EOF"),
    ],
)
def test_log_levels(ask: Any, body: object, status: int, text: str) -> None:
    answer = ask("POST", "/loglevel", body)
    assert answer.told == (status, text) if text else answer.status == status
    assert ask("POST", "/loglevel", {"level": "INFO"}).status == 204


def test_routes_and_variables(ask: Any) -> None:
    routes = ask("GET", "/:routes").json
    assert "GET" in routes["/kapacitor/v1/tasks"]
    found = ask("GET", "/debug/vars").json
    names = (
        "cluster_id server_id host product version platform num_tasks "
        "num_enabled_tasks num_subscriptions kapacitor cmdline memstats"
    )
    assert set(names.split()) <= set(found)


# --- the JSON that is read


def test_only_the_first_value_of_a_body_counts(ask: Any) -> None:
    body = '{"id":"h","kind":"hipchat"} junk'
    assert ask("POST", f"{TOPICS}/first/handlers", body).status == 200


def test_keys_match_in_any_case_and_the_last_one_wins(ask: Any) -> None:
    body = '{"ID":"h","KIND":"nope","kind":"hipchat","unknown":1,"match":null}'
    assert ask("POST", f"{TOPICS}/case/handlers", body).json["kind"] == "hipchat"


def test_objects_of_one_key_merge(ask: Any) -> None:
    body = '{"id":"h","kind":"log","options":{"path":"/x"},"options":{"mode":420}}'
    found = ask("POST", f"{TOPICS}/merge/handlers", body).json
    assert found["options"] == {"mode": 420, "path": "/x"}


def test_secrets_among_options_are_not_echoed(ask: Any) -> None:
    # Kapacitor shows them; here read permission is not enough
    handler = {"id": "h", "kind": "hipchat", "options": {"token": "t0ken"}}
    for answer in (
        ask("POST", f"{TOPICS}/secret/handlers", handler),
        ask("GET", f"{TOPICS}/secret/handlers/h"),
        ask("GET", f"{TOPICS}/secret/handlers"),
    ):
        assert answer.status == 200
        assert "t0ken" not in answer.text
        assert "***" in answer.text


# --- configuration

APPLY = "failed to apply update: "
INVALID = f"{APPLY}invalid update action: "
OVERRIDE = "failed to override configuration "


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("hipchat/", "{", "failed to decode JSON:unexpected EOF"),
        ("hipchat/", "", "failed to decode JSON:EOF"),
        (
            "hipchat/",
            "[]",
            "failed to decode JSON:json: cannot unmarshal array into Go value of type "
            "config.updateAction",
        ),
        ("", {"set": {}}, f"{INVALID}must provide section name"),
        (
            "hip%20chat/",
            {"set": {"a": 1}},
            f'{INVALID}invalid section name "hip chat"',
        ),
        ("slack/a.b", {"set": {"a": 1}}, f'{INVALID}invalid element name "a.b"'),
        (
            "hipchat/",
            {"set": {"room": "a"}, "remove": ["x"]},
            f"{INVALID}cannot provide both set/delete and add/remove actions in the "
            "same update",
        ),
        (
            "slack/w1",
            {"add": {"workspace": "w1"}},
            f"{INVALID}must not provide an element name when adding an a new override",
        ),
        (
            "slack/w1",
            {"remove": ["w1"]},
            f"{INVALID}must not provide element when removing an override",
        ),
        (
            "hipchat",
            {"delete": ["room"]},
            f"{INVALID}element not specified, are you missing a trailing '/'?",
        ),
        (
            "hipchat",
            {},
            f"{INVALID}element not specified, are you missing a trailing '/'?",
        ),
        ("nope", {"add": {"a": "b"}}, f'{APPLY}unknown section "nope"'),
        (
            "hipchat",
            {"add": {"a": "b"}},
            f'{APPLY}section "hipchat" is not a list, cannot add new element',
        ),
        (
            "hipchat/",
            {"set": {"Room": "a"}},
            f"{OVERRIDE}hipchat/: unknown options [Room] in section hipchat",
        ),
        (
            "nope/",
            {"set": {"a": 1}},
            f"{OVERRIDE}nope/: unknown options [a] in section nope",
        ),
        ("nope/", {}, f"{OVERRIDE}nope/: unknown section nope"),
        (
            "hipchat/",
            {"set": {"enabled": 5}},
            f"{OVERRIDE}hipchat/: cannot set option enabled: wrong kind float64, "
            "expected value of kind bool: false",
        ),
        (
            "hipchat/",
            {"set": {"enabled": "true"}},
            f"{OVERRIDE}hipchat/: cannot set option enabled: wrong kind string, "
            "expected value of kind bool: false",
        ),
        (
            "foo/",
            {"set": {"room": ["a"]}},
            f"{OVERRIDE}foo/: cannot set option room: wrong kind slice, expected value "
            "of kind string: false",
        ),
        (
            "foo/",
            {"set": {"room": {"a": 1}}},
            f"{OVERRIDE}foo/: cannot set option room: wrong kind map, expected value "
            "of kind string: false",
        ),
        (
            "foo/",
            {"set": {"room": True}},
            f"{OVERRIDE}foo/: cannot set option room: wrong kind bool, expected value "
            "of kind string: false",
        ),
        (
            "foo/",
            {"set": {"enabled": True}},
            f"{OVERRIDE}foo/: failed validation: must specify the Foo server URL",
        ),
        (
            "hipchat/",
            {"set": {"enabled": True, "url": "http://a b"}},
            f'{OVERRIDE}hipchat/: failed validation: invalid url "http://a b": parse '
            '"http://a b": invalid character " " in host name',
        ),
        (
            "hipchat/",
            {"set": {"enabled": True, "url": "127.0.0.1:1/x"}},
            f'{OVERRIDE}hipchat/: failed validation: invalid url "127.0.0.1:1/x": '
            'parse "127.0.0.1:1/x": first path segment in URL cannot contain colon',
        ),
    ],
)
def test_updates_that_are_refused(ask: Any, path: str, body: object, text: str) -> None:
    assert ask("POST", f"/config/{path}", body).told == (400, text)


def test_unknown_options_are_all_named(ask: Any) -> None:
    status, text = ask("POST", "/config/hipchat/", {"set": {"zz": 1, "nope": 2}}).told
    found = re.fullmatch(
        rf"{OVERRIDE}hipchat/: unknown options \[(.*)\] in section hipchat", text
    )
    assert status == 400
    assert found is not None
    assert set(found[1].split()) == {"zz", "nope"}


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        (
            "/config/",
            400,
            "section not specified, do you have an extra trailing '/'?",
        ),
        ("/config/nope", 404, "unknown section: nope"),
        ("/config/nope/", 404, "unknown section: nope"),
        ("/config/hip", 404, "unknown section: hip"),
        ("/config/hipchat/x", 404, "unknown section/element: hipchat/x"),
        ("/config/kubernetes", 404, "unknown section: kubernetes"),
    ],
)
def test_sections_that_are_not_there(
    ask: Any, path: str, status: int, text: str
) -> None:
    assert ask("GET", path).told == (status, text)


def test_reading_the_configuration(ask: Any) -> None:
    element = (
        '{"link":{"rel":"self","href":"/kapacitor/v1/config/foo/"},'
        '"options":{"enabled":false,"room":"","url":""},"redacted":null}'
    )
    assert ask("GET", "/config/foo/").text == f"{element}\n"
    section = (
        '{"link":{"rel":"self","href":"/kapacitor/v1/config/foo"},'
        f'"elements":[{element}]}}'
    )
    assert ask("GET", "/config/foo").text == f"{section}\n"
    whole = ask("GET", "/config").text
    assert whole.startswith(
        '{"link":{"rel":"self","href":"/kapacitor/v1/config"},"sections":{'
    )
    assert whole.endswith("}\n")
    assert f'"foo":{section}' in whole
    assert list(json.loads(whole)["sections"]) == sorted(json.loads(whole)["sections"])


def test_setting_and_deleting_options(ask: Any) -> None:
    def options() -> Any:
        return ask("GET", "/config/hipchat/").json["options"]

    ask("POST", "/config/hipchat/", {"set": {"room": "a", "token": "t"}})
    ask("POST", "/config/hipchat/", {"SET": {"url": "http://b"}})
    assert (options()["room"], options()["url"]) == ("a", "http://b")
    # deleted after it was set; unknown names do not matter
    update = {"set": {"room": "c"}, "delete": ["room", "nope", "url"]}
    assert ask("POST", "/config/hipchat/", update).status == 204
    assert (options()["room"], options()["url"]) == ("", "http://hipchat.example.com")
    assert options()["token"] is True


def test_a_refused_update_changes_nothing(ask: Any) -> None:
    before = ask("GET", "/config/hipchat/").text
    update = {"set": {"room": "x", "enabled": True, "url": ""}}
    assert ask("POST", "/config/hipchat/", update).status == 400
    assert ask("GET", "/config/hipchat/").text == before


def test_overrides_can_be_switched_off(start_kapacitord) -> None:
    ask = start_kapacitord("[config-override]\n  enabled = false\n").client()
    told = (403, "config override service is not enabled")
    assert ask("GET", "/config").told == told
    assert ask("GET", "/config/foo/").told == told
    assert ask("POST", "/config/foo/", {}).told == told


# --- service tests


def test_listing_service_tests(ask: Any) -> None:
    foo = (
        '{"link":{"rel":"self","href":"/kapacitor/v1/service-tests/foo"},"name":"foo",'
        '"options":{"room":"","message":"test foo message"}}'
    )
    hipchat = (
        '{"link":{"rel":"self","href":"/kapacitor/v1/service-tests/hipchat"},'
        '"name":"hipchat","options":{"room":"","message":"test hipchat message",'
        '"level":"CRITICAL"}}'
    )
    assert ask("GET", "/service-tests/foo").text == f"{foo}\n"
    assert ask("GET", "/service-tests/foo/").text == f"{foo}\n"
    assert ask("GET", "/service-tests/hipchat").text == f"{hipchat}\n"
    link = '{"link":{"rel":"self","href":"/kapacitor/v1/service-tests"},'
    found = ask("GET", "/service-tests?pattern=hip*").text
    assert found == f'{link}"services":[{hipchat}]}}\n'
    names = [each["name"] for each in ask("GET", "/service-tests").json["services"]]
    assert names == sorted(names)
    assert {"foo", "hipchat"} <= set(names)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        (
            "GET",
            "?pattern=%5B",
            None,
            400,
            "bad pattern: syntax error in pattern",
        ),
        ("GET", "/", None, 400, "must provide service name"),
        ("POST", "/", {}, 400, "must provide service name"),
        ("GET", "/nope", None, 404, 'service "nope" not found'),
        ("POST", "/nope", {}, 404, 'service "nope" not found'),
        ("GET", "/hipchat/x", None, 404, 'service "hipchat/x" not found'),
        ("POST", "/foo", "", 400, "failed to decode JSON body:EOF"),
        ("POST", "/foo", "{", 400, "failed to decode JSON body:unexpected EOF"),
        (
            "POST",
            "/foo",
            [],
            400,
            "failed to decode JSON body:json: cannot unmarshal array into Go value of "
            "type foo.testOptions",
        ),
        (
            "POST",
            "/foo",
            {"room": 5},
            400,
            "failed to decode JSON body:json: cannot unmarshal number into Go struct "
            "field testOptions.room of type string",
        ),
        (
            "POST",
            "/hipchat",
            {"level": "BAD"},
            400,
            "failed to decode JSON body:unknown alert level 'BAD'",
        ),
        (
            "POST",
            "/hipchat",
            {"level": 5},
            400,
            "failed to decode JSON body:json: cannot unmarshal number into Go struct "
            "field testOptions.level of type alert.Level",
        ),
    ],
)
def test_service_tests_that_are_refused(
    ask: Any, method: str, path: str, body: object, status: int, text: str
) -> None:
    assert ask(method, f"/service-tests{path}", body).told == (status, text)


@pytest.mark.parametrize("body", [{}, "null", {"unknown": 1}, '{"room":"r"} x'])
def test_a_disabled_service_says_so(ask: Any, body: object) -> None:
    answer = ask("POST", "/service-tests/foo", body)
    assert answer.text == '{"success":false,"message":"service is not enabled"}\n'


@pytest.mark.parametrize(
    ("level", "color"),
    [
        ("CRIT", "red"),
        ("C", "red"),
        ("WARN", "yellow"),
        ("W", "yellow"),
        ("INF", "green"),
        ("I", "green"),
        ("O", "green"),
        ("", "green"),
        ("OKINFO", "green"),
        ("ING", None),
        ("N", None),
        ("crit", None),
    ],
)
def test_levels_of_service_tests(
    ask: Any, room: LoopbackServer, level: str, color: str | None
) -> None:
    ask("POST", "/config/hipchat/", {"set": {"enabled": True, "url": room.url}})
    answer = ask("POST", "/service-tests/hipchat", {"level": level})
    if color is None:
        assert answer.told == (
            400,
            f"failed to decode JSON body:unknown alert level '{level}'",
        )
    else:
        assert answer.text == '{"success":true,"message":""}\n'
        assert room.next().json["color"] == color


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, "", ""),
        (204, "", ""),
        (
            201,
            "",
            "failed to understand HipChat response. code: 201 content: ",
        ),
        (500, '{"error":"boom"}', "boom"),
        (
            401,
            "not json",
            "failed to understand HipChat response. code: 401 content: not json",
        ),
        (
            404,
            '{"error":{"code":1}}',
            'failed to understand HipChat response. code: 404 content: {"error":{"code":1}}',
        ),
    ],
)
def test_what_hipchat_answers(
    ask: Any, room: LoopbackServer, status: int, body: str, message: str
) -> None:
    ask("POST", "/config/hipchat/", {"set": {"enabled": True, "url": room.url}})
    room.status, room.body = status, body
    try:
        answer = ask("POST", "/service-tests/hipchat", {})
    finally:
        room.status, room.body = 200, b""
    room.next()
    assert answer.json == {"success": not message, "message": message}


@pytest.mark.parametrize(
    ("path", "room_name", "token", "target"),
    [
        (
            "/v2/room?x=1",
            "my room/é",
            "t&k",
            "/v2/room/my%20room/%C3%A9/notification?auth_token=t%26k",
        ),
        ("", "", "", "/notification?auth_token="),
        ("/v2/room//", "r", "t", "/v2/room/r/notification?auth_token=t"),
    ],
)
def test_where_hipchat_is_asked(
    ask: Any,
    room: LoopbackServer,
    path: str,
    room_name: str,
    token: str,
    target: str,
) -> None:
    update = {"enabled": True, "url": room.url + path, "token": token}
    ask("POST", "/config/hipchat/", {"set": update})
    answer = ask("POST", "/service-tests/hipchat", {"room": room_name})
    assert answer.json["success"] is True
    found = room.next()
    assert f"{found.path}?{found.raw_query}" == target
    assert found.text == (
        '{"color":"red","from":"kapacitor","message":"test hipchat message",'
        '"notify":true}\n'
    )


# --- tasks and templates

DBRPS = [{"db": "d", "rp": "r"}]
STREAM = "stream|from()"


def task_body(**more: Any) -> dict[str, Any]:
    return {"script": STREAM, "dbrps": DBRPS, **more}


def test_a_task_as_it_is_shown(ask: Any) -> None:
    script = "stream|from().measurement('cpu')"
    body = {"id": "shown", "script": script, "dbrps": DBRPS}
    text = ask("POST", "/tasks", body).text
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    text = re.sub(rf'"(created|modified)": "{moment}"', r'"\1": "T"', text)
    assert text == r"""{
    "link": {
        "rel": "self",
        "href": "/kapacitor/v1/tasks/shown"
    },
    "id": "shown",
    "template-id": "",
    "type": "stream",
    "dbrps": [
        {
            "db": "d",
            "rp": "r"
        }
    ],
    "script": "stream\n    |from()\n        .measurement('cpu')\n",
    "vars": {},
    "dot": "digraph shown {\nstream0 -\u003e from1;\n}",
    "status": "disabled",
    "executing": false,
    "error": "",
    "stats": {},
    "created": "T",
    "modified": "T",
    "last-enabled": "0001-01-01T00:00:00Z"
}"""
    raw = ask("GET", "/tasks/shown?script-format=raw").json
    assert raw["script"] == script


def test_a_running_task_has_statistics_and_a_graph_with_them(ask: Any) -> None:
    script = f"{STREAM}|alert().crit(lambda: TRUE)"
    ask("POST", "/tasks", task_body(id="running", script=script, status="enabled"))
    found = ask("GET", "/tasks/running").json
    assert (found["status"], found["executing"]) == ("enabled", True)
    common = {
        "avg_exec_time_ns": 0,
        "collected": 0,
        "emitted": 0,
        "errors": 0,
        "working_cardinality": 0,
    }
    alert = {
        "alerts_inhibited": 0,
        "alerts_triggered": 0,
        "crits_triggered": 0,
        "infos_triggered": 0,
        "oks_triggered": 0,
        "warns_triggered": 0,
    }
    assert found["stats"] == {
        "task-stats": {"throughput": 0},
        "node-stats": {"stream0": common, "from1": common, "alert2": common | alert},
    }
    ask("PATCH", "/tasks/running", {"script": STREAM, "status": "disabled"})
    ask("PATCH", "/tasks/running", {"status": "enabled"})
    assert ask("GET", "/tasks/running").json["dot"] == (
        'digraph running {\ngraph [throughput="0.00 points/s"];\n\n'
        'stream0 [avg_exec_time_ns="0s" errors="0" working_cardinality="0" ];\n'
        'stream0 -> from1 [processed="0"];\n\n'
        'from1 [avg_exec_time_ns="0s" errors="0" working_cardinality="0" ];\n}'
    )
    assert ask("GET", "/tasks/running?dot-view=labels").json["dot"] == (
        'digraph running {\ngraph [label="Throughput: 0.00 points/s" '
        'forcelabels=true pad="0.8,0.5"];\n\n'
        'stream0 [xlabel="avg_exec_time_ns=0s\\rerrors=0\\rworking_cardinality=0"];\n'
        'stream0 -> from1 [label="processed=0"];\n\n'
        'from1 [xlabel="avg_exec_time_ns=0s\\rerrors=0\\rworking_cardinality=0"];\n}'
    )
    ask("DELETE", "/tasks/running")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("GET", "/", None, 400, "must specify task id on path"),
        ("PATCH", "/", {}, 400, "must specify task id on path"),
        ("DELETE", "/", None, 400, "must specify task id on path"),
        ("GET", "/nope", None, 404, "no task exists"),
        ("PATCH", "/nope", {}, 404, "task does not exist, cannot update"),
        ("PATCH", "/nope", "{", 400, "invalid JSON"),
        ("POST", "", "", 400, "invalid JSON"),
        ("POST", "", "[]", 400, "invalid JSON"),
        ("POST", "", {"type": "bogus"}, 400, "invalid JSON"),
        ("POST", "", {"status": "bogus"}, 400, "invalid JSON"),
        ("POST", "", {"id": 5}, 400, "invalid JSON"),
        ("POST", "", {"script": []}, 400, "invalid JSON"),
        ("POST", "", {"dbrps": "d.r"}, 400, "invalid JSON"),
        (
            "POST",
            "",
            {"vars": {"a": {"type": "nope", "value": 1}}},
            400,
            "invalid JSON",
        ),
        (
            "POST",
            "",
            task_body(id="a b"),
            400,
            "task ID must contain only letters, numbers, '-', '.' and '_'. \"a b\"",
        ),
        (
            "POST",
            "",
            task_body(id="a\n"),
            400,
            "task ID must contain only letters, numbers, '-', '.' and '_'. \"a\\n\"",
        ),
        ("POST", "", {"id": "x", "dbrps": DBRPS}, 400, "must provide TICKscript"),
        (
            "POST",
            "",
            task_body(script="bogus("),
            400,
            "invalid TICKscript: parser: unexpected EOF line 1 char 7 in "
            f'"bogus(". expected: {OPERAND}',
        ),
        (
            "POST",
            "",
            task_body(script="var x = 1"),
            400,
            "invalid task type: invalid",
        ),
        ("POST", "", task_body(script="stream"), 400, "invalid task type: invalid"),
        (
            "POST",
            "",
            task_body(script="stream|from()\nbatch|query('')"),
            400,
            "invalid task type: invalid",
        ),
        (
            "POST",
            "",
            task_body(script="stream|nope()"),
            400,
            'invalid TICKscript: line 1 char 8: no method or property "nope" on '
            "*pipeline.StreamNode",
        ),
        ("POST", "", {"script": STREAM}, 400, "must specify dbrp"),
        (
            "POST",
            "",
            task_body(script=f'dbrp "a"."b"\n{STREAM}'),
            400,
            "cannot specify dbrp in both implicitly and explicitly",
        ),
        (
            "POST",
            "",
            {"template-id": "nope", "dbrps": DBRPS},
            400,
            "unknown template nope: err: no template exists",
        ),
        (
            "POST",
            "",
            task_body(vars={"a": {"type": "bool", "value": "x"}}),
            400,
            "invalid var a: unexpected var type bool, value is a string",
        ),
        (
            "GET",
            "?script-format=z",
            None,
            400,
            'invalid script-format parameter "z"',
        ),
        ("GET", "?dot-view=z", None, 400, 'invalid dot-view parameter "z"'),
        ("GET", "?fields=z", None, 400, 'unsupported field "z"'),
        (
            "GET",
            "?offset=a",
            None,
            400,
            'invalid offset parameter "a" must be an integer: strconv.ParseInt: '
            'parsing "a": invalid syntax',
        ),
        (
            "GET",
            "?limit=1.5",
            None,
            400,
            'invalid limit parameter "1.5" must be an integer: strconv.ParseInt: '
            'parsing "1.5": invalid syntax',
        ),
    ],
)
def test_tasks_that_are_refused(
    ask: Any, method: str, path: str, body: object, status: int, text: str
) -> None:
    assert ask(method, f"/tasks{path}", body).told == (status, text)


def test_queries_of_one_task(ask: Any) -> None:
    ask("POST", "/tasks", task_body(id="queried"))
    for query, text in (
        ("script-format=z", 'invalid script-format parameter "z"'),
        ("dot-view=z", 'invalid dot-view parameter "z"'),
        ("replay-id=bogus", "no running replay with ID: bogus"),
    ):
        assert ask("GET", f"/tasks/queried?{query}").told == (400, text)


def test_an_id_is_taken_once(ask: Any) -> None:
    assert ask("POST", "/tasks", task_body(id="twice")).status == 200
    told = (400, "task twice already exists")
    assert ask("POST", "/tasks", task_body(id="twice")).told == told


def test_a_task_without_an_id_gets_one(ask: Any) -> None:
    found = ask("POST", "/tasks", task_body()).json
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found["id"])


def test_deleting_is_always_fine(ask: Any) -> None:
    ask("POST", "/tasks", task_body(id="gone", status="enabled"))
    for path in ("/tasks/gone", "/tasks/gone", "/templates/gone"):
        answer = ask("DELETE", path)
        assert (answer.status, answer.body) == (204, b"")
    assert ask("GET", "/tasks/gone").told == (404, "no task exists")


def test_listing_tasks(ask: Any) -> None:
    for each in ("l-b", "l-a", "l-c"):
        ask("POST", "/tasks", task_body(id=each))

    def ids(query: str) -> list[str]:
        tasks = ask("GET", f"/tasks?{query}").json["tasks"]
        return [task["id"] for task in tasks]

    assert ids("pattern=l-*") == ["l-a", "l-b", "l-c"]
    assert ids("pattern=l-*&limit=1&offset=1") == ["l-b"]
    assert ids("pattern=l-[") == []
    assert {"l-a", "shown"} <= set(ids("limit=-1&pattern=nothing"))
    found = ask("GET", "/tasks?pattern=l-a&fields=status").text
    assert found == """{
    "tasks": [
        {
            "id": "l-a",
            "link": {
                "rel": "self",
                "href": "/kapacitor/v1/tasks/l-a"
            },
            "status": "disabled"
        }
    ]
}"""
    [task] = ask("GET", "/tasks?pattern=l-a").json["tasks"]
    assert list(task) == sorted(task)
    shown = (
        "created dbrps dot error executing id last-enabled link modified script stats "
        "status type vars"
    )
    assert " ".join(task) == shown
    assert task["stats"] is None


def test_patching_a_task(ask: Any) -> None:
    ask("POST", "/tasks", task_body(id="p1"))
    found = ask("PATCH", "/tasks/p1", {"id": "p2", "status": "enabled"}).json
    assert (found["id"], found["executing"]) == ("p2", True)
    assert ask("GET", "/tasks/p1").status == 404
    both = {"script": f'dbrp "a"."b"\n{STREAM}', "dbrps": DBRPS}
    assert ask("PATCH", "/tasks/p2", both).told == (
        400,
        "cannot specify dbrp in implicitly and explicitly",
    )
    kept = ask("PATCH", "/tasks/p2", {"script": "", "dbrps": []}).json
    assert (kept["script"], kept["dbrps"]) == ("stream\n    |from()\n", DBRPS)
    ask("POST", "/tasks", task_body(id="p3"))
    assert ask("PATCH", "/tasks/p2", {"id": "p3"}).told == (
        500,
        "failed to create new task during ID change: object already exists",
    )
    ask("DELETE", "/tasks/p2")


def test_variables_as_they_are_shown(ask: Any) -> None:
    given = {
        "i": {"type": "int", "value": 5},
        "d": {"type": "duration", "value": "1h"},
        "e": {"type": "duration", "value": 1000},
        "l": {
            "type": "list",
            "value": [{"type": "string", "value": "a"}, {"type": "star"}],
        },
        "s": {"type": "star"},
        "r": {"type": "regex", "value": "a.*"},
        "m": {"type": "lambda", "value": '"a" > 1'},
    }
    script = "\n".join(f"var {name} {var['type']}" for name, var in given.items())
    body = task_body(id="vars", script=f"{script}\n{STREAM}", vars=given)
    answer = ask("POST", "/tasks", body)
    assert answer.status == 200, answer.text
    found = answer.json["vars"]
    assert found["i"] == {"type": "int", "value": 5, "description": ""}
    assert found["d"]["value"] == 3_600_000_000_000
    assert found["e"]["value"] == 1000
    assert found["s"]["value"] is None
    assert found["l"]["value"] == [
        {"type": "string", "value": "a"},
        {"type": "star", "value": None},
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("GET", "/nope", None, 404, "no template exists"),
        ("PATCH", "/nope", {}, 404, "template does not exist, cannot update"),
        ("GET", "/", None, 400, "must specify template id on path"),
        ("POST", "", {}, 400, "invalid task type: invalid"),
        ("POST", "", "{", 400, "invalid JSON"),
        (
            "POST",
            "",
            {"id": "a b", "script": STREAM},
            400,
            "template ID must contain only letters, numbers, '-', '.' and '_'. \"a b\"",
        ),
    ],
)
def test_templates_that_are_refused(
    ask: Any, method: str, path: str, body: object, status: int, text: str
) -> None:
    assert ask(method, f"/templates{path}", body).told == (status, text)


def test_templates_and_their_tasks(ask: Any) -> None:
    script = "// what to read\nvar m string\nstream|from().measurement(m)"
    answer = ask("POST", "/templates", {"id": "tmpl", "script": script})
    assert answer.status == 200, answer.text
    found = answer.json
    assert " ".join(found) == "link id type script vars dot error created modified"
    assert found["vars"] == {
        "m": {"type": "string", "value": None, "description": "what to read"}
    }
    told = (400, "template tmpl already exists")
    assert ask("POST", "/templates", {"id": "tmpl", "script": script}).told == told
    body = {"id": "of-tmpl", "template-id": "tmpl", "dbrps": DBRPS}
    assert ask("POST", "/tasks", body).status == 400
    body["vars"] = {"m": {"type": "string", "value": "cpu"}}
    assert ask("POST", "/tasks", body).json["template-id"] == "tmpl"
    ask("PATCH", "/tasks/of-tmpl", {"status": "enabled"})
    # an update restarts the tasks
    ask("PATCH", "/templates/tmpl", {"script": f"{script}|log()"})
    task = ask("GET", "/tasks/of-tmpl").json
    assert "|log()" in task["script"]
    assert "log2" in task["stats"]["node-stats"]
    # one that a task cannot live with changes neither
    refused = ask("PATCH", "/templates/tmpl", {"script": f"var o int\n{script}"})
    assert refused.status >= 400
    task = ask("GET", "/tasks/of-tmpl").json
    assert (task["executing"], "|log()" in task["script"]) == (True, True)
    assert "|log()" in ask("GET", "/templates/tmpl").json["script"]
    ask("DELETE", "/tasks/of-tmpl")


# --- topics and handlers


@pytest.fixture(scope="module")
def cpu(server: Any) -> str:
    """A topic with three events: `a` CRITICAL after 4 s, `b` WARNING, `c` OK."""
    ask = server.client()
    script = (
        "stream|from().measurement('cpu').groupBy('host')|alert()"
        ".id('{{ index .Tags \"host\" }}').details('D')"
        '.warn(lambda: "v" > 70).crit(lambda: "v" > 80).topic(\'cpu\')'
    )
    body = {"id": "cpu", "script": script, "dbrps": DBRPS, "status": "enabled"}
    assert ask("POST", "/tasks", body).status == 200
    lines = "\n".join(
        (
            "cpu,host=a v=96 2",
            "cpu,host=a v=96 6",
            "cpu,host=b v=75 3",
            "cpu,host=c v=75 4",
            "cpu,host=c v=1 5",
        )
    )
    assert ask("POST", "/write?db=d&rp=r&precision=s", lines).status == 204
    return "cpu"


def test_a_topic_as_it_is_shown(ask: Any, cpu: str) -> None:
    topic = {
        "link": {"rel": "self", "href": "/kapacitor/v1/alerts/topics/cpu"},
        "id": "cpu",
        "level": "CRITICAL",
        "collected": 5,
        "events-link": {
            "rel": "events",
            "href": "/kapacitor/v1/alerts/topics/cpu/events",
        },
        "handlers-link": {
            "rel": "handlers",
            "href": "/kapacitor/v1/alerts/topics/cpu/handlers",
        },
    }
    answer = ask("GET", f"{TOPICS}/cpu")
    assert answer.text == json.dumps(topic, indent=4)
    listed = ask("GET", f"{TOPICS}?pattern=c?u").json
    href = "/kapacitor/v1/alerts/topics?pattern=c?u"
    assert listed == {"link": {"rel": "self", "href": href}, "topics": [topic]}
    # unknown paths below a topic are the topic
    for path in ("/bogus", "/events/a/b", "/events/a%2Fb"):
        assert ask("GET", f"{TOPICS}/cpu{path}").json == topic


def test_an_event_as_it_is_shown(ask: Any, cpu: str) -> None:
    event = {
        "link": {"rel": "self", "href": "/kapacitor/v1/alerts/topics/cpu/events/a"},
        "id": "a",
        "state": {
            "message": "a is CRITICAL",
            "details": "D",
            "time": "1970-01-01T00:00:06Z",
            "duration": "4s",
            "level": "CRITICAL",
        },
    }
    assert ask("GET", f"{TOPICS}/cpu/events/a").text == json.dumps(event, indent=4)


@pytest.mark.parametrize(
    ("level", "ids"),
    [
        ("", {"a", "b", "c"}),
        ("OK", {"a", "b", "c"}),
        ("info", {"a", "b"}),
        ("warn", {"a", "b"}),
        ("CRIT", {"a"}),
    ],
)
def test_events_of_at_least_a_level(
    ask: Any, cpu: str, level: str, ids: set[str]
) -> None:
    found = ask("GET", f"{TOPICS}/cpu/events?min-level={level}").json
    assert found["link"]["href"] == "/kapacitor/v1/alerts/topics/cpu/events"
    assert found["topic"] == "cpu"
    assert {event["id"] for event in found["events"]} == ids


def test_topics_of_at_least_a_level(ask: Any, cpu: str) -> None:
    ask("POST", f"{TOPICS}/cpu-quiet/handlers", {"id": "h", "kind": "foo"})
    found = ask("GET", f"{TOPICS}?pattern=cpu*&min-level=INFO").json["topics"]
    assert [topic["id"] for topic in found] == ["cpu"]
    found = ask("GET", f"{TOPICS}?pattern=cpu*").json["topics"]
    assert [topic["id"] for topic in found] == ["cpu", "cpu-quiet"]
    assert ask("GET", f"{TOPICS}?pattern=nothing").json["topics"] == []


HANDLER_IDS = "handler ID must contain only letters, numbers, '-', '.' and '_'. "
HANDLER_TOPICS = "handler topic must contain only letters, numbers, '-', '.' and '_'. "
CREATE = "failed to create handler: "


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("GET", "/nope", None, 404, 'unknown topic: "nope"'),
        ("GET", "/", None, 404, 'unknown topic: ""'),
        ("GET", "/cpu/events/x", None, 404, 'unknown event "x" in topic "cpu"'),
        ("GET", "/nope/events/x", None, 404, 'unknown event "x" in topic "nope"'),
        (
            "GET",
            "/cpu/events/",
            None,
            404,
            'unknown event "events" in topic "cpu"',
        ),
        ("GET", "/cpu/handlers/zz", None, 404, 'unknown handler: "zz"'),
        ("GET", "/cpu/handlers/", None, 404, 'unknown handler: ""'),
        ("PATCH", "/cpu", {}, 404, 'unknown handler: ""'),
        ("PUT", "/cpu", {}, 404, 'unknown handler: ""'),
        (
            "GET",
            "?pattern=%5B",
            None,
            400,
            "invalid pattern: syntax error in pattern",
        ),
        (
            "GET",
            "/cpu/handlers?pattern=x%5B",
            None,
            400,
            "invalid pattern: syntax error in pattern",
        ),
        ("GET", "?min-level=bogus", None, 400, "unknown alert level 'BOGUS'"),
        (
            "GET",
            "/cpu/events?min-level=bogus",
            None,
            400,
            "unknown alert level 'BOGUS'",
        ),
        ("POST", "/t/handlers", "", 400, "invalid handler json: EOF"),
        ("POST", "/t/handlers", "{", 400, "invalid handler json: unexpected EOF"),
        (
            "POST",
            "/t/handlers",
            '{"id": x}',
            400,
            "invalid handler json: invalid character 'x' looking for beginning of "
            "value",
        ),
        (
            "POST",
            "/t/handlers",
            "{}}",
            400,
            f'invalid handler spec: {HANDLER_IDS}""',
        ),
        (
            "POST",
            "/t/handlers",
            {"kind": 5},
            400,
            "invalid handler json: json: cannot unmarshal number into Go struct field "
            "HandlerSpec.kind of type string",
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h 1", "kind": "foo"},
            400,
            f'invalid handler spec: {HANDLER_IDS}"h 1"',
        ),
        (
            "POST",
            "/t%201/handlers",
            {"id": "x", "kind": "foo"},
            400,
            f'invalid handler spec: {HANDLER_TOPICS}"x"',
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h"},
            400,
            "invalid handler spec: handler Kind must not be empty",
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h", "kind": "FOO"},
            500,
            f'{CREATE}unsupported action kind "FOO"; did you mean "foo"?',
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h", "kind": "log", "options": {"path": "rel"}},
            500,
            f"{CREATE}log path must be absolute: rel is not absolute",
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h", "kind": "log", "options": {"path": "/x", "mode": 0o400}},
            500,
            f"{CREATE}invalid file mode -r--------, must be user writable",
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h", "kind": "log", "options": {"path": "/x", "mode": "0644"}},
            500,
            f"{CREATE}failed to decode options into *alert.LogHandlerConfig: 1 "
            "error(s) decoding:\n\n* 'mode' expected type 'fs.FileMode', got "
            "unconvertible type 'string', value: '0644'",
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h", "kind": "hipchat", "options": {"room": 5}},
            500,
            f"{CREATE}failed to decode options into *hipchat.HandlerConfig: 1 "
            "error(s) decoding:\n\n* 'room' expected type 'string', got unconvertible "
            "type 'float64', value: '5'",
        ),
        (
            "POST",
            "/t/handlers",
            {
                "id": "h",
                "kind": "hipchat",
                "options": {"room": {"a": 1}, "z": 1},
            },
            500,
            f"{CREATE}failed to decode options into *hipchat.HandlerConfig: 2 "
            "error(s) decoding:\n\n* '' has invalid keys: z\n"
            "* 'room' expected type 'string', got unconvertible type "
            "'map[string]interface {}', value: 'map[a:1]'",
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h", "kind": "foo", "options": {"room": ["a", True]}},
            500,
            f"{CREATE}failed to decode options into *foo.HandlerConfig: 1 error(s) "
            "decoding:\n\n* 'room' expected type 'string', got unconvertible type "
            "'[]interface {}', value: '[a true]'",
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h", "kind": "foo", "options": {"room": 1_000_000}},
            500,
            f"{CREATE}failed to decode options into *foo.HandlerConfig: 1 error(s) "
            "decoding:\n\n* 'room' expected type 'string', got unconvertible type "
            "'float64', value: '1e+06'",
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h", "kind": "foo", "match": "bogus("},
            500,
            f"{CREATE}invalid match expression: parser: unexpected EOF line 1 char 7 "
            f'in "bogus(". expected: {OPERAND}',
        ),
        (
            "POST",
            "/t/handlers",
            {"id": "h", "kind": "foo", "match": "level() == FOO"},
            500,
            f'{CREATE}invalid match expression: unknown identifier "FOO"',
        ),
        ("PUT", "/t/handlers/zz", "", 404, 'unknown handler: "zz"'),
        ("PATCH", "/t/handlers/zz", "", 404, 'unknown handler: "zz"'),
    ],
)
def test_topics_and_handlers_that_are_refused(
    ask: Any,
    cpu: str,
    method: str,
    path: str,
    body: object,
    status: int,
    text: str,
) -> None:
    assert ask(method, f"{TOPICS}{path}", body).told == (status, text)


PATCH_ERRORS = [
    ("", 400, "invalid patch json: unexpected end of JSON input"),
    (
        {},
        400,
        "invalid patch json: json: cannot unmarshal object into Go value of type "
        "jsonpatch.Patch",
    ),
    (
        [{"op": "remove", "path": "/options/nope"}],
        400,
        "failed to apply patch: error in remove for path: '/options/nope': Unable to "
        "remove nonexistent key: nope: missing value",
    ),
    (
        [{"op": "bogus", "path": "/kind"}],
        400,
        "failed to apply patch: Unexpected kind: bogus",
    ),
    (
        [{"op": "replace", "path": "/kind", "value": 5}],
        500,
        "failed to unmarshal patched json: json: cannot unmarshal number into Go "
        "struct field HandlerSpec.kind of type string",
    ),
    (
        [{"op": "replace", "path": "/kind", "value": "nope"}],
        500,
        'failed to update handler: unsupported action kind "nope"',
    ),
]


@pytest.mark.parametrize(("patch", "status", "text"), PATCH_ERRORS)
def test_patches_that_are_refused(
    ask: Any, patch: object, status: int, text: str
) -> None:
    handler = {"id": "h", "kind": "hipchat", "options": {"room": "r"}}
    ask("POST", f"{TOPICS}/patched/handlers", handler)
    path = f"{TOPICS}/patched/handlers/h"
    before = ask("GET", path).text
    assert ask("PATCH", path, patch).told == (status, text)
    assert ask("GET", path).text == before


def test_the_life_of_a_handler(ask: Any) -> None:
    handlers = f"{TOPICS}/life:1/handlers"
    # the topic in the body does not matter
    body = {"id": "h1", "topic": "other", "kind": "hipchat", "match": "level() > OK"}
    created = ask("POST", handlers, body)
    assert (created.status, created.json["options"]) == (200, None)
    assert ask("POST", handlers, body).told == (
        500,
        "failed to create handler: cannot register handler, handler with ID "
        '"h1" already exists',
    )
    patch = [{"op": "replace", "path": "/options", "value": {"room": "r"}}]
    patched = ask("PATCH", f"{handlers}/h1", patch).json
    assert (patched["options"], patched["match"]) == ({"room": "r"}, "level() > OK")
    put = ask("PUT", f"{handlers}/h1", {"id": "h2", "kind": "foo"}).json
    assert put == {
        "link": {
            "rel": "self",
            "href": "/kapacitor/v1/alerts/topics/life:1/handlers/h2",
        },
        "id": "h2",
        "kind": "foo",
        "options": None,
        "match": "",
    }
    assert ask("GET", f"{handlers}/h1").told == (404, 'unknown handler: "h1"')
    assert ask("PUT", f"{handlers}/h2", "").told == (
        400,
        "failed to unmarshal JSON: EOF",
    )
    for _ in range(2):
        answer = ask("DELETE", f"{handlers}/h2")
        assert (answer.status, answer.body) == (204, b"")
    assert ask("GET", handlers).json["handlers"] == []
    assert ask("DELETE", f"{TOPICS}/no-such-topic").status == 204


def test_a_handler_may_be_posted_to_the_topic_itself(ask: Any) -> None:
    assert ask("POST", f"{TOPICS}/itself", {"id": "h", "kind": "foo"}).status == 200
    posted = ask("POST", f"{TOPICS}/itself/any", {"id": "i", "kind": "foo"})
    assert posted.status == 200
    found = ask("GET", f"{TOPICS}/itself/handlers?pattern=*").json
    assert [handler["id"] for handler in found["handlers"]] == ["h", "i"]
    href = "/kapacitor/v1/alerts/topics/itself/handlers?pattern=*"
    assert found["link"]["href"] == href


def test_anonymous_topics_follow_their_task(ask: Any) -> None:
    script = f'{STREAM}|alert().crit(lambda: "v" > 5).foo()'
    ask("POST", "/tasks", task_body(id="anon", script=script, status="enabled"))
    ask("POST", "/write?db=d&rp=r", "anon v=9 1")
    path = f"{TOPICS}/main:anon:alert2"
    assert ask("GET", path).json["collected"] == 1
    assert ask("GET", f"{path}/handlers").json["handlers"] == []
    ask("PATCH", "/tasks/anon", {"status": "disabled"})
    assert ask("GET", path).status == 404
    ask("PATCH", "/tasks/anon", {"status": "enabled"})
    topic = ask("GET", path).json
    assert (topic["level"], topic["collected"]) == ("CRITICAL", 0)
    ask("DELETE", "/tasks/anon")
    assert ask("GET", path).status == 404
    ask("POST", "/tasks", task_body(id="anon", script=script, status="enabled"))
    assert ask("GET", path).json["level"] == "OK"
    ask("DELETE", "/tasks/anon")


# --- writing


@pytest.mark.parametrize(
    ("query", "body", "status", "text"),
    [
        ("db=d&rp=r", "", 204, ""),
        ("db=d", "# nothing\n\n", 204, ""),
        ("", "", 400, "database is required\n"),
        ("", "bad", 400, "unable to parse 'bad': missing fields\n"),
        ("db=d", "cpu bad", 400, "unable to parse 'cpu bad': invalid field format\n"),
        ("db=d", "cpu v=", 400, "unable to parse 'cpu v=': missing field value\n"),
        (
            "db=d",
            "bad\ncpu v=1\ncpu v=",
            400,
            "unable to parse 'bad': missing fields\n"
            "unable to parse 'cpu v=': missing field value\n",
        ),
        ("db=d&precision=us", "cpu v=1 1", 204, ""),
        ("db=d&precision=bogus", "cpu v=1 1", 204, ""),
    ],
)
def test_writes(ask: Any, query: str, body: str, status: int, text: str) -> None:
    answer = ask("POST", f"/write?{query}", body)
    assert (answer.status, answer.text) == (status, text)
    if status == 400:
        kind = answer.headers["Content-Type"]
        assert kind == "application/json; charset=utf-8"


def test_compressed_writes(ask: Any) -> None:
    headers = {"Content-Encoding": "gzip"}
    body = gzip.compress(b"cpu v=1 1")

    def write(body: bytes) -> tuple[int, str]:
        answer = ask("POST", "/write?db=d", body, headers)
        return answer.status, answer.text

    assert write(body) == (204, "")
    assert write(body[:-4]) == (400, "unexpected EOF\n")
    assert write(b"no gzip at all") == (400, "gzip: invalid header\n")


# --- input that means no good

DEEP = "[" * 100_000
NESTED = "[" * 600 + "]" * 600
HOSTILE = [
    ("POST", "/tasks", NESTED),
    ("POST", "/tasks", f'{{"vars":{{"a":{{"type":"list","value":{NESTED}}}}}}}'),
    ("POST", "/config/hipchat/", f'{{"set":{{"room":{NESTED}}}}}'),
    ("POST", "/service-tests/foo", f'{{"x":{NESTED}}}'),
    ("POST", f"{TOPICS}/t/handlers", f'{{"options":{{"a":{NESTED}}}}}'),
    ("PATCH", f"{TOPICS}/patched/handlers/h", NESTED),
    ("POST", "/config/hipchat/", '{"set":{"room":' + "9" * 5000 + "}}"),
    ("POST", "/tasks", DEEP),
    ("POST", "/tasks", '{"id":' + DEEP),
    ("POST", "/tasks", {"id": "x" * 100_000, "script": STREAM, "dbrps": DBRPS}),
    ("POST", "/tasks", task_body(id="..")),
    ("POST", "/tasks", task_body(script="stream" + "|from()" * 20_000)),
    ("POST", "/tasks", task_body(script="var x = " + "(" * 20_000)),
    ("POST", "/tasks", task_body(script="\x00")),
    ("POST", "/tasks", task_body(vars={"a": {"type": "int", "value": 1e300}})),
    ("POST", "/tasks", task_body(vars={"a": {"type": "int", "value": 10**400}})),
    ("POST", "/tasks", task_body(vars={"a": {"type": "regex", "value": "("}})),
    ("POST", "/tasks", task_body(vars={"a": {"type": "lambda", "value": "("}})),
    ("POST", "/tasks", task_body(vars={"a": None})),
    ("POST", "/tasks", task_body(vars={"a": 5})),
    ("POST", "/tasks", task_body(vars={"a": {"type": "list", "value": [[]]}})),
    ("POST", "/tasks", task_body(dbrps=[None])),
    ("POST", "/tasks", task_body(dbrps=[{"db": 5}])),
    ("POST", "/tasks", b"\xff\xfe"),
    ("POST", "/tasks", '{"id":"\\ud800"}'),
    ("POST", "/templates", {"id": "\ud800".encode("utf-8", "replace").decode()}),
    ("PATCH", "/tasks/x", DEEP),
    ("GET", "/tasks?limit=99999999999999999999", None),
    ("GET", "/tasks?offset=-5", None),
    ("GET", "/tasks?offset=9223372036854775807", None),
    ("GET", "/tasks?pattern=%ff%00", None),
    ("GET", "/tasks?fields=", None),
    ("GET", "/tasks?pattern=" + "*x" * 50 + "y", None),
    ("GET", f"{TOPICS}?pattern=" + "*e" * 50 + "y", None),
    ("GET", "/service-tests?pattern=" + "*o" * 50 + "y", None),
    ("POST", "/tasks", task_body(id="x" * 100)),
    (
        "POST",
        "/tasks",
        task_body(
            script=f"{STREAM}|alert().crit(lambda: TRUE).id('" + "{{ (" * 3000 + "')",
            status="enabled",
        ),
    ),
    (
        "POST",
        "/tasks",
        task_body(script=f"{STREAM}|where(lambda: TRUE{' OR TRUE' * 3000})"),
    ),
    ("POST", "/tasks", task_body(script=STREAM + "|log()" * 400, status="enabled")),
    ("POST", "/users", DEEP),
    ("GET", "/deliveries?state=%00&limit=x", None),
    ("DELETE", "/recordings/..%2f..%2fx", None),
    ("GET", "/replays/%00", None),
    ("GET", "/tasks/%00", None),
    ("GET", "/tasks/" + "x" * 4000, None),
    ("GET", "/tasks/%zz", None),
    ("GET", "/tasks/%ff", None),
    ("GET", "/tasks/a/b/c", None),
    ("DELETE", "/tasks/%00", None),
    ("POST", "/config/hipchat/", DEEP),
    ("POST", "/config/hipchat/", {"set": {"url": "http://[::1"}}),
    ("POST", "/config/hipchat/", {"set": {"enabled": True, "url": "http://h:x"}}),
    ("POST", "/config/hipchat/", {"set": {"enabled": True, "url": "\x00"}}),
    ("POST", "/config/hipchat/", {"set": "room"}),
    ("POST", "/config/hipchat/", {"set": [1]}),
    ("POST", "/config/hipchat/", {"delete": "room"}),
    ("POST", "/config/hipchat/", {"delete": [5]}),
    ("POST", "/config/hipchat/", {"remove": {"a": 1}}),
    ("POST", "/config/hipchat/", {"set": {"room": "\ud83d\ude00" * 5000}}),
    ("GET", "/config/%00/", None),
    ("POST", "/service-tests/foo", DEEP),
    ("POST", "/service-tests/foo", '{"room": 1e999}'),
    ("POST", "/service-tests/foo", '"text"'),
    ("GET", "/service-tests?pattern=" + "*" * 2000 + "x", None),
    ("GET", "/service-tests/%00", None),
    ("POST", f"{TOPICS}/t/handlers", DEEP),
    ("POST", f"{TOPICS}/t/handlers", '{"options":' + '{"a":' * 50_000),
    (
        "POST",
        f"{TOPICS}/t/handlers",
        {"id": "h", "kind": "foo", "match": "(" * 20_000},
    ),
    (
        "POST",
        f"{TOPICS}/t/handlers",
        {"id": "h", "kind": "foo", "match": "-" * 20_000 + "1"},
    ),
    ("POST", f"{TOPICS}/t/handlers", {"id": "h", "kind": "foo", "options": []}),
    ("POST", f"{TOPICS}/t/handlers", {"id": "h", "kind": "foo", "options": "x"}),
    ("POST", f"{TOPICS}/t/handlers", {"id": "h", "kind": "foo", "match": 5}),
    (
        "POST",
        f"{TOPICS}/t/handlers",
        {"id": "h", "kind": "log", "options": {"path": "/x", "mode": -1}},
    ),
    (
        "POST",
        f"{TOPICS}/t/handlers",
        {"id": "h", "kind": "log", "options": {"path": "/x", "mode": 1e300}},
    ),
    (
        "POST",
        f"{TOPICS}/t/handlers",
        {"id": "h", "kind": "log", "options": {"path": "/\x00"}},
    ),
    ("PATCH", f"{TOPICS}/patched/handlers/h", DEEP),
    ("PATCH", f"{TOPICS}/patched/handlers/h", [None]),
    ("PATCH", f"{TOPICS}/patched/handlers/h", [5]),
    ("PATCH", f"{TOPICS}/patched/handlers/h", [{}]),
    ("PATCH", f"{TOPICS}/patched/handlers/h", [{"op": 5, "path": 5}]),
    (
        "PATCH",
        f"{TOPICS}/patched/handlers/h",
        [{"op": "add", "path": "/options/a/b/c", "value": 1}],
    ),
    (
        "PATCH",
        f"{TOPICS}/patched/handlers/h",
        [{"op": "move", "from": "/options", "path": "/options/a"}],
    ),
    (
        "PATCH",
        f"{TOPICS}/patched/handlers/h",
        [{"op": "copy", "from": "", "path": "/options/a"}] * 60,
    ),
    ("PATCH", f"{TOPICS}/patched/handlers/h", [{"op": "remove", "path": ""}]),
    (
        "PATCH",
        f"{TOPICS}/patched/handlers/h",
        [{"op": "replace", "path": "", "value": 5}],
    ),
    ("GET", f"{TOPICS}/%00/events/%00", None),
    ("GET", f"{TOPICS}?pattern=" + "a*" * 2000 + "%5B", None),
    ("POST", "/loglevel", {"level": 5}),
    ("POST", "/loglevel", []),
    ("POST", "/loglevel", DEEP),
    ("POST", "/write?db=%00&rp=%ff", "cpu v=1"),
    ("POST", "/write?db=d", b"\xff\xfe\x00"),
    ("POST", "/write?db=d", b"cpu v=" + b"9" * 100_000),
    ("POST", "/write?db=d", b"cpu," + b"a" * 100_000 + b"=1 v=1"),
    ("POST", "/write?db=d", b"cpu v=1 -99999999999999999999999"),
    ("POST", "/write?db=d&precision=h", b"cpu v=1 9223372036854775807"),
    ("POST", "/write?db=d", b'cpu v="' + b"x" * 100_000),
    ("GET", "/:routes/x", None),
    ("POST", "/recordings/stream", {}),
    ("POST", "/recordings/stream", DEEP),
    ("GET", "/recordings/", None),
    ("GET", "/recordings/nope", None),
    ("POST", "/replays", {}),
    ("GET", "/replays/nope", None),
    ("GET", "/storage/stores", None),
    ("POST", "/storage/stores/nope", {}),
    ("POST", "/storage/stores/tasks", DEEP),
]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    HOSTILE,
    ids=lambda value: str(value)[:40] if value else None,
)
def test_hostile_requests_get_an_answer(
    ask: Any, method: str, path: str, body: object
) -> None:
    before = len(ask.server.log)
    answer = ask(method, path, body)
    if "%zz" in path:  # refused with the head, before any route, in Go's words
        assert (answer.status, answer.text) == (400, "400 Bad Request")
        return
    assert answer.status < 500 or answer.told[1]
    if answer.status >= 400 and not path.startswith("/write"):
        assert answer.told[1]
    assert "Traceback" not in ask.server.log[before:]
    assert "Traceback" not in answer.text
    # no mistake of the server's own shows
    assert not re.search(
        r"\b(KeyError|TypeError|AttributeError|IndexError|RecursionError|"
        r"UnicodeEncodeError|OverflowError|internal error)\b",
        answer.text,
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "é"},
        {"Accept-Encoding": "é"},
        {"Authorization": "Basic é"},
        {"Content-Type": "é"},
        {"Content-Encoding": "é"},
        {"Request-Id": "é"},
        {"Expect": "100-continue"},
        {"Expect": "nonsense"},
        {"Host": ""},
        {"Host": "é"},
        {"Connection": "upgrade", "Upgrade": "websocket"},
        {"X-HTTP-Method-Override": "DELETE"},
    ],
    ids=lambda headers: "-".join(headers),
)
def test_odd_headers(ask: Any, headers: dict[str, str]) -> None:
    before = len(ask.server.log)
    for method, path, body in (
        ("GET", "/config", None),
        ("POST", "/write?db=d", "cpu v=1"),
        ("OPTIONS", "/x", None),
    ):
        assert ask(method, path, body, headers).status < 500
    assert "Traceback" not in ask.server.log[before:]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /kapacitor/v1/ping HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET /kapacitor/v1/ping HTTP/1.1\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x00" * 1000,
        b"\r\n" * 1000,
    ],
)
def test_broken_requests_end_their_connection_only(
    ask: Any, request_bytes: bytes
) -> None:
    before = len(ask.server.log)
    with socket.create_connection(("127.0.0.1", ask.server.port), 10) as connection:
        try:
            connection.sendall(request_bytes)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except OSError as error:
            # a shutdown after a reset by the server raises ENOTCONN
            assert isinstance(error, ConnectionError) or error.errno == errno.ENOTCONN
    assert ask("GET", "/ping").status == 204
    assert "Traceback" not in ask.server.log[before:]
