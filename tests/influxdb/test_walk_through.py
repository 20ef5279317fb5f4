"""The way from Kapacitor and InfluxDB to this server, as docs/kapacitor.md describes it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import DEADLINE_S, Kapacitord, StartKapacitord
from tests.influxdb.conftest import InfluxDB, eventually

PAGE = (Path(__file__).parents[2] / "docs/kapacitor.md").read_text()
DBRPS = [{"db": "telegraf", "rp": "autogen"}]
STREAM = """
var cpu = stream|from().measurement('cpu').groupBy('host')
cpu|alert().id('{{ .Tags.host }}').crit(lambda: "usage" > 80).topic('stream')
cpu|influxDBOut().database('telegraf').measurement('copy').flushInterval(200ms)
"""
BATCH = """
batch
    |query('SELECT usage FROM "telegraf"."autogen"."cpu"')
        .period(1h)
        .every(200ms)
        .groupBy('host')
    |max('usage')
    |alert()
        .id('{{ .Tags.host }}')
        .crit(lambda: "max" > 80)
        .topic('batch')
"""


class Shell:
    """Runs the page's commands one block after the other, as one session does."""

    def __init__(self, directory: Path, replaced: dict[str, str]) -> None:
        """Begin a session.

        Args:
            directory: its first folder, whose programs are found first by name.
            replaced: texts of the page, with their replacements in the test.
        """
        self.directory = directory
        self._replaced = replaced
        self.port = int(replaced[":9192"].removeprefix(":"))
        self._state = directory / "session"
        self._state.write_text(f'cd "{directory}"\n')

    @property
    def folder(self) -> Path:
        """The session's present folder."""
        [cd] = [
            line
            for line in self._state.read_text().splitlines()
            if line.startswith("cd ")
        ]
        return Path(cd.removeprefix("cd ").strip('"'))

    def run(self, block: str) -> str:
        """Run a block; what it prints."""
        for text, other in self._replaced.items():
            block = block.replace(text, other)
        # a server in the background keeps what it inherits open
        output = self.directory / "output"
        script = (
            f'. "{self._state}"\n{block}\n'
            f'{{ export -p; echo "cd \\"$PWD\\""; }} > "{self._state}"\n'
        )
        path = f"{self.directory}:{os.environ['PATH']}"
        with output.open("w") as file:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                env={**os.environ, "PATH": path, "TZ": "UTC"},
                stdout=file,
                stderr=file,
                timeout=120,
                check=False,
            )
        assert done.returncode == 0, f"{block}\n{output.read_text()}"
        return output.read_text()


def steps() -> Iterator[tuple[str, str]]:
    """The blocks of the page's way, with their languages."""
    _, _, section = PAGE.partition("\n## Moving\n")
    section, _, _ = section.partition("\n## ")
    yield from re.findall(r"```(\w+)\n(.+?)```", section, re.DOTALL)


def program(directory: Path, name: str, *command: str) -> None:
    """A program by which the session finds a command of the product."""
    path = directory / name
    path.write_text(f'#!/bin/sh\nexec {" ".join(command)} "$@"\n')
    path.chmod(0o755)


@pytest.fixture
def old(
    own_influxdb: Callable[..., InfluxDB], start_kapacitord: StartKapacitord
) -> tuple[InfluxDB, Kapacitord]:
    """InfluxDB and a server that stands for Kapacitor, with tasks and a handler."""
    influxdb = own_influxdb()
    influxdb.create("telegraf")
    server = start_kapacitord(influxdb.section("name = 'default'"))
    for id, kind, script in (
        ("cpu_stream", "stream", STREAM),
        ("cpu_batch", "batch", BATCH),
    ):
        task = {"id": id, "type": kind, "script": script, "dbrps": DBRPS}
        server.json("POST", "/tasks", {**task, "status": "enabled"})
    options = {"url": "http://127.0.0.1:1/x"}
    handler = {"id": "h", "kind": "post", "options": options}
    server.json("POST", "/alerts/topics/audit/handlers", handler)
    return influxdb, server


