import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.alert.types import Event, EventState, Level
from runtime.golang.json import dumps
from runtime.golang.quoting import quote
from runtime.services.alert.api import (
    PATH,
    AlertAPI,
    Query,
    Reply,
    _event_text,
    _event_tree,
)
from runtime.services.httpd.listing import Listed, Page

OK, INFO, WARNING, CRITICAL = Level


def error(status, text):
    return Reply(status, {"error": text, "message": text})


def link(path):
    return {"rel": "self", "href": PATH + path}


@pytest.fixture
def ask(api):
    def ask(method, path, body=b"", **query):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        reply = api.handle(method, path, Query(**query), body, uri=PATH + path)
        if isinstance(reply.value, Listed):
            return Reply(reply.status, reply.value.value)
        return reply

    return ask


@pytest.fixture
def define(ask):
    def define(topic, handler, kind="foo", **more):
        body = {"id": handler, "kind": kind, **more}
        reply = ask("POST", f"/{topic}/handlers", body)
        assert reply.status == 200, reply
        return reply.value

    return define


@pytest.fixture
def collect(service):
    def collect(topic, event_id, level, time=6_000_000_000, duration=4_000_000_000):
        state = EventState(event_id, "a is CRITICAL", "D", time, duration, level)
        service.collect(Event(topic, state))

    return collect


def test_a_topic_shows_level_count_and_links(ask, collect):
    collect("cpu", "a", WARNING)
    tree = {
        "link": link("/cpu"),
        "id": "cpu",
        "level": "WARNING",
        "collected": 1,
        "events-link": {"rel": "events", "href": f"{PATH}/cpu/events"},
        "handlers-link": {"rel": "handlers", "href": f"{PATH}/cpu/handlers"},
    }
    assert ask("GET", "/cpu") == Reply(200, tree)
    assert list(ask("GET", "/cpu").value) == list(tree)
    assert ask("GET", "/cpu/bogus") == Reply(200, tree)
    assert ask("GET", "/cpu/events/a/b") == Reply(200, tree)
    assert ask("GET", "") == Reply(200, {"link": link(""), "topics": [tree]})


def test_topics_are_listed_by_pattern_and_level(ask, collect):
    for topic, level in (("b", CRITICAL), ("a1", INFO), ("a2", OK)):
        collect(topic, "x", level)

    def found(**query):
        return [each["id"] for each in ask("GET", "", **query).value["topics"]]

    assert found() == ["a1", "a2", "b"]
    assert found(pattern="a*", min_level="info") == ["a1"]
    assert found(min_level="warn") == ["b"]


def test_an_event_shows_its_state(ask, collect):
    collect("cpu", "a", CRITICAL)
    tree = {
        "link": link("/cpu/events/a"),
        "id": "a",
        "state": {
            "message": "a is CRITICAL",
            "details": "D",
            "time": "1970-01-01T00:00:06Z",
            "duration": "4s",
            "level": "CRITICAL",
        },
    }
    assert ask("GET", "/cpu/events/a") == Reply(200, tree)
    assert ask("GET", "/cpu/events", min_level="crit") == Reply(
        200, {"link": link("/cpu/events"), "topic": "cpu", "events": [tree]}
    )


@pytest.mark.parametrize(
    ("path", "query", "status", "text"),
    [
        ("/nope", {}, 404, 'unknown topic: "nope"'),
        ("/", {}, 404, 'unknown topic: ""'),
        (
            "/nope/events",
            {},
            500,
            'failed to get topic events: unknown topic "nope"',
        ),
        ("/t/events/x", {}, 404, 'unknown event "x" in topic "t"'),
        ("/t/events/", {}, 404, 'unknown event "events" in topic "t"'),
        ("/t/handlers/zz", {}, 404, 'unknown handler: "zz"'),
        ("/t/handlers/", {}, 404, 'unknown handler: ""'),
        ("", {"pattern": "["}, 400, "invalid pattern: syntax error in pattern"),
        (
            "/t/handlers",
            {"pattern": "["},
            400,
            "invalid pattern: syntax error in pattern",
        ),
        ("", {"min_level": "bogus"}, 400, "unknown alert level 'BOGUS'"),
        ("/t/events", {"min_level": "bogus"}, 400, "unknown alert level 'BOGUS'"),
    ],
)
def test_reading_fails_in_kapacitors_words(ask, path, query, status, text):
    assert ask("GET", path, **query) == error(status, text)


