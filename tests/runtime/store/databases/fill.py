"""Fill the database of an old server over its API, and stop or kill the server.

Usage: python fill.py TREE FOLDER stop|kill|oldest

TREE is a checkout of the old version, FOLDER gets the files of its server.
"""

from __future__ import annotations

import contextlib
import datetime
import http.client
import http.server
import json
import lzma
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DBRPS = [{"db": "telegraf", "rp": "autogen"}]
TASK = """stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |alert()
        .id('{{ index .Tags "host" }}')
        .message('{{ .ID }} is {{ .Level }}')
        .info(lambda: "v" > 1)
        .warn(lambda: "v" > 3)
        .crit(lambda: "v" > 5)
        .topic('alarms')
"""
SECRET = (
    "        .hipChat()\n            .room('script')\n            .token('secret-1')\n"
)
TEMPLATE = """var limit float
stream
    |from()
        .measurement('mem')
        .groupBy('host')
    |alert()
        .id('mem {{ index .Tags "host" }}')
        .crit(lambda: "v" > limit)
        .topic('memory')
"""
CRITICAL = "level() == CRITICAL"
ANSWERS = {"/post/rejects": 400}


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Rejects the posts to one path, and is unavailable for all others."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(ANSWERS.get(self.path, 503))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def main(tree: Path, target: Path, way: str) -> None:
    """Fill a server of `tree`, end it, and keep its files in `target`."""
    with tempfile.TemporaryDirectory() as folder:
        run(tree, Path(folder), way)
        pack(Path(folder) / "data", target)


def run(tree: Path, folder: Path, way: str) -> None:
    """Start the server of `tree`, fill it, and end it."""
    # the oldest version does not create it
    (folder / "data").mkdir()
    endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=endpoint.serve_forever, daemon=True).start()
    port, closed = free(), free()
    config = folder / "kapacitor.conf"
    config.write_text(sections(folder, port, endpoint.server_address[1], closed, way))
    with serving(tree, config, signal.SIGTERM):
        define(Server(port), way)
    end = signal.SIGKILL if way == "kill" else signal.SIGTERM
    with serving(tree, config, end):
        alert(Server(port), way)


@contextlib.contextmanager
def serving(tree: Path, config: Path, end: signal.Signals) -> Iterator[None]:
    """Start the server of `tree`, and send it a signal at the end."""
    packages = [each for each in sys.path if each.endswith("site-packages")]
    with (config.parent / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "runtime.server", "-config", str(config)],
            cwd=config.parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tree), *packages])},
            stderr=log,
            stdout=log,
        )
    try:
        yield
    finally:
        process.send_signal(end)
        process.wait(30)


def pack(data: Path, target: Path) -> None:
    """Copy files of a server, the large ones compressed."""
    for path in sorted(each for each in data.rglob("*") if each.is_file()):
        content, kept = path.read_bytes(), target / path.relative_to(data)
        kept.parent.mkdir(parents=True, exist_ok=True)
        if path.name.startswith("kapacitor.db") and path.suffix != ".key":
            kept = kept.with_name(f"{kept.name}.xz")
            content = lzma.compress(content)
        kept.write_bytes(content)


def free() -> int:
    """Return an unused port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sections(folder: Path, port: int, endpoint: int, closed: int, way: str) -> str:
    """The configuration of the server."""
    more = ""
    if way != "oldest":
        more = "[auth]\n  enabled = true\n  bcrypt-cost = 4\n[delivery]\n  flood-limit = 6\n"
        for name in ("down", "rejects"):
            more += (
                f'[[httppost]]\n  endpoint = "{name}"\n'
                f'  url = "http://127.0.0.1:{endpoint}/post/{name}"\n'
            )
    return f"""\
data_dir = "{folder}/data"
[http]
  bind-address = "127.0.0.1:{port}"
[storage]
  boltdb = "{folder}/data/kapacitor.db"
[replay]
  dir = "{folder}/data/replay"
[foo]
  enabled = true
  url = "http://127.0.0.1:{closed}/foo"
  room = "configured"
[hipchat]
  enabled = true
  url = "http://127.0.0.1:{endpoint}/room"
  token = "configured"
  room = "configured"
{more}"""


class Server:
    """The API of a server."""

    def __init__(self, port: int) -> None:
        self._port = port
        end = time.monotonic() + 30
        while True:
            try:
                self("GET", "/ping")
                return
            except OSError:
                assert time.monotonic() < end
                # old servers do not say when they listen
                time.sleep(0.05)

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request, which must succeed."""
        data = body if isinstance(body, str) else json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request(
            method, f"/kapacitor/v1{path}", None if body is None else data
        )
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status < 300, (method, path, answer.status, text)
        connection.close()
        return json.loads(text) if text else None

    def write(self, *lines: str) -> None:
        """Write points."""
        self("POST", "/write?db=telegraf&rp=autogen", "\n".join(lines))


