"""Overrides of sections that are lists, and conversions of values."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from runtime.compute.thread import Compute
from runtime.errors import ConfigError
from runtime.integration import Integrations
from runtime.secrets import Secret
from runtime.services.config.sections import sections_of
from runtime.services.config.service import ConfigService
from runtime.services.httpd.messages import Request
from runtime.services.httpd.service import HttpServer
from runtime.store.database import Store
from runtime.units import Duration


@dataclass(frozen=True, slots=True)
class BasicAuth:
    username: str = ""
    password: Secret = Secret()


@dataclass(frozen=True, slots=True)
class Room:
    """One element of the list."""

    element_key: ClassVar[str] = "workspace"

    workspace: str = ""
    channel: str = ""
    port: int = 0
    ratio: float = 0.0
    wait: Duration = Duration(0)
    to: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    basic_auth: BasicAuth = BasicAuth()

    def validate(self) -> None:
        if self.channel == "bad":
            raise ConfigError("bad channel")


class Service:
    def __init__(self) -> None:
        self.configs: Sequence[Room] = ()
        self.refuse = ""

    def prepared(self, configs: Sequence[Any]) -> Callable[[], None]:
        if self.refuse:
            raise ConfigError(self.refuse)

        def swap() -> None:
            self.configs = configs

        return swap


class Lists:
    def __init__(self) -> None:
        self.service = Service()
        self.store = Store()
        self._runner = asyncio.Runner()
        self._runner.run(self._open())

    async def _open(self) -> None:
        self._compute = Compute()
        self._compute.start()
        self.http = HttpServer("", 0, version="1")
        services = {"slack": self.service, "empty": Service()}
        sections = sections_of(
            Integrations({"slack": Room, "empty": Room}),
            {"slack": (Room("w1", "#one"),)},
        )
        config = ConfigService(sections, services, self.store, self._compute)
        config.add_routes(self.http.router)
        config.open()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        data = json.dumps(body).encode()
        request = Request(method, f"/kapacitor/v1/config{path}", body=data)
        answer = self._runner.run(self.http.answer(request))
        text = answer.body.decode()
        tree = json.loads(text) if text else None
        return answer.status, tree["error"] if answer.status >= 400 else tree

    def close(self) -> None:
        self._runner.run(self._compute.close())
        self._runner.close()
        self.store.close()


@pytest.fixture
def lists() -> Any:
    made = Lists()
    yield made
    made.close()


def test_elements_are_named_by_their_key(lists: Lists) -> None:
    _, tree = lists.ask("GET", "/slack/w1")
    assert tree["link"]["href"] == "/kapacitor/v1/config/slack/w1"
    assert tree["options"] == {
        "basic-auth": {"password": False, "username": ""},
        "channel": "#one",
        "headers": None,
        "port": 0,
        "ratio": 0,
        "to": None,
        "wait": "0s",
        "workspace": "w1",
    }


def test_a_list_without_elements_is_not_there(lists: Lists) -> None:
    assert lists.ask("GET", "/empty") == (404, "unknown section: empty")
    _, tree = lists.ask("GET", "")
    assert list(tree["sections"]) == ["slack"]


def test_elements_come_and_go(lists: Lists) -> None:
    added = {"add": {"workspace": "a", "channel": "#a"}}
    assert lists.ask("POST", "/slack", added) == (204, None)
    assert [each.workspace for each in lists.service.configs] == ["a", "w1"]
    change = {"set": {"channel": "#b"}}
    assert lists.ask("POST", "/slack/a", change) == (204, None)
    assert lists.ask("GET", "/slack/a")[1]["options"]["channel"] == "#b"
    assert lists.ask("POST", "/slack", {"remove": ["a", "w1", "zz"]}) == (204, None)
    assert [each.workspace for each in lists.service.configs] == ["w1"]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        (
            "/slack",
            {"add": {"channel": "x"}},
            'failed to apply update: missing key "workspace" in "add" map',
        ),
        (
            "/slack",
            {"add": {"workspace": 5}},
            'failed to apply update: expected "workspace" key to be a string, got float64',
        ),
        (
            "/slack",
            {"add": {"workspace": "w1"}},
            'failed to apply update: element "w1" of section "slack" exists already',
        ),
        (
            "/slack/zz",
            {"set": {"channel": "x"}},
            "failed to override configuration slack/zz: unknown options [channel] in section slack",
        ),
        (
            "/slack/w1",
            {"set": {"workspace": "x"}},
            "failed to override configuration slack/w1: cannot override element key workspace",
        ),
        (
            "/slack/w1",
            {"set": {"channel": "bad"}},
            "failed to override configuration slack/w1: failed validation: bad channel",
        ),
    ],
)
def test_refused(lists: Lists, path: str, body: object, text: str) -> None:
    assert lists.ask("POST", path, body) == (400, text)


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("port", "abc", 'cannot convert string "abc" into int'),
        ("port", 30.7, 'cannot convert string "30.7" into int'),
        ("port", True, "cannot convert bool into int"),
        ("wait", 5, "cannot unmarshal float64 into int64"),
        ("wait", "abc", 'time: invalid duration "abc"'),
        ("wait", "5", 'time: missing unit in duration "5"'),
        ("to", "a", "wrong kind string, expected value of kind slice: false"),
        (
            "to",
            ["a", 5],
            "failed to copy slice value: wrong kind float64, expected value of kind string: false",
        ),
        (
            "headers",
            {"a": 1},
            "failed to copy map value: wrong kind float64, expected value of kind string: false",
        ),
    ],
)
def test_values_that_do_not_fit(
    lists: Lists, option: str, value: object, text: str
) -> None:
    expected = (
        f"failed to override configuration slack/w1: cannot set option {option}: {text}"
    )
    assert lists.ask("POST", "/slack/w1", {"set": {option: value}}) == (400, expected)


@pytest.mark.parametrize(
    ("option", "value", "shown"),
    [
        ("port", 30, 30),
        ("port", "30", 30),
        ("ratio", 1, 1),
        ("ratio", "1.5", 1.5),
        ("wait", "1m", "1m0s"),
        ("to", ["a", "b"], ["a", "b"]),
        ("headers", {"b": "2", "a": "1"}, {"a": "1", "b": "2"}),
        (
            "basic-auth",
            {"username": "u", "password": "p"},
            {"password": True, "username": "u"},
        ),
    ],
)
def test_values_that_fit(
    lists: Lists, option: str, value: object, shown: object
) -> None:
    assert lists.ask("POST", "/slack/w1", {"set": {option: value}}) == (204, None)
    assert lists.ask("GET", "/slack/w1")[1]["options"][option] == shown


def test_what_a_service_refuses_is_not_kept(lists: Lists) -> None:
    lists.service.refuse = "no such channel"
    expected = (500, "failed to update configuration slack/w1: no such channel")
    assert lists.ask("POST", "/slack/w1", {"set": {"channel": "x"}}) == expected
    assert lists.ask("GET", "/slack/w1")[1]["options"]["channel"] == "#one"
    assert lists.store.values.items("overrides") == []