def test_an_unknown_topic_has_no_handlers(ask):
    assert ask("GET", "/nope/handlers") == Reply(
        200, {"link": link("/nope/handlers"), "topic": "nope", "handlers": []}
    )


def test_a_handler_is_echoed_as_it_was_sent(ask, define):
    tree = {
        "link": link("/cpu/handlers/hip"),
        "id": "hip",
        "kind": "hipchat",
        "options": {"ROOM": "alerts"},
        "match": "",
    }
    assert define("cpu", "hip", "hipchat", options={"ROOM": "alerts"}) == tree
    assert ask("GET", "/cpu/handlers/hip") == Reply(200, tree)
    assert ask("GET", "/cpu").status == 200
    assert define("cpu", "foo")["options"] is None


def test_secrets_of_a_handler_are_not_shown(define):
    options = {"room": "r", "Token": "hush"}
    shown = define("cpu", "hip", "hipchat", options=options)["options"]
    assert shown == {"Token": "***", "room": "r"}


def test_handlers_are_listed_by_id(ask, define):
    for handler in ("b", "a1", "a2"):
        define("t", handler)

    def found(**query):
        trees = ask("GET", "/t/handlers", **query).value["handlers"]
        return [each["id"] for each in trees]

    assert found() == ["a1", "a2", "b"]
    assert found(pattern="a?") == ["a1", "a2"]


def test_a_post_anywhere_below_a_topic_defines_a_handler(ask):
    body = {"id": "h", "kind": "foo", "topic": "ignored"}
    assert ask("POST", "/t/anything", body).status == 200
    assert ask("GET", "/t/handlers/h").status == 200


def created(text):
    return f"failed to create handler: {text}"


NAME = "must contain only letters, numbers, '-', '.' and '_'."


@pytest.mark.parametrize(
    ("topic", "body", "status", "text"),
    [
        ("t", b"", 400, "invalid handler json: EOF"),
        (
            "t",
            {"id": "h 1", "kind": "foo"},
            400,
            f'invalid handler spec: handler ID {NAME} "h 1"',
        ),
        (
            "t t",
            {"id": "x", "kind": "foo"},
            400,
            f'invalid handler spec: handler topic {NAME} "x"',
        ),
        ("t", {"id": "h"}, 400, "invalid handler spec: handler Kind must not be empty"),
        (
            "t",
            {"id": "h", "kind": "nope"},
            500,
            created('unsupported action kind "nope"'),
        ),
        (
            "t",
            {"id": "h", "kind": "discord"},
            500,
            created(
                'unsupported action kind "discord"; this server has no discord handler. '
                "Generate it from a spec with `scaffold new-handler --spec discord.toml`, "
                "and run kapacitord in the project that has it"
            ),
        ),
        (
            "t",
            {"id": "h", "kind": "email"},
            500,
            created('unsupported action kind "email"; did you mean "smtp"?'),
        ),
        (
            "t",
            {"id": "h", "kind": "slak"},
            500,
            created('unsupported action kind "slak"; did you mean "slack"?'),
        ),
        (
            "t",
            {"id": "h", "kind": "hipchat", "options": {"rooom": "a", "foo": 1}},
            500,
            created(
                "failed to decode options into *hipchat.HandlerConfig: "
                "1 error(s) decoding:\n\n* '' has invalid keys: foo, rooom"
            ),
        ),
        (
            "t",
            {"id": "h1", "kind": "foo"},
            500,
            created(
                'cannot register handler, handler with ID "h1" already exists',
            ),
        ),
        (
            "t",
            {"id": "h", "kind": "foo", "match": 'level() == "FOO" AND FOO'},
            500,
            created('invalid match expression: unknown identifier "FOO"'),
        ),
        (
            "t",
            {"id": "h", "kind": 5},
            400,
            "invalid handler json: json: cannot unmarshal number into Go struct field "
            "HandlerSpec.kind of type string",
        ),
    ],
)
def test_defining_fails_in_kapacitors_words(ask, define, topic, body, status, text):
    define("t", "h1")
    assert ask("POST", f"/{topic}/handlers", body) == error(status, text)


