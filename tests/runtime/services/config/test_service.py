"""The override API. Source of the texts: Kapacitor services/config."""

import json
from typing import Any

import pytest

HIPCHAT = (
    '{"link":{"rel":"self","href":"/kapacitor/v1/config/hipchat/"},"options":'
    '{"enabled":false,"global":false,"room":"","state-changes-only":false,'
    '"token":false,"url":"http://hipchat.example.com"},"redacted":["token"]}'
)
FOO = (
    '{"link":{"rel":"self","href":"/kapacitor/v1/config/foo/"},"options":'
    '{"enabled":false,"room":"","url":""},"redacted":null}'
)
ACTION = "failed to apply update: invalid update action: "
OVERRIDE = "failed to override configuration hipchat/: "


def test_an_element_is_compact_and_hides_secrets(api: Any) -> None:
    assert api.ask("GET", "/config/hipchat/") == (200, HIPCHAT + "\n")
    assert api.ask("GET", "/config/foo/") == (200, FOO + "\n")


def test_a_section_lists_its_elements(api: Any) -> None:
    link = '{"link":{"rel":"self","href":"/kapacitor/v1/config/hipchat"}'
    expected = f'{link},"elements":[{HIPCHAT}]}}\n'
    assert api.ask("GET", "/config/hipchat") == (200, expected)


def test_all_sections_are_listed_by_name(api: Any) -> None:
    tree = api.json("GET", "/config")
    assert tree["link"] == {"rel": "self", "href": "/kapacitor/v1/config"}
    assert list(tree["sections"]) == sorted(tree["sections"])
    assert {"foo", "hipchat"} <= set(tree["sections"])


def test_the_preview_links_to_the_current_api(api: Any) -> None:
    answer = api.answer("GET", "/kapacitor/v1preview/config/foo/")
    assert answer.body.decode() == FOO + "\n"


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/config/", 400, "section not specified, do you have an extra trailing '/'?"),
        ("/config/nope", 404, "unknown section: nope"),
        ("/config/nope/", 404, "unknown section: nope"),
        ("/config/hip", 404, "unknown section: hip"),
        ("/config/hipchat/x", 404, "unknown section/element: hipchat/x"),
    ],
)
def test_what_is_not_there(api: Any, path: str, status: int, text: str) -> None:
    assert api.ask("GET", path) == (status, text)


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/hipchat/", "{", "failed to decode JSON:unexpected EOF"),
        (
            "/hipchat/",
            "[]",
            "failed to decode JSON:json: cannot unmarshal array into Go value of type config.updateAction",
        ),
        ("/", "{}", ACTION + "must provide section name"),
        ("/hip%20chat/", "{}", ACTION + 'invalid section name "hip chat"'),
        ("/hipchat/a.b", "{}", ACTION + 'invalid element name "a.b"'),
        (
            "/hipchat/",
            {"set": {"room": "x"}, "remove": ["a"]},
            ACTION
            + "cannot provide both set/delete and add/remove actions in the same update",
        ),
        (
            "/hipchat/x",
            {"add": {"room": "x"}},
            ACTION + "must not provide an element name when adding an a new override",
        ),
        (
            "/hipchat/x",
            {"remove": ["x"]},
            ACTION + "must not provide element when removing an override",
        ),
        (
            "/hipchat",
            {"set": {"room": "x"}},
            ACTION + "element not specified, are you missing a trailing '/'?",
        ),
        ("/nope", {"add": {"a": 1}}, 'failed to apply update: unknown section "nope"'),
        (
            "/hipchat",
            {"add": {"room": "a"}},
            'failed to apply update: section "hipchat" is not a list, cannot add new element',
        ),
        (
            "/hipchat/",
            {"set": {"zz": 1, "nope": 2}},
            OVERRIDE + "unknown options [nope zz] in section hipchat",
        ),
        (
            "/hipchat/",
            {"set": {"Room": "x"}},
            OVERRIDE + "unknown options [Room] in section hipchat",
        ),
        (
            "/nope/",
            {"set": {"a": 1}},
            "failed to override configuration nope/: unknown options [a] in section nope",
        ),
        (
            "/nope/",
            {},
            "failed to override configuration nope/: unknown section nope",
        ),
        (
            "/hipchat/",
            {"set": {"enabled": 1}},
            OVERRIDE
            + "cannot set option enabled: wrong kind float64, expected value of kind bool: false",
        ),
        (
            "/hipchat/",
            {"set": {"room": None}},
            OVERRIDE
            + "cannot set option room: wrong kind invalid, expected value of kind string: false",
        ),
        (
            "/hipchat/",
            {"set": {"room": ["a"]}},
            OVERRIDE
            + "cannot set option room: wrong kind slice, expected value of kind string: false",
        ),
        (
            "/hipchat/",
            {"set": {"enabled": True, "url": ""}},
            OVERRIDE + "failed validation: must specify url",
        ),
        (
            "/foo/",
            {"set": {"enabled": True}},
            "failed to override configuration foo/: failed validation: must specify the Foo server URL",
        ),
    ],
)
def test_refused_updates(api: Any, path: str, body: object, text: str) -> None:
    assert api.ask("POST", f"/config{path}", body) == (400, text)
    assert api.ask("GET", "/config/hipchat/") == (200, HIPCHAT + "\n")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/hipchat/", {}),
        ("/hipchat", {"remove": ["a"]}),
        ("/hipchat/", {"delete": ["nope"]}),
        ("/hipchat/", {"SET": {"room": "x"}}),
    ],
)
def test_accepted_updates(api: Any, path: str, body: object) -> None:
    assert api.ask("POST", f"/config{path}", body) == (204, "")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_other_methods_are_not_found(api: Any, method: str) -> None:
    assert api.ask(method, "/config/hipchat/") == (404, "Not Found")
    assert api.ask("POST", "/config", {}) == (404, "Not Found")


