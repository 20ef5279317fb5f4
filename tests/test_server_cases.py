"""Twenty-five tricky requests and Kapacitor's answers, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest

BASE = "/kapacitor/v1"
TOPICS = "/alerts/topics"


@pytest.fixture(scope="module")
def server(start_shared_kapacitord) -> Any:
    return start_shared_kapacitord('[hipchat]\n  url = "http://hipchat.example.com"\n')


def test_01_an_unknown_method_of_a_path_is_not_found(ask: Any) -> None:
    assert ask.refused("PUT", "/ping") == (404, "Not Found")


def test_02_options_are_for_everybody(ask: Any) -> None:
    answer = ask("OPTIONS", "/no/such")
    assert (answer.status, answer.text) == (200, "")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "X-Kapacitor-Version" not in answer.headers
    assert "Content-Type" not in answer.headers


def test_03_unclean_paths_are_redirected(ask: Any) -> None:
    answer = ask("GET", "//config")
    assert answer.status == 301
    assert answer.headers["Location"] == "/kapacitor/v1/config"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text == '<a href="/kapacitor/v1/config">Moved Permanently</a>.\n\n'
    assert "Request-Id" not in answer.headers


def test_04_an_element_needs_its_slash(ask: Any) -> None:
    assert ask.refused("POST", "/config/hipchat", {"set": {"room": "x"}}) == (
        400,
        "failed to apply update: invalid update action: element not specified, "
        "are you missing a trailing '/'?",
    )


def test_05_an_empty_update_is_fine(ask: Any) -> None:
    answer = ask("POST", "/config/hipchat/", {})
    assert (answer.status, answer.text) == (204, "")


def test_06_an_update_is_validated(ask: Any) -> None:
    update = {"set": {"enabled": True, "url": ""}}
    assert ask.refused("POST", "/config/hipchat/", update) == (
        400,
        "failed to override configuration hipchat/: failed validation: must specify url",
    )


def test_07_null_is_no_text(ask: Any) -> None:
    assert ask.refused("POST", "/config/hipchat/", {"set": {"room": None}}) == (
        400,
        "failed to override configuration hipchat/: cannot set option room: "
        "wrong kind invalid, expected value of kind string: false",
    )


def test_08_nothing_can_be_removed_from_what_is_no_list(ask: Any) -> None:
    answer = ask("POST", "/config/hipchat", {"remove": ["a"]})
    assert (answer.status, answer.text) == (204, "")


def test_09_a_secret_shows_only_whether_it_is_set(ask: Any) -> None:
    assert ask("POST", "/config/hipchat/", {"set": {"token": "t"}}).status == 204
    answer = ask("GET", "/config/hipchat/")
    assert answer.status == 200
    assert answer.text == (
        '{"link":{"rel":"self","href":"/kapacitor/v1/config/hipchat/"},'
        '"options":{"enabled":false,"global":false,"room":"",'
        '"state-changes-only":false,"token":true,"url":"http://hipchat.example.com"},'
        '"redacted":["token"]}\n'
    )


def test_10_an_element_is_added_once(ask: Any) -> None:
    element = {"add": {"endpoint": "e1", "url": "http://h/"}}
    assert ask("POST", "/config/httppost", element).status == 204
    assert ask("GET", "/config/httppost/e1").status == 200
    # Kapacitor drops the connection
    status, text = ask.refused("POST", "/config/httppost", element)
    assert (status, "e1" in text) == (400, True)
    assert ask("POST", "/config/httppost", {"remove": ["e1"]}).status == 204


def test_11_no_service_test_matches(ask: Any) -> None:
    answer = ask("GET", "/service-tests?pattern=zzz*")
    assert (answer.status, answer.text) == (
        200,
        '{"link":{"rel":"self","href":"/kapacitor/v1/service-tests"},'
        '"services":null}\n',
    )


def test_12_a_service_test_needs_a_body(ask: Any) -> None:
    assert ask.refused("POST", "/service-tests/foo", "") == (
        400,
        "failed to decode JSON body:EOF",
    )


def test_13_an_empty_level_is_ok(ask: Any) -> None:
    answer = ask("POST", "/service-tests/hipchat", {"level": ""})
    assert (answer.status, answer.text) == (
        200,
        '{"success":false,"message":"service is not enabled"}\n',
    )


def test_14_an_unknown_kind_of_handler(ask: Any) -> None:
    handler = {"id": "h", "kind": "nope"}
    assert ask.refused("POST", f"{TOPICS}/t/handlers", handler) == (
        500,
        'failed to create handler: unsupported action kind "nope"',
    )


def test_15_unknown_options_of_a_handler(ask: Any) -> None:
    handler = {"id": "h", "kind": "hipchat", "options": {"rooom": "a", "foo": 1}}
    assert ask.refused("POST", f"{TOPICS}/t/handlers", handler) == (
        500,
        "failed to create handler: failed to decode options into "
        "*hipchat.HandlerConfig: 1 error(s) decoding:\n\n"
        "* '' has invalid keys: foo, rooom",
    )


def test_16_an_interval_is_a_number(ask: Any) -> None:
    options = {"interval": "10s", "topic": "q"}
    handler = {"id": "a", "kind": "aggregate", "options": options}
    assert ask.refused("POST", f"{TOPICS}/t/handlers", handler) == (
        500,
        "failed to create handler: failed to decode options into "
        "*alert.AggregateHandlerConfig: 1 error(s) decoding:\n\n"
        "* 'interval' expected type 'time.Duration', got unconvertible type 'string', "
        "value: '10s'",
    )


def test_17_keys_of_options_match_in_any_case(ask: Any) -> None:
    handler = {"id": "c17", "kind": "hipchat", "options": {"ROOM": "x"}}
    answer = ask("POST", f"{TOPICS}/c17/handlers", handler)
    assert answer.status == 200
    assert answer.text == (
        "{\n"
        '    "link": {\n'
        '        "rel": "self",\n'
        '        "href": "/kapacitor/v1/alerts/topics/c17/handlers/c17"\n'
        "    },\n"
        '    "id": "c17",\n'
        '    "kind": "hipchat",\n'
        '    "options": {\n'
        '        "ROOM": "x"\n'
        "    },\n"
        '    "match": ""\n'
        "}"
    )


def test_18_a_patch_cannot_change_the_topic(ask: Any) -> None:
    ask("POST", f"{TOPICS}/c18/handlers", {"id": "h", "kind": "hipchat"})
    patch = [{"op": "replace", "path": "/topic", "value": "o"}]
    assert ask.refused("PATCH", f"{TOPICS}/c18/handlers/h", patch) == (
        500,
        "failed to update handler: cannot change topic in update",
    )


def test_19_a_patch_of_options_that_are_not_there(ask: Any) -> None:
    ask("POST", f"{TOPICS}/c19/handlers", {"id": "h1", "kind": "hipchat"})
    patch = [{"op": "add", "path": "/options/room", "value": "r"}]
    assert ask.refused("PATCH", f"{TOPICS}/c19/handlers/h1", patch) == (
        400,
        "failed to apply patch: add operation does not apply: doc is missing path: "
        '"/options/room": missing value',
    )


def test_20_deleting_the_list_of_handlers_deletes_the_topic(ask: Any) -> None:
    ask("POST", f"{TOPICS}/c20/handlers", {"id": "h", "kind": "hipchat"})
    answer = ask("DELETE", f"{TOPICS}/c20/handlers")
    assert (answer.status, answer.text) == (204, "")
    handlers = ask("GET", f"{TOPICS}/c20/handlers").json["handlers"]
    assert [handler["id"] for handler in handlers] == ["h"]
    assert ask.refused("GET", f"{TOPICS}/c20") == (404, 'unknown topic: "c20"')


def test_21_events_of_an_unknown_topic(ask: Any) -> None:
    assert ask.refused("GET", f"{TOPICS}/nope/events") == (
        500,
        'failed to get topic events: unknown topic "nope"',
    )


def test_22_handlers_of_an_unknown_topic(ask: Any) -> None:
    answer = ask("GET", f"{TOPICS}/nope/handlers")
    assert (answer.status, answer.text) == (
        200,
        "{\n"
        '    "link": {\n'
        '        "rel": "self",\n'
        '        "href": "/kapacitor/v1/alerts/topics/nope/handlers"\n'
        "    },\n"
        '    "topic": "nope",\n'
        '    "handlers": []\n'
        "}",
    )


def test_23_a_task_is_what_its_script_says(ask: Any) -> None:
    task = {
        "id": "c23",
        "type": "batch",
        "script": "stream|from()",
        "dbrps": [{"db": "d", "rp": "r"}],
    }
    answer = ask("POST", "/tasks", task)
    assert (answer.status, answer.json["type"]) == (200, "stream")
    assert ask("GET", "/tasks/c23").json["type"] == "stream"


def test_24_a_task_that_cannot_start_is_kept(ask: Any) -> None:
    text = (
        "failed to create log alert handler: log path must be absolute: "
        "rel is not absolute"
    )
    task = {
        "id": "c24",
        "script": "stream|from()|alert().crit(lambda: TRUE).log('rel')",
        "dbrps": [{"db": "d", "rp": "r"}],
        "status": "enabled",
    }
    assert ask.refused("POST", "/tasks", task) == (500, text)
    found = ask("GET", "/tasks/c24").json
    assert (found["status"], found["executing"], found["error"]) == (
        "enabled",
        False,
        text,
    )


def test_25_a_write_needs_a_database(ask: Any) -> None:
    for path in ("/write", f"{BASE}/write"):
        answer = ask.raw("POST", f"{path}?rp=r", "cpu v=5")
        assert (answer.status, answer.text) == (400, "database is required\n")
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_previews_answer_for_the_real_base(ask: Any) -> None:
    answer = ask.raw("GET", "/kapacitor/v1preview/config/foo")
    assert answer.status == 200
    assert answer.json["link"]["href"] == "/kapacitor/v1/config/foo"


def test_the_link_of_topics_echoes_the_query(ask: Any) -> None:
    answer = ask("GET", f"{TOPICS}?min-level=warn&pattern=a*")
    assert answer.status == 200
    href = '"/kapacitor/v1/alerts/topics?min-level=warn\\u0026pattern=a*"'
    assert href in answer.text
