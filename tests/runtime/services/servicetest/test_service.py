"""Service tests. Source of the texts: Kapacitor services/servicetest."""

import asyncio
import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime.alert.types import Level
from runtime.server.config.config import Config
from runtime.services.deliveries.config import Config as DeliveryConfig
from runtime.services.httpd.messages import Answer, Request
from runtime.services.servicetest.options import level, merged, shown
from runtime.services.servicetest.service import TESTS_AT_ONCE
from runtime.testing.loopback import LoopbackServer
from tests.runtime.alerting import use_hipchat

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
        ("RECOVERY", Level.OK),
    ],
)
def test_levels_may_be_cut_short(text: str, expected: Level) -> None:
    assert level(text) == expected


@pytest.mark.parametrize("text", ["ING", "N", "crit", "CRITICALLY"])
def test_other_texts_are_no_levels(text: str) -> None:
    with pytest.raises(ValueError, match=f"unknown alert level '{text}'"):
        level(text)


@pytest.fixture
def endpoint() -> Iterator[LoopbackServer]:
    with LoopbackServer() as endpoint:
        yield endpoint


@pytest.fixture
def ready(config: Config, start_api: Callable[..., Any], endpoint: Any) -> Any:
    """A server whose HipChat is the endpoint."""
    use_hipchat(config, endpoint.url, "s3cret", room="r")
    return start_api(config)


def posted(body: str, service: str = "hipchat") -> Request:
    path = f"/kapacitor/v1/service-tests/{service}"
    return Request("POST", path, path, "", body.encode())


async def all_answers(ready: Any, count: int, endpoint: LoopbackServer) -> list[Answer]:
    """The answers to tests that are asked for at the same time; then it hangs up."""
    asked = [
        asyncio.create_task(ready.server.http.answer(posted("{}")))
        for _ in range(count)
    ]
    refused, running = await asyncio.wait(asked, timeout=0)
    async with asyncio.timeout(10):
        while len(running) > TESTS_AT_ONCE:
            done, running = await asyncio.wait(
                running, return_when=asyncio.FIRST_COMPLETED
            )
            refused |= done
    await asyncio.to_thread(endpoint.close)
    async with asyncio.timeout(10):
        await asyncio.gather(*running)
    return [task.result() for task in asked]


def test_no_more_than_four_run_at_once(ready: Any, endpoint: LoopbackServer) -> None:
    endpoint.hang = True
    answers = ready.run(all_answers(ready, 1000, endpoint))
    taken = [each for each in answers if each.status == 200]
    refused = [each for each in answers if each.status == 429]
    assert (len(taken), len(refused)) == (TESTS_AT_ONCE, 1000 - TESTS_AT_ONCE)
    assert refused[0].headers == {"Retry-After": "5"}
    assert "service tests are running" in json.loads(refused[0].body)["error"]


def test_others_have_their_turn_when_one_has_ended(ready: Any, endpoint: Any) -> None:
    for _ in range(TESTS_AT_ONCE + 1):
        assert ready.json("POST", "/service-tests/hipchat", "{}")["success"]


def test_one_that_hangs_is_cut_off(
    ready: Any, endpoint: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.hang = True
    monkeypatch.setattr(ready.server._tests, "_limit_s", 0.1)
    assert ready.json("POST", "/service-tests/hipchat", "{}") == {
        "success": False,
        "message": "the test took longer than 0.1 s",
    }


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_test_leaves_nothing_in_the_database(
    ready: Any, endpoint: LoopbackServer, status: int
) -> None:
    endpoint.status = status
    before = stored(ready)
    found = ready.json("POST", "/service-tests/hipchat", '{"room":"x"}')
    assert found["success"] is (status == 200)
    assert stored(ready) == before
    assert ready.json("GET", "/config/hipchat")["elements"][0]["options"]["room"] == "r"
    assert endpoint.next().path == "/x/notification"


def stored(ready: Any) -> dict[str, object]:
    """Everything in the database, by table."""
    tables = ready.server._store.query(
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    return {
        name: ready.server._store.query(f'SELECT * FROM "{name}"') for (name,) in tables
    }


def test_what_an_endpoint_says_shows_no_secret(
    ready: Any, endpoint: LoopbackServer
) -> None:
    endpoint.status = 400
    endpoint.body = json.dumps({"error": "no such token s3cret in auth_token=s3cret"})
    found = ready.json("POST", "/service-tests/hipchat", "{}")
    assert found["success"] is False
    assert "no such token" in found["message"]
    assert "s3cret" not in found["message"]


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[::ffff:a9fe:a9fe]", "0.0.0.0", "[fe80::1]"]
)
def test_a_url_of_their_own_leads_to_no_denied_address(ready: Any, host: str) -> None:
    url = f"http://{host}/latest/meta-data?token=s3cret"
    found = ready.json("POST", "/service-tests/httppost", {"url": url})
    assert found["success"] is False
    assert "is denied by [delivery] denied-networks" in found["message"]
    assert "s3cret" not in found["message"]


def test_the_networks_are_those_of_the_configuration(
    config: Config, start_api: Callable[..., Any], endpoint: LoopbackServer
) -> None:
    config.delivery = DeliveryConfig(denied_networks=("127.0.0.0/8",))
    found = start_api(config).json(
        "POST", "/service-tests/httppost", {"url": endpoint.url}
    )
    assert "address 127.0.0.1 is denied by" in found["message"]
    assert endpoint.received.empty()


@dataclasses.dataclass(frozen=True)
class Options:
    """Of a test that shows the configured URL."""

    url: str = "http://u:p@h/?token=t"
    room: str = ""


def test_a_url_is_shown_without_its_secrets_and_may_be_sent_back() -> None:
    hidden = {"url": "http://***@h/?token=***", "room": ""}
    assert shown(Options()) == hidden
    sent = json.dumps(hidden | {"room": "r"}).encode()
    assert merged(sent, Options(), "x.testOptions") == Options(room="r")


def test_options_that_are_unknown_are_named(
    ready: Any, endpoint: LoopbackServer
) -> None:
    found = ready.json("POST", "/service-tests/hipchat", {"rom": "x", "Message": "m"})
    assert found == {"success": True, "message": "ignored unknown options: rom"}
    assert endpoint.next().json["message"] == "m"
    body = {"Url": endpoint.url, "header": {"a": "b"}, "timeOut": 0, "end-point": "e"}
    found = ready.json("POST", "/service-tests/httppost", body)
    expected = "ignored unknown options: end-point, header"
    assert found == {"success": True, "message": expected}
    many = {f"k{number:02}": 1 for number in range(12)}
    found = ready.json("POST", "/service-tests/httppost", body | many)
    assert found["message"].endswith(
        "header, k00, k01, k02, k03, k04, k05, k06, k07, …"
    )
    endpoint.status = 500
    found = ready.json("POST", "/service-tests/httppost", body | many)
    assert found["success"] is False
    assert found["message"].startswith("POST returned non 2xx status code: code=500")
