"""The whole way in one run: generate an integration, start the runtime, see an alert.

    python examples/tour.py [DIRECTORY]

Makes a project for handlers (in a temporary directory unless one is named), generates the integration `huddle` there, starts the server with it, sends two
points and prints what a stand-in for Huddle's server receives. Needs no network.
"""

from __future__ import annotations

import http.server
import queue
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

SCRIPT = """\
stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |alert()
        .id('{{ index .Tags "host" }}')
        .message('{{ .ID }} is {{ .Level }}: {{ index .Fields "usage_idle" }}% idle')
        .crit(lambda: "usage_idle" < 10)
        .stateChangesOnly()
        .huddle()
            .channel('ops')
"""
POINTS = "cpu,host=web1 usage_idle=3 1000000000\ncpu,host=web1 usage_idle=60 2000000000"
DEADLINE_S = 30.0
# the programs by their modules: they need not be on the path
MODULES = {
    "scaffold": "scaffold",
    "kapacitord": "runtime.server",
    "kapacitor": "runtime.client",
}

Received = queue.Queue[str]


def main() -> int:
    """Run the tour; 0 when the alert and its recovery arrived."""
    if len(sys.argv) > 1:
        return tour(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="scaffold-tour-") as directory:
        return tour(Path(directory) / "alerts")


def tour(project: Path) -> int:
    """Generate, start, alert, in `project`."""
    say("A project of your own, and an integration in it:")
    run(project.parent, "scaffold", "init", str(project))
    run(project, "scaffold", "new-handler", "huddle", "--field", "channel:str")

    received: Received = queue.Queue()
    room = chat_server(received)
    port = free_port()
    (project / "tour.tick").write_text(SCRIPT)
    (project / "tour.conf").write_text(configuration(project, port, room.server_port))
    server = f"http://127.0.0.1:{port}"

    say("The server starts with it, and a task that uses it:")
    kapacitord = start(project, "-config", "tour.conf")
    try:
        wait_for(server, kapacitord)
        client = ("kapacitor", "-url", server)
        task = (
            "define",
            "cpu_alert",
            "-tick",
            "tour.tick",
            "-dbrp",
            "telegraf.autogen",
        )
        run(project, *client, *task)
        run(project, *client, "enable", "cpu_alert")
        say(f"Two points come in:\n{POINTS}\n\nand Huddle's server receives:")
        write(server, POINTS)
        for _ in range(2):
            print("   ", received.get(timeout=DEADLINE_S))
    finally:
        kapacitord.terminate()
        kapacitord.wait(timeout=DEADLINE_S)
        room.shutdown()
    return 0


def say(text: str) -> None:
    """Print a line of the story."""
    print(f"\n{text}", flush=True)


def run(directory: Path, *command: str) -> None:
    """Run a command in `directory`, showing it; a failure ends the tour."""
    program, *arguments = command
    print(f"  $ {shlex.join(command)}", flush=True)
    command = (sys.executable, "-m", MODULES[program], *arguments)
    done = subprocess.run(command, cwd=directory, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def start(directory: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the server in the project's folder, where it finds the handlers."""
    print(f"  $ kapacitord {shlex.join(arguments)}", flush=True)
    with (directory / "tour.log").open("wb") as log:
        return subprocess.Popen(
            (sys.executable, "-m", MODULES["kapacitord"], *arguments),
            cwd=directory,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def chat_server(received: Received) -> http.server.HTTPServer:
    """A server that puts the body of every POST into `received`."""

    class Room(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            received.put(self.rfile.read(length).decode().strip())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    room = http.server.HTTPServer(("127.0.0.1", 0), Room)
    threading.Thread(target=room.serve_forever, args=(0.01,), daemon=True).start()
    return room


def configuration(project: Path, port: int, room_port: int) -> str:
    """A configuration file for the tour's server."""
    return f"""\
data_dir = "{project}/data"

[http]
  bind-address = "127.0.0.1:{port}"

[storage]
  boltdb = "{project}/data/kapacitor.db"

[replay]
  dir = "{project}/data/replay"

[huddle]
  enabled = true
  url = "http://127.0.0.1:{room_port}/messages"
  channel = "general"
"""


def free_port() -> int:
    """Return an unused port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(server: str, process: subprocess.Popen[bytes]) -> None:
    """Return when the server answers; exit when it does not in time."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server}/kapacitor/v1/ping", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server did not start; its log is tour.log in the project")


def write(server: str, points: str) -> None:
    """Write points as line protocol."""
    url = f"{server}/write?db=telegraf&rp=autogen"
    with urllib.request.urlopen(url, data=points.encode(), timeout=DEADLINE_S):
        pass


if __name__ == "__main__":
    sys.exit(main())
