"""Handlers of two made-up vendors, generated from specs, while things fail between requests.

`pages` logs in, looks up a person, and sends; `tracker` opens an issue and closes it.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from runtime.testing.loopback import Answer, LoopbackServer, Recorded

SPECS = Path(__file__).parents[1] / "scaffold/specs/apis"
SCRIPT = """\
stream
    |from().measurement('cpu').groupBy('host')
    |alert()
        .id('{{ index .Tags "host" }}')
        .message('{{ .ID }} is {{ .Level }}')
        .warn(lambda: "usage" > 1)
        .crit(lambda: "usage" > 2)
        .stateChangesOnly()
        .topic('cpu')
"""
LOGIN, LOOKUP, SEND = "POST /session", "GET /teams/ops/on-call", "POST /pages"
OPEN = "POST /projects/ops/issues"


class Vendor(LoopbackServer):
    """Answers both APIs.

    Attributes:
        failing: statuses of the next requests, by method and path.
        held: a request that gets no answer until `release`; then `arrived` is set.
    """

    def __init__(self) -> None:
        self.failing: dict[str, list[int]] = defaultdict(list)
        self.held = ""
        self.arrived = threading.Event()
        self.released = threading.Event()
        self.issues = itertools.count(1)
        self.seen: list[tuple[str, str]] = []
        self._order = threading.Lock()
        super().__init__()

    def answer(self, request: Recorded) -> Answer:
        name = f"{request.method} {request.path}"
        with self._order:
            key = request.headers.get("Idempotency-Key", "")
            self.seen.append((name, key))
            if self.failing[name]:
                return Answer(self.failing[name].pop(0))
            held, self.held = self.held, "" if name == self.held else self.held
        if name == held:
            self.arrived.set()
            self.released.wait(30)
            return Answer(500)
        if name == LOGIN:
            return Answer(body='{"session": {"token": "token-of-a-session"}}')
        if name == OPEN:
            return Answer(201, f'{{"number": {next(self.issues)}}}')
        return Answer(body='{"id": "jo", "status": "queued"}')

    def hold(self, name: str) -> None:
        """Give the next such request no answer."""
        self.arrived.clear()
        self.released.clear()
        self.held = name

    def names(self) -> list[str]:
        """The requests since the last call, by method and path."""
        with self._order:
            names = [name for name, _ in self.seen]
            self.seen.clear()
        return names

    def keys(self, name: str) -> set[str]:
        """The keys of the requests so far to one path."""
        with self._order:
            return {key for each, key in self.seen if each == name}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steps") / "alerts"
    scaffold("init", str(folder))
    for kind in ("pages", "tracker"):
        spec = str(SPECS / f"{kind}.toml")
        scaffold("-C", str(folder), "new-handler", "--spec", spec, "--verify", "none")
    return folder


def scaffold(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scaffold", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def vendor() -> Any:
    with Vendor() as vendor:
        yield vendor
        vendor.released.set()


@pytest.fixture
def server(project: Path, start_kapacitord: Any, kit: Any, vendor: Vendor) -> Any:
    own = f"""
[pages]
  enabled = true
  url = "{vendor.url}"
  user = "kap"
  password = "password-of-kap"
[tracker]
  enabled = true
  url = "{vendor.url}"
  token = "token-of-kap"
"""
    made = start_kapacitord(f"{own}{kit.sections(vendor)}", cwd=project)
    task = {"id": "t", "dbrps": [{"db": "d", "rp": "r"}], "script": SCRIPT}
    made.json("POST", "/tasks", {**task, "status": "enabled"})
    return made


def define(server: Any, kind: str, **options: str) -> None:
    handler = {"id": kind, "kind": kind, "options": options}
    server.json("POST", "/alerts/topics/cpu/handlers", handler)


def write(server: Any, usage: float, host: str = "a") -> None:
    server.write(f"cpu,host={host} usage={usage} {next(TIMES)}000000000", "db=d&rp=r")


TIMES = itertools.count(1_500_000_000)


def settle(server: Any, kit: Any) -> None:
    """Wait until nothing is left to deliver."""
    kit.until(lambda: not server.json("GET", "/deliveries")["deliveries"])


@pytest.mark.parametrize(
    ("held", "after"),
    [
        (LOGIN, [LOGIN, LOOKUP, SEND]),
        # logins are in memory; what a delivery looked up is in its row
        (LOOKUP, [LOGIN, LOOKUP, SEND]),
        (SEND, [LOGIN, SEND]),
    ],
)
def test_a_kill_between_steps_repeats_none(
    server: Any, kit: Any, vendor: Vendor, held: str, after: list[str]
) -> None:
    define(server, "pages", team="ops")
    vendor.hold(held)
    write(server, 5)
    assert vendor.arrived.wait(30)
    server.kill()
    before = vendor.keys(held)
    vendor.names()
    server.start()
    settle(server, kit)
    assert vendor.keys(held) == before
    assert vendor.names() == after
    assert "token-of-a-session" not in server.log


def test_an_endpoint_that_is_down_at_the_second_step(
    server: Any, kit: Any, vendor: Vendor
) -> None:
    define(server, "pages", team="ops")
    vendor.failing[LOOKUP] = [503] * 3
    vendor.failing[SEND] = [502, 500]
    write(server, 5)
    settle(server, kit)
    assert vendor.names() == [LOGIN, *[LOOKUP] * 4, *[SEND] * 3]


def test_deliveries_that_wait_log_in_once(
    server: Any, kit: Any, vendor: Vendor
) -> None:
    define(server, "pages", team="ops")
    for number in range(20):
        write(server, 5, f"host{number}")
    settle(server, kit)
    names = vendor.names()
    assert names.count(LOGIN) == 1
    assert names.count(SEND) == 20


def test_an_expired_login_costs_no_page(server: Any, kit: Any, vendor: Vendor) -> None:
    define(server, "pages", team="ops")
    write(server, 5)
    settle(server, kit)
    vendor.names()
    vendor.failing[SEND] = [401]
    write(server, 5, "b")
    settle(server, kit)
    assert vendor.names() == [LOOKUP, SEND, LOGIN, SEND]


def test_a_restart_closes_the_issue_that_was_opened(
    server: Any, kit: Any, vendor: Vendor
) -> None:
    define(server, "tracker", project="ops")
    write(server, 5, "b")
    settle(server, kit)
    write(server, 1.5)
    settle(server, kit)
    server.kill()
    server.start()
    write(server, 5)
    settle(server, kit)
    vendor.failing["PATCH /projects/ops/issues/2"] = [503] * 3
    write(server, 0)
    kit.until(lambda: "PATCH /projects/ops/issues/2" in [x for x, _ in vendor.seen])
    server.kill()
    server.start()
    settle(server, kit)
    write(server, 5)
    settle(server, kit)
    names = vendor.names()
    tries = names.count("PATCH /projects/ops/issues/2")
    assert tries in (4, 5)  # the kill may have come before the last answer was recorded
    assert names == [
        OPEN,
        OPEN,
        "POST /projects/ops/issues/2/comments",
        *["PATCH /projects/ops/issues/2"] * tries,
        OPEN,
    ]


def test_a_deleted_handler_forgets(server: Any, kit: Any, vendor: Vendor) -> None:
    define(server, "tracker", project="ops")
    write(server, 5)
    settle(server, kit)
    server.json("DELETE", "/alerts/topics/cpu/handlers/tracker")
    # for it to have been forgotten, and not only to be about to
    server.stop()
    server.start()
    define(server, "tracker", project="ops")
    write(server, 0)
    write(server, 5)
    settle(server, kit)
    assert vendor.names() == [OPEN, OPEN]
