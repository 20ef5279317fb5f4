"""A real InfluxDB, started once a worker; without one these tests are skipped."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest

from runtime.outbound.client import AiohttpClient
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.config import Config as ClusterConfig
from tests.runtime.conftest import config, log_as_it_was, start_api

__all__ = ["config", "log_as_it_was", "start_api"]

T = TypeVar("T")

DEADLINE_S = 20.0
START_S = 60.0
PROGRAM = shutil.which("influxd") or ""
_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "inmem"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  auth-enabled = {auth}
{tls}
[subscriber]
  http-timeout = "5s"
[continuous_queries]
  enabled = false
[logging]
  level = "error"
"""
_TLS = """\
  https-enabled = true
  https-certificate = "{}"
  https-private-key = "{}"
"""


@dataclass
class InfluxDB:
    """A process of InfluxDB on loopback.

    Attributes:
        folder: its files, which survive `stop` and `start`.
        port: port of its HTTP API, which stays the same.
        auth: True if requests need a user.
        tls: files of a certificate and its key, for HTTPS.
        credentials: user and password of this class's own requests.
    """

    folder: Path
    auth: bool = False
    tls: tuple[Path, Path] | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process and wait until it answers."""
        port, rpc = _free_ports()
        self.port = self.port or port
        config = self.folder / "influxdb.conf"
        auth = str(self.auth).lower()
        tls = "" if self.tls is None else _TLS.format(*self.tls)
        config.write_text(
            _CONFIG.format(
                folder=self.folder, port=self.port, rpc=rpc, auth=auth, tls=tls
            )
        )
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "-config", str(config)], stdout=log, stderr=log
            )
        ends = time.monotonic() + START_S
        while time.monotonic() < ends and self.process.poll() is None:
            try:
                if self.call("GET", "/ping")[0] == 204:
                    return
            except OSError:
                try:
                    self.process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
        self.stop()
        pytest.fail(f"InfluxDB does not start:\n{(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        """End the process; its data stays."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(DEADLINE_S)

    def call(
        self, method: str, path: str, body: str = "", **query: str
    ) -> tuple[int, str]:
        """Status and text of a request."""
        asked = urlencode({**self.credentials, **query})
        connection = self._connection()
        try:
            connection.request(method, f"{path}?{asked}", body.encode())
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=DEADLINE_S
            )
        context = ssl.create_default_context(cafile=self.tls[0])
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=DEADLINE_S, context=context
        )

    def query(self, statement: str, database: str = "") -> list[dict[str, Any]]:
        """The series of an answer, as InfluxDB's JSON has them; times are in ns."""
        status, text = self.call("POST", "/query", q=statement, db=database, epoch="ns")
        assert status == 200, text
        results = json.loads(text)["results"]
        assert not [each["error"] for each in results if "error" in each]
        return [series for each in results for series in each.get("series", ())]

    def write(self, lines: str, database: str, retention_policy: str = "") -> None:
        """Write points."""
        status, text = self.call(
            "POST", "/write", lines, db=database, rp=retention_policy
        )
        assert status == 204, text

    def create(self, database: str = "") -> str:
        """Create a database, with a name that no other test has; its name."""
        name = database or f"test_{uuid.uuid4().hex[:12]}"
        self.query(f'CREATE DATABASE "{name}"')
        return name

    def config(self, **changes: Any) -> ClusterConfig:
        """Its section of a configuration; without subscriptions unless asked for."""
        return ClusterConfig(
            **{"urls": (self.url,), "disable_subscriptions": True, **changes}
        )

    def section(self, *lines: str) -> str:
        """The same as the text of a configuration file, with more lines."""
        return "\n".join(
            ("[[influxdb]]", "enabled = true", f'urls = ["{self.url}"]', *lines, "")
        )

    def on_cluster(self, work: Callable[[Cluster], Awaitable[T]], **changes: Any) -> T:
        """The result of work with a cluster of this server, in an event loop."""
        return on_cluster(self.config(**changes), work)


def on_cluster(cluster: ClusterConfig, work: Callable[[Cluster], Awaitable[T]]) -> T:
    """The result of work with a cluster, in an event loop of its own."""

    async def run() -> T:
        used = Cluster(cluster, AiohttpClient())
        try:
            return await asyncio.wait_for(work(used), DEADLINE_S)
        finally:
            await used.close()

    return asyncio.run(run())


def eventually(look: Callable[[], T]) -> T:
    """The first result of `look` that is true; its last after a long wait."""
    pause = threading.Event()
    ends = time.monotonic() + DEADLINE_S
    while not (found := look()) and time.monotonic() < ends:
        pause.wait(0.02)
    return found


def _free_ports() -> list[int]:
    """Two unused ports of loopback."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return [first.getsockname()[1], second.getsockname()[1]]


def _require_program() -> None:
    if not PROGRAM:
        pytest.skip("there is no influxd: install Debian's package influxdb")


@pytest.fixture(scope="session")
def influxdb() -> Iterator[InfluxDB]:
    """An InfluxDB that all tests of a worker share."""
    _require_program()
    with tempfile.TemporaryDirectory(prefix="influxdb-") as folder:
        server = InfluxDB(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def own_influxdb(tmp_path: Path) -> Iterator[Callable[..., InfluxDB]]:
    """Starts an InfluxDB that one test may stop and start, or with users."""
    _require_program()
    started: list[InfluxDB] = []

    def start(*, auth: bool = False, tls: tuple[Path, Path] | None = None) -> InfluxDB:
        folder = tmp_path / f"influxdb{len(started)}"
        folder.mkdir()
        server = InfluxDB(folder, auth, tls)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def database(influxdb: InfluxDB) -> Iterator[str]:
    """A database of the shared InfluxDB for one test."""
    name = influxdb.create()
    yield name
    influxdb.query(f'DROP DATABASE "{name}"')
