"""A real kapacitord process, from its file to the chat server."""

import functools
import json
import platform
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.testing.loopback import LoopbackServer

SCRIPT = """\
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |alert()
        .id('{{ index .Tags "host" }}')
        .message('{{ .ID }} is {{ .Level }}')
        .crit(lambda: "usage_idle" < 10)
        .stateChangesOnly()
        .hipChat()
"""


@pytest.fixture
def start_kapacitord(start_kapacitord: Callable[..., Any]) -> Callable[..., Any]:
    """Starts servers as a shell does."""
    return functools.partial(start_kapacitord, is_forked=False)


@pytest.fixture
def room() -> Any:
    """A recording chat server."""
    with LoopbackServer() as server:
        server.status = 204
        yield server


def sections(room: LoopbackServer) -> str:
    return f"""
[hipchat]
  enabled = true
  url = "{room.url}/v2/room"
  room = "r"
  token = "t"
[stats]
  enabled = true
"""


def define(server: Any) -> None:
    body = {
        "id": "t",
        "dbrps": [{"db": "telegraf", "rp": "autogen"}],
        "script": SCRIPT,
        "status": "enabled",
    }
    assert server.json("POST", "/tasks", body)["executing"] is True


def messages(room: LoopbackServer, count: int) -> list[str]:
    return [json.loads(room.next(10).body)["message"] for _ in range(count)]


def test_points_become_messages(
    start_kapacitord: Callable[..., Any], room: LoopbackServer
) -> None:
    server = start_kapacitord(sections(room))
    define(server)
    server.write("cpu,host=a usage_idle=50 1\ncpu,host=a usage_idle=5 2")
    server.write("cpu,host=b usage_idle=5 3")
    assert sorted(messages(room, 2)) == ["a is CRITICAL", "b is CRITICAL"]
    server.write("cpu,host=a usage_idle=50 4")
    assert messages(room, 1) == ["a is OK"]
    assert "[stats] has no effect: statistics are served at /metrics" in server.log


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_tasks_and_states_outlive_the_process(
    start_kapacitord: Callable[..., Any], room: LoopbackServer, end: str
) -> None:
    server = start_kapacitord(sections(room))
    define(server)
    server.write("cpu,host=a usage_idle=5 1")
    assert messages(room, 1) == ["a is CRITICAL"]
    getattr(server, end)()
    server.start()
    topic = server.json("GET", "/alerts/topics/main:t:alert2")
    assert topic["level"] == "CRITICAL"
    # still critical: nothing to say; then the recovery
    server.write("cpu,host=a usage_idle=4 2")
    server.write("cpu,host=a usage_idle=50 3")
    # delivered at least once: a kill may come before the success is noted
    said = list(iter(lambda: messages(room, 1)[0], "a is OK"))
    assert set(said) <= {"a is CRITICAL"}


def test_a_signal_stops_the_process_cleanly(
    start_kapacitord: Callable[..., Any], room: LoopbackServer
) -> None:
    server = start_kapacitord(sections(room))
    define(server)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0
    assert "signal received, initializing clean shutdown..." in server.log
    assert "Traceback" not in server.log


def test_an_open_connection_does_not_hold_up_a_stop(
    start_kapacitord: Callable[..., Any],
) -> None:
    server = start_kapacitord()
    with socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(
            b"POST /write?db=d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port)) as other:
            other.sendall(b"GET /kapacitor/v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"204" in other.recv(4096)
            assert server.stop() == 0


def test_a_port_in_use_is_an_error(
    tmp_path: Path, refused_start: Callable[..., str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = tmp_path / "k.conf"
        path.write_text(
            f'data_dir = "{tmp_path}/data"\n'
            f'[http]\nbind-address = "127.0.0.1:{port}"\n'
            f'[storage]\nboltdb = "{tmp_path}/data/k.db"\n'
        )
        said = refused_start(path)
    assert (
        f"run: open server: open service *httpd.Service: listen tcp 127.0.0.1:{port}: "
        "address already in use" in said
    )


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone is tuned")
def test_a_write_uses_the_memory_of_the_write_before(
    start_kapacitord: Callable[..., Any], room: LoopbackServer
) -> None:
    server = start_kapacitord(sections(room))
    define(server)
    stat = Path(f"/proc/{server.process.pid}/stat")

    def write(times: int) -> int:
        """Pages that the system had to give meanwhile."""
        before = int(stat.read_text().rpartition(")")[2].split()[7])
        for _ in range(times):
            server.write(body)
        return int(stat.read_text().rpartition(")")[2].split()[7]) - before

    body = "\n".join(
        f"cpu,host=h{n % 100},region=eu usage_idle={n % 50 + 20}.125,usage_user=3.5 {n}"
        for n in range(10_000)
    )
    write(5)
    # a write needs some hundred pages, of 4 KB each
    assert write(20) < 20 * 100


def test_overrides_reach_live_handlers(
    start_kapacitord: Callable[..., Any], room: LoopbackServer
) -> None:
    server = start_kapacitord(sections(room))
    define(server)
    server.json("POST", "/config/hipchat/", {"set": {"room": "other"}})
    server.write("cpu,host=a usage_idle=5 1")
    assert room.next(10).path.startswith("/v2/room/other/notification")


def test_a_service_that_fails_to_close_keeps_no_other_open(api, monkeypatch, caplog):
    async def failing():
        raise RuntimeError("no way out")

    monkeypatch.setattr(api.server._replays, "close", failing)
    api.restart()
    assert "failed to close a service" in caplog.text
    assert api.json("GET", "/tasks") == {"tasks": []}