def test_a_match_that_does_not_parse_says_where(ask):
    body = {"id": "h", "kind": "foo", "match": "bogus("}
    text = ask("POST", "/t/handlers", body).value["error"]
    assert text.startswith(
        created("invalid match expression: parser: unexpected EOF line 1 char 7 in ")
    )


@pytest.mark.parametrize("id", ["a/b", "..%2f", "a\n", "*", "a b", "a\0b", "é!", ""])
def test_names_that_would_be_ambiguous_in_a_path_are_refused(ask, id):
    body = {"id": id, "kind": "foo"}
    assert ask("POST", "/t/handlers", body) == error(
        400, f"invalid handler spec: handler ID {NAME} {quote(id)}"
    )
    if "/" not in id and id:
        told = f'invalid handler spec: handler topic {NAME} "h"'
        assert ask("POST", f"/{id}/handlers", {**body, "id": "h"}) == error(400, told)


@pytest.mark.parametrize("id", ["all", "...", "events", "handlers", "x" * 250])
def test_names_that_only_look_special_are_names(ask, define, id):
    define(id, id)
    define(id, "other")
    assert ask("GET", f"/{id}/handlers/{id}").value["id"] == id
    assert ask("DELETE", f"/{id}/handlers/{id}").status == 204
    [left] = ask("GET", f"/{id}/handlers").value["handlers"]
    assert left["id"] == "other"


def test_letters_of_any_script_make_names(ask, define):
    define("tü:x", "hé-1._")


def test_put_replaces_all_fields_and_may_rename(ask, define):
    define("t", "h", options={"room": "x"}, match="changed()")
    reply = ask("PUT", "/t/handlers/h", {"id": "i", "kind": "hipchat"})
    assert reply.value["id"] == "i"
    assert (reply.value["options"], reply.value["match"]) == (None, "")
    assert ask("GET", "/t/handlers/h").status == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/t/handlers/zz", b"", 404, 'unknown handler: "zz"'),
        ("/t", b"", 404, 'unknown handler: ""'),
        ("/t/handlers/h", b"", 400, "failed to unmarshal JSON: EOF"),
        (
            "/t/handlers/h",
            {"id": "h", "kind": "nope"},
            500,
            'failed to update handler: unsupported action kind "nope"',
        ),
        (
            "/t/handlers/h",
            {"kind": "foo"},
            400,
            f'invalid handler spec: handler ID {NAME} ""',
        ),
    ],
)
def test_put_fails_in_kapacitors_words(ask, define, path, body, status, text):
    define("t", "h")
    assert ask("PUT", path, body) == error(status, text)


def test_patch_changes_what_it_names(ask, define):
    define("t", "h", options={"room": "x"})
    patch = [
        {"op": "replace", "path": "/options/room", "value": "y"},
        {"op": "add", "path": "/match", "value": "changed()"},
    ]
    reply = ask("PATCH", "/t/handlers/h", patch)
    assert reply.status == 200
    assert reply.value["options"] == {"room": "y"}
    assert reply.value["match"] == "changed()"


MISSING = "missing value"


