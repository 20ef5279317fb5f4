"""A server in the test's own process, asked without the wire."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.secrets import Secret
from runtime.server.config.config import Config
from runtime.server.config.sections import HttpConfig, ReplayConfig, StorageConfig
from runtime.server.logs import ROOT
from runtime.server.server import RunningServer
from runtime.services.deliveries.config import Config as DeliveryConfig
from runtime.services.httpd.messages import Answer, Request
from runtime.store import reserve
from runtime.store.database import Store
from runtime.testing.loopback import LoopbackServer
from tests.runtime.alerting import HANDLER, QUICK, TASK, use_hipchat

# room for a full disk, which is a fifth of what it takes to start a server in memory
reserve.RESERVE_BYTES = 1 << 16


class Api:
    """A server and its API; `json` and `ask` take paths below `/kapacitor/v1`."""

    def __init__(
        self, config: Config, integrations: Any = INTEGRATIONS, **arguments: Any
    ) -> None:
        self.config = config
        self._integrations = integrations
        self._arguments = arguments
        self._runner = asyncio.Runner()
        try:
            self._start()
        except BaseException:
            self._runner.close()
            raise

    def _start(self) -> None:
        async def start() -> RunningServer:
            server = RunningServer(self.config, self._integrations, **self._arguments)
            await server.open()
            return server

        self.server = self._runner.run(start())

    def restart(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Stop, do something, and start with what is stored."""
        self._runner.run(self.server.close())
        meanwhile()
        self._start()

    def close(self) -> None:
        self._runner.run(self.server.close())
        self._runner.close()

    def run(self, work: Any) -> Any:
        """The result of a coroutine on the server's loop."""
        return self._runner.run(work)

    def until(self, met: Callable[[], Any], limit_s: float = 30.0) -> Any:
        """Let the server work until `met` returns something true; returns that."""
        end_s = time.monotonic() + limit_s
        while not (found := met()):
            assert time.monotonic() < end_s, "it did not happen in time"
            self.run(asyncio.sleep(0.002))
        return found

    def answer(self, method: str, uri: str, body: object = b"") -> Answer:
        """The answer to a request; `body` is sent as JSON unless it is text."""
        if isinstance(body, str):
            body = body.encode()
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        path, _, query = uri.partition("?")
        request = Request(method, unquote(path), uri, query, body)

        async def ask() -> Answer:
            return await self.server.http.answer(request)

        answer: Answer = self._runner.run(ask())
        return answer

    def ask(self, method: str, uri: str, body: object = b"") -> tuple[int, str]:
        """Status and text; of errors only what they say."""
        answer = self.answer(method, f"/kapacitor/v1{uri}", body)
        text = answer.body.decode()
        if answer.status >= 400:
            tree = json.loads(text)
            assert list(tree) == ["error", "message"]
            assert tree["error"] == tree["message"]
            text = tree["error"]
        return answer.status, text

    def json(self, method: str, uri: str, body: object = b"") -> Any:
        """The decoded body of a request that must succeed."""
        status, text = self.ask(method, uri, body)
        assert status in (200, 204), text
        return json.loads(text) if text else None


StartApi = Callable[..., Api]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A configuration whose files are in the test's directory."""
    return Config(
        data_dir=str(tmp_path / "data"),
        http=HttpConfig(bind_address="127.0.0.1:0", log_enabled=False),
        replay=ReplayConfig(dir=str(tmp_path / "data" / "replay")),
        storage=StorageConfig(boltdb=str(tmp_path / "data" / "kapacitor.db")),
        handlers=INTEGRATIONS.tables(),
    )


@pytest.fixture(autouse=True)
def log_as_it_was() -> Iterator[None]:
    """Restore the runtime's log after each test."""
    level, propagate, handlers = ROOT.level, ROOT.propagate, list(ROOT.handlers)
    yield
    ROOT.setLevel(level)
    ROOT.propagate = propagate
    for handler in [each for each in ROOT.handlers if each not in handlers]:
        ROOT.removeHandler(handler)
        handler.close()


@pytest.fixture
def start_api() -> Iterator[StartApi]:
    """Starts servers; all are stopped when the test ends."""
    started: list[Api] = []

    def start(config: Config, **arguments: Any) -> Api:
        started.append(Api(config, **arguments))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def api(config: Config, start_api: StartApi) -> Api:
    """A running server with a HipChat room that is switched off."""
    hipchat = dataclasses.replace(
        INTEGRATIONS.tables()["hipchat"],
        url="http://hipchat.example.com",
        token=Secret(""),
    )
    config.handlers = INTEGRATIONS.tables(hipchat=hipchat)
    return start_api(config)


@pytest.fixture
def server(sink: LoopbackServer) -> LoopbackServer:
    """The server that requests go to, where the tests start no other."""
    return sink


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A database."""
    store = Store(tmp_path / "kapacitor.db")
    yield store
    store.close()


@pytest.fixture
def chat() -> Iterator[LoopbackServer]:
    """A chat server."""
    with LoopbackServer(status=204) as server:
        yield server


@pytest.fixture
def start_alerting(
    config: Config, start_api: StartApi, chat: LoopbackServer
) -> StartApi:
    """Starts a server whose task gives alerts to a room of the chat server."""

    def start(delivery: DeliveryConfig = QUICK) -> Api:
        config.delivery = delivery
        use_hipchat(config, f"{chat.url}/v2/room")
        api = start_api(config)
        api.json("POST", "/tasks", TASK)
        api.json("POST", "/alerts/topics/cpu/handlers", HANDLER)
        return api

    return start
