"""Service tests. Source of the texts: Kapacitor services/servicetest."""

from typing import Any

import pytest

from runtime.alert.types import Level
from runtime.services.servicetest.options import level

LINK = '"link":{"rel":"self","href":"/kapacitor/v1/service-tests%s"}'
FOO = (
    "{" + LINK % "/foo" + ',"name":"foo","options":'
    '{"room":"","message":"test foo message"}}'
)
HIPCHAT = (
    "{" + LINK % "/hipchat" + ',"name":"hipchat","options":'
    '{"room":"","message":"test hipchat message","level":"CRITICAL"}}'
)


def test_a_test_shows_its_options_in_order(api: Any) -> None:
    assert api.ask("GET", "/service-tests/foo") == (200, FOO + "\n")
    assert api.ask("GET", "/service-tests/hipchat/") == (200, HIPCHAT + "\n")


@pytest.mark.parametrize(
    ("query", "services"),
    [("?pattern=foo*", f"[{FOO}]"), ("?pattern=zzz*", "null")],
)
def test_a_pattern_picks_tests(api: Any, query: str, services: str) -> None:
    expected = "{" + LINK % "" + f',"services":{services}}}\n'
    assert api.ask("GET", f"/service-tests{query}") == (200, expected)


def test_the_list_is_sorted(api: Any) -> None:
    names = [each["name"] for each in api.json("GET", "/service-tests")["services"]]
    assert names == sorted(names)
    assert {"foo", "hipchat"} <= set(names)


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "?pattern=[", 400, "bad pattern: syntax error in pattern"),
        ("GET", "/", 400, "must provide service name"),
        ("POST", "/", 400, "must provide service name"),
        ("GET", "/nope", 404, 'service "nope" not found'),
        ("POST", "/nope", 404, 'service "nope" not found'),
        ("GET", "/hipchat/x", 404, 'service "hipchat/x" not found'),
        ("POST", "", 404, "Not Found"),
        ("POST", "/foo", 400, "failed to decode JSON body:EOF"),
    ],
)
def test_refused(api: Any, method: str, path: str, status: int, text: str) -> None:
    assert api.ask(method, f"/service-tests{path}") == (status, text)


@pytest.mark.parametrize(
    ("service", "body", "text"),
    [
        ("foo", "[]", "array into Go value of type foo.testOptions"),
        (
            "foo",
            '{"room":5}',
            "number into Go struct field testOptions.room of type string",
        ),
        (
            "hipchat",
            '{"level":5}',
            "number into Go struct field testOptions.level of type alert.Level",
        ),
    ],
)
def test_options_of_the_wrong_type(
    api: Any, service: str, body: str, text: str
) -> None:
    expected = f"failed to decode JSON body:json: cannot unmarshal {text}"
    assert api.ask("POST", f"/service-tests/{service}", body) == (400, expected)


def test_an_unknown_level_wins_over_a_wrong_type(api: Any) -> None:
    expected = "failed to decode JSON body:unknown alert level 'BAD'"
    answer = api.ask("POST", "/service-tests/hipchat", '{"room":5,"level":"BAD"}')
    assert answer == (400, expected)


@pytest.mark.parametrize("body", ["{}", "null", '{"level":""}', '{"nope":1} junk'])
def test_a_disabled_service_fails_its_test(api: Any, body: str) -> None:
    expected = '{"success":false,"message":"service is not enabled"}\n'
    assert api.ask("POST", "/service-tests/hipchat", body) == (200, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Level.OK),
        ("O", Level.OK),
        ("OKINFO", Level.OK),
        ("I", Level.INFO),
        ("INF", Level.INFO),
        ("W", Level.WARNING),
        ("WARN", Level.WARNING),
        ("C", Level.CRITICAL),
        ("CRIT", Level.CRITICAL),
    ],
)
def test_levels_may_be_cut_short(text: str, expected: Level) -> None:
    assert level(text) == expected


@pytest.mark.parametrize("text", ["ING", "N", "crit", "CRITICALLY"])
def test_other_texts_are_no_levels(text: str) -> None:
    with pytest.raises(ValueError, match=f"unknown alert level '{text}'"):
        level(text)