def test_updates_add_up_and_can_be_taken_back(api: Any) -> None:
    api.json("POST", "/config/hipchat/", {"set": {"token": "t", "room": "a"}})
    api.json("POST", "/config/hipchat/", {"set": {"global": True}})
    options = api.json("GET", "/config/hipchat/")["options"]
    assert (options["token"], options["room"], options["global"]) == (True, "a", True)
    api.json("POST", "/config/hipchat/", {"delete": ["room", "token"]})
    options = api.json("GET", "/config/hipchat/")["options"]
    assert (options["token"], options["room"], options["global"]) == (False, "", True)


def test_an_update_is_in_force_at_once(api: Any) -> None:
    api.json("POST", "/config/foo/", {"set": {"room": "new"}})
    assert api.json("GET", "/service-tests/foo")["options"]["room"] == "new"


def test_updates_survive_a_restart(api: Any) -> None:
    api.json("POST", "/config/foo/", {"set": {"room": "kept"}})
    api.restart()
    assert api.json("GET", "/config/foo/")["options"]["room"] == "kept"
    assert api.json("GET", "/service-tests/foo")["options"]["room"] == "kept"


def test_stored_updates_can_be_skipped(api: Any) -> None:
    api.json("POST", "/config/foo/", {"set": {"room": "kept"}})
    api.config.skip_config_overrides = True
    api.restart()
    assert api.json("GET", "/service-tests/foo")["options"]["room"] == ""


def test_a_switched_off_api_says_so(config: Any, start_api: Any) -> None:
    config.config_override = type(config.config_override)(enabled=False)
    api = start_api(config)
    refused = (403, "config override service is not enabled")
    assert api.ask("GET", "/config") == refused
    assert api.ask("POST", "/config/foo/", {}) == refused


def test_a_secret_never_comes_back(api: Any) -> None:
    api.json("POST", "/config/hipchat/", {"set": {"token": "s3cret-token"}})
    for path in ("/config", "/config/hipchat", "/service-tests/hipchat"):
        assert "s3cret-token" not in json.dumps(api.json("GET", path))