@pytest.mark.parametrize(
    ("options", "patch", "status", "text"),
    [
        (None, b"", 400, "invalid patch json: unexpected end of JSON input"),
        (None, b"[", 400, "invalid patch json: unexpected end of JSON input"),
        (
            None,
            {},
            400,
            "invalid patch json: json: cannot unmarshal object into Go value of type "
            "jsonpatch.Patch",
        ),
        (
            {"room": "x"},
            [{"op": "remove", "path": "/options/nope"}],
            400,
            "failed to apply patch: error in remove for path: '/options/nope': "
            f"Unable to remove nonexistent key: nope: {MISSING}",
        ),
        (
            None,
            [{"op": "add", "path": "/options/room", "value": "r"}],
            400,
            "failed to apply patch: add operation does not apply: doc is missing "
            f'path: "/options/room": {MISSING}',
        ),
        (
            None,
            [{"op": "bogus", "path": "/x"}],
            400,
            "failed to apply patch: Unexpected kind: bogus",
        ),
        (
            None,
            [{"op": "replace", "path": "/kind", "value": 5}],
            500,
            "failed to unmarshal patched json: json: cannot unmarshal number into Go "
            "struct field HandlerSpec.kind of type string",
        ),
        (
            None,
            [{"op": "replace", "path": "/topic", "value": "o"}],
            500,
            "failed to update handler: cannot change topic in update",
        ),
    ],
)
def test_patch_fails_in_kapacitors_words(ask, define, options, patch, status, text):
    define("t", "h", options=options)
    assert ask("PATCH", "/t/handlers/h", patch) == error(status, text)


def test_deleting_succeeds_whatever_there_is(ask, define, collect):
    define("t", "h")
    collect("t", "a", CRITICAL)
    assert ask("DELETE", "/t/handlers/h") == Reply(204)
    assert ask("DELETE", "/t/handlers/h") == Reply(204)
    assert ask("GET", "/t/handlers/h").status == 404
    assert ask("DELETE", "/t/handlers") == Reply(204)
    assert ask("GET", "/t").status == 404
    assert ask("DELETE", "/t") == Reply(204)


def test_other_methods_are_not_found(api):
    assert api.handle("POST", "").status == 404
    assert api.handle("DELETE", "").status == 404
    assert isinstance(api, AlertAPI)


@pytest.mark.parametrize("shown", ["***", "<redacted>", "[REDACTED]", "<secret>"])
def test_a_placeholder_is_never_stored_as_a_secret(ask, define, service, shown):
    body = {"id": "a", "kind": "hipchat", "options": {"token": shown, "room": "r"}}
    reply = ask("POST", "/t/handlers", body)
    assert reply.status == 400
    assert "option token has" in reply.value["error"]
    define("t", "h", "hipchat", options={"token": "real", "room": "r"})
    body = {"id": "h", "kind": "hipchat", "options": {"token": shown, "room": "x"}}
    assert ask("PUT", "/t/handlers/h", body).status == 200
    assert service.handlers.get("t", "h").options == {"token": "real", "room": "x"}


def test_lists_are_cut_into_pages(ask, define, service):
    for number in range(5):
        define("t", f"h{number}")
        service.update_event("t", EventState(f"e{number}", level=Level.CRITICAL))
        service.update_event(f"u{number}", EventState("e"))
    page = Page(1, 2)
    for path, name, ids in (
        ("", "topics", ["u0", "u1"]),
        ("/t/handlers", "handlers", ["h1", "h2"]),
        ("/t/events", "events", ["e1", "e2"]),
    ):
        value = ask("GET", path, page=page).value
        assert [each["id"] for each in value[name]] == ids


@given(st.text(), st.text(), st.integers(-(2**63), 2**63 - 1))
def test_the_text_of_an_event_is_that_of_its_tree(id, text, number):
    state = EventState(id, text, text, number, number, Level.WARNING)
    whole = dumps(_event_tree("t", state), indent="    ")
    assert _event_text(f"{PATH}/t/events/", state) == whole
