"""Fixtures for tests that drive the product from outside."""

from __future__ import annotations

import atexit
import contextlib
import gc
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from runtime.testing.loopback import LoopbackServer
from tests.forking import ForkedServer

_MEMORY = Path("/dev/shm")
_NEEDED_BYTES = 4 << 30


def _has_memory() -> bool:
    """True if files in memory can do for all that the tests write and start."""
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK):
        return False
    is_free = shutil.disk_usage(_MEMORY).free >= _NEEDED_BYTES
    return is_free and not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC


# A third of a run's time is waiting for a disk, which proves nothing: what must be synced,
# and when, is shown by recorded calls and simulated power cuts.
if _has_memory():
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

# The tests start hundreds of programs. Where the environment forbids bytecode beside the
# sources, each would compile all that it imports, so they share a folder for it.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = tempfile.mkdtemp(prefix="bytecode-")
    atexit.register(shutil.rmtree, sys.pycache_prefix, ignore_errors=True)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

# The time of an example depends more on the machine than on the code. The gate's
# verdict is the same for the same code; desks look elsewhere each time.
for profile, count in (("desk", 25), ("deep", 500)):
    hypothesis.settings.register_profile(
        profile,
        max_examples=count,
        derandomize=profile == "deep",
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "desk"))

DEADLINE_S = 20.0
# a machine that is busy with other things may take long to load a program
START_S = 60.0
BASE = "/kapacitor/v1"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def told(self) -> tuple[int, str]:
        """Status and, of an error of the usual form, what it says."""
        tree = self.json
        assert list(tree) == ["error", "message"]
        assert tree["error"] == tree["message"]
        return self.status, tree["error"]