@pytest.fixture
def shell(old: tuple[InfluxDB, Kapacitord], tmp_path: Path) -> Iterator[Shell]:
    """A session beside the old server; what it starts is stopped."""
    influxdb, server = old
    directory = tmp_path / "session"
    directory.mkdir()
    program(directory, "kapacitord", sys.executable, "-m", "runtime.server")
    program(directory, "kapacitor", sys.executable, "-m", "runtime.client")
    assert server.process is not None
    program(directory, "systemctl", "kill", str(server.process.pid), "#")
    session = Shell(
        directory,
        {
            "/etc/kapacitor/kapacitor.conf": str(server.directory / "kapacitor.conf"),
            "/var/lib/kapacitor": str(server.directory / "data"),
            ":9092": f":{server.port}",
            ":8086": f":{influxdb.port}",
            ":9192": f":{free_port()}",
        },
    )
    yield session
    pid_file = session.folder / "alerts.pid"
    if pid_file.exists():
        end(int(pid_file.read_text()))


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def end(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    ends = time.monotonic() + DEADLINE_S
    while time.monotonic() < ends:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        # the script's child, not ours: it cannot be waited for
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)


def test_every_command_of_the_way_does_what_it_says(
    old: tuple[InfluxDB, Kapacitord], shell: Shell, tmp_path: Path
) -> None:
    influxdb, kapacitor = old
    blocks = [block for language, block in steps() if language == "sh"]
    [export] = [block for language, block in steps() if language == "python"]
    configure, take_over, start, look, switch = blocks

    shell.run(configure)
    effective = (shell.folder / "effective.conf").read_text()
    assert f'urls = ["{influxdb.url}"]' in effective
    (shell.folder / "export.py").write_text(export)
    shell.run(take_over)
    exported = {path.name for path in (shell.folder / "load/tasks").iterdir()}
    assert {"cpu_batch.tick", "cpu_stream.tick"} <= exported

    shown = shell.run(start)
    assert re.search(r"cpu_batch +batch +enabled +true", shown)
    assert re.search(r"cpu_stream +stream +enabled +true", shown)
    new = Kapacitord(shell.folder)
    new.port = shell.port

    # both get what is written, and what is queried
    assert eventually(lambda: len(subscriptions(influxdb)) == 2)
    write(
        influxdb, "a", 95, lambda: new.levels("stream") and kapacitor.levels("stream")
    )
    for server in (kapacitor, new):
        assert eventually(
            lambda server=server: server.levels("batch") == {"a": "CRITICAL"}
        )
    assert eventually(lambda: influxdb.query('SELECT * FROM "copy"', "telegraf"))
    shown = shell.run(look)
    assert '"success":true' in shown
    assert "kapacitor-" in shown
    assert re.search(r"telegraf +autogen +cpu +\d", shown)
    assert "batches_queried=" in shown

    shell.run(switch)
    assert eventually(
        lambda: kapacitor.process is not None and kapacitor.process.poll() is not None
    )
    assert eventually(lambda: len(subscriptions(influxdb)) == 1)
    write(influxdb, "b", 96, lambda: "b" in new.levels("stream"))
    both = {"a": "CRITICAL", "b": "CRITICAL"}
    assert new.levels("stream") == both
    assert eventually(lambda: new.levels("batch") == both)


def write(
    influxdb: InfluxDB, host: str, value: int, arrived: Callable[[], Any]
) -> None:
    """Write until it arrives: InfluxDB takes note of subscriptions a little later."""

    def written() -> Any:
        line = f"cpu,host={host} usage={value} {time.time_ns()}"
        influxdb.write(line, "telegraf", "autogen")
        return arrived()

    assert eventually(written)


def subscriptions(influxdb: InfluxDB) -> list[str]:
    return [
        row[series["columns"].index("name")]
        for series in influxdb.query("SHOW SUBSCRIPTIONS")
        if series["name"] == "telegraf"
        for row in series["values"]
    ]