def define(server: Server, way: str) -> None:
    """Define some of everything that this version stores."""
    is_oldest = way == "oldest"
    handlers: list[tuple[str, str, str, dict[str, Any], str]] = [
        ("alarms", "foo", "foo", {"room": "ops"}, ""),
        ("alarms", "chat", "hipchat", {"room": "r", "token": "secret-2"}, CRITICAL),
        ("memory", "chat", "hipchat", {}, ""),
        ("quiet", "foo", "foo", {}, ""),
    ]
    if not is_oldest:
        post = {"endpoint": "down", "headers": {"Authorization": "Bearer secret-3"}}
        gather = {
            "id": "sum",
            "interval": 3600 * 10**9,
            "topic": "sums",
            "message": "{{ .Count }} events",
        }
        handlers += [
            ("alarms", "copies", "publish", {"topics": ["copies"]}, ""),
            ("alarms", "rejects", "post", {"endpoint": "rejects"}, CRITICAL),
            ("copies", "post", "post", post, ""),
            ("quiet", "tcp", "tcp", {"address": "127.0.0.1:9"}, ""),
            ("alarms", "gather", "aggregate", gather, ""),
            ("sums", "foo", "foo", {"room": "sums"}, ""),
            ("memory", "gone", "foo", {"room": "gone"}, ""),
            ("flood", "foo", "foo", {"room": "flood"}, ""),
            ("flood", "gone", "foo", {"room": "gone"}, ""),
        ]
    for topic, id, kind, options, match in handlers:
        spec = {"id": id, "kind": kind, "options": options, "match": match}
        server("POST", f"/alerts/topics/{topic}/handlers", spec)
    server("POST", "/config/hipchat/", {"set": {"token": "secret-4", "room": "over"}})
    task = {"type": "stream", "dbrps": DBRPS, "status": "enabled"}
    server("POST", "/tasks", {**task, "id": "cpu", "script": TASK + SECRET})
    off = {**task, "status": "disabled", "id": "off", "script": TASK}
    server("POST", "/tasks", off)
    server("POST", "/templates", {"id": "mem", "type": "stream", "script": TEMPLATE})
    values = {"limit": {"type": "float", "value": 90.0}}
    of_template = {"id": "mem_90", "template-id": "mem", "vars": values}
    server("POST", "/tasks", {**task, **of_template})
    if not is_oldest:
        flood = TASK.replace("'cpu'", "'flood'").replace("'alarms'", "'flood'")
        server("POST", "/tasks", {**task, "id": "flood", "script": flood})
        user = {"name": "ann", "password": "secret-5", "type": "normal"}
        user["permissions"] = ["api", "write_points"]  # type: ignore[assignment]
        server("POST", "/users", user)
        admin = {"name": "root", "password": "secret-6", "type": "admin"}
        server("POST", "/users", admin)


def alert(server: Server, way: str) -> None:
    """Cause events and deliveries, a recording and a replay."""
    if way != "oldest":
        stop = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
        recording = {"id": "rec", "task": "cpu", "stop": stop.isoformat()}
        server("POST", "/recordings/stream", recording)
    levels = {"ok": 1, "info": 2, "warn": 4, "crit": 9}
    server.write(*(f"cpu,host={host} v=9" for host in ("ok", "crit")))
    server.write(*(f"cpu,host={host} v={v}" for host, v in levels.items()))
    server.write("mem,host=a v=95")
    if way == "oldest":
        return
    until(server, "/recordings/rec", lambda found: found["status"] == "finished")
    replay = {"id": "rep", "task": "mem_90", "recording": "rec", "clock": "fast"}
    server("POST", "/replays", replay)
    until(server, "/replays/rep", lambda found: found["status"] == "finished")
    for number in range(12):
        server.write(f"flood,host=h{number} v=9")
    for topic in ("memory", "flood"):
        server("DELETE", f"/alerts/topics/{topic}/handlers/gone")
    # of the hosts ok and crit; of crit once more
    dead = "/deliveries?state=dead"
    until(server, dead, lambda found: len(found["deliveries"]) == 3)


def until(server: Server, path: str, met: Any) -> None:
    """Wait until an answer of the server is as expected."""
    end = time.monotonic() + 30
    while not met(found := server("GET", path)):
        assert time.monotonic() < end, found
        # a server in another process can only be asked again
        time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3])