@dataclass(frozen=True)
class Client:
    """Asks a server for what is below `/kapacitor/v1`, or for other paths with `raw`."""

    server: Any
    posted: list[str] = field(default_factory=list)

    def raw(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        if method == "POST":
            self.posted.append(path)
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        data = content.encode() if isinstance(content, str) else content
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=DEADLINE_S
        )
        try:
            connection.request(
                method, path, None if body is None else data, dict(headers or {})
            )
            found = connection.getresponse()
            return Answer(found.status, dict(found.getheaders()), found.read())
        finally:
            connection.close()

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return self.raw(method, BASE + path, body, headers)

    def refused(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Status and text of an error, whose body has the usual form."""
        answer = self(method, path, body)
        text = answer.json["error"]
        assert answer.text == _pretty_error(text)
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        return answer.status, text


def _pretty_error(text: str) -> str:
    """The body of an error: both keys, four blanks, no newline at the end."""
    quoted = json.dumps(text, ensure_ascii=False)
    return f'{{\n    "error": {quoted},\n    "message": {quoted}\n}}'


@dataclass
class Kapacitord:
    """A server process on loopback, its files and its command line.

    Attributes:
        directory: the folder of its configuration, data and log.
        sections: configuration beside what every test server has.
        cwd: the working directory of the process: a project, or None.
        environment: more variables.
        file: the whole configuration in place of all that; `:9092` becomes its port.
        is_forked: True for a fork of a process that has loaded the product, which
            saves most of a start; not if it has a runtime or variables of its own, on
            which what is loaded may depend.
    """

    directory: Path
    sections: str = ""
    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    is_forked: bool = True
    process: subprocess.Popen[bytes] | ForkedServer | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start the process and wait until it answers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = self.directory / "kapacitor.conf"
        own = self.file.replace(":9092", f"127.0.0.1:{self.port}")
        config.write_text(own or f"""\
data_dir = "{self.directory}/data"
[http]
  bind-address = "127.0.0.1:{self.port}"
[storage]
  boltdb = "{self.directory}/data/kapacitor.db"
[replay]
  dir = "{self.directory}/data/replay"
{self.sections}
""")
        self.process = self._process(["-config", str(config)])
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                # 401: it answers, but not to those it does not know
                if self.call("GET", "/kapacitor/v1/ping")[0] in (204, 401):
                    return
            except OSError:
                self.process_wait(0.02)
        self.stop()
        pytest.fail(f"the server does not start:\n{self.log}")

    def _process(self, arguments: list[str]) -> subprocess.Popen[bytes] | ForkedServer:
        environment = {**os.environ, "TZ": "UTC", **self.environment}
        log = self.directory / "log"
        foreign = [n for n in self.environment if not n.startswith("KAPACITOR_")]
        folder = self.cwd or Path.cwd()
        has_runtime = self.cwd is not None and (self.cwd / "runtime").exists()
        if self.is_forked and not (has_runtime or foreign):
            return ForkedServer(arguments, environment, log, folder)
        with log.open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "runtime.server", *arguments],
                cwd=folder,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def process_wait(self, seconds: float) -> None:
        """Wait for the process to end, at most so long."""
        assert self.process is not None
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def stop(self) -> int:
        """Stop the process gracefully; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(DEADLINE_S)

    def kill(self) -> None:
        """Kill the process as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(DEADLINE_S)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Status and text of a request; `body` is sent as JSON unless it is text."""
        answer = self.client().raw(method, path, body, headers)
        return answer.status, answer.text

    def client(self) -> Client:
        """Asks this server, and shows whole answers."""
        return Client(self)

    def json(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer of a request that must succeed."""
        status, text = self.call(method, f"/kapacitor/v1{path}", body)
        assert status in (200, 204), f"{method} {path}: {status} {text}"
        return json.loads(text) if text else None

    def levels(self, topic: str) -> dict[str, str]:
        """The levels of a topic's events, by ID; the topic begins with its first event."""
        status, text = self.call("GET", f"{BASE}/alerts/topics/{topic}/events")
        found = json.loads(text)["events"] or [] if status == 200 else []
        return {each["id"]: each["state"]["level"] for each in found}

    def write(self, lines: str, query: str = "db=telegraf&rp=autogen") -> None:
        """Write points."""
        status, text = self.call("POST", f"/write?{query}", lines)
        assert status == 204, text

    def cli(self, *arguments: str, code: int = 0) -> str:
        """Return the output of `kapacitor`, run in the server's directory."""
        done = subprocess.run(
            [sys.executable, "-m", "runtime.client", "-url", self.url, *arguments],
            cwd=self.cwd or self.directory,
            env={**os.environ, "TZ": "UTC"},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Processes of `-n auto`: half as many again as processors, as tests also wait."""
    return (os.cpu_count() or 1) * 3 // 2


def pytest_configure(config: pytest.Config) -> None:
    """Share the files among processes in their order, and end when a test hangs again.

    By the number of tests, files of one long test would come last, and all processes but
    one would wait for it. A test that ends its process is run again by the next one.
    """
    if config.pluginmanager.has_plugin("xdist"):
        config.option.loadscopereorder = False
        config.option.maxworkerrestart = "1"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep what is collected, and every module, out of the garbage collector's way."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """Let programs be interrupted also where the tests run in the background.

    A shell starts such commands with SIGINT ignored, and their children inherit that.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


StartKapacitord = Callable[..., Kapacitord]


@contextlib.contextmanager
def _starting(parent: Path) -> Iterator[StartKapacitord]:
    started: list[Kapacitord] = []

    def start(sections: str = "", **more: Any) -> Kapacitord:
        directory = parent / f"server{len(started)}"
        directory.mkdir()
        server = Kapacitord(directory, sections, **more)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        if server.process is not None and server.process.poll() is None:
            server.stop()


@pytest.fixture
def sink() -> Iterator[LoopbackServer]:
    """A server that keeps the requests it gets."""
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def ask(server: Kapacitord) -> Iterator[Client]:
    """A client of a module's server; what a test overrides, it puts back."""
    client = server.client()
    yield client
    if any("/config/" in path for path in client.posted):
        for section in ("hipchat", "foo"):
            options = client("GET", f"/config/{section}/").json["options"]
            client("POST", f"/config/{section}/", {"delete": list(options)})


@pytest.fixture
def refused_start() -> Callable[..., str]:
    """Starts a server that refuses to, and gives what it says."""

    def start(config: Path, *flags: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "runtime.server", "-config", str(config), *flags],
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr

    return start


@pytest.fixture
def start_kapacitord(tmp_path: Path) -> Iterator[StartKapacitord]:
    """Starts servers; all are stopped when the test ends."""
    with _starting(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def start_shared_kapacitord(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StartKapacitord]:
    """Starts servers that all tests of a module use; stopped after the last."""
    with _starting(tmp_path_factory.mktemp("shared")) as start:
        yield start
