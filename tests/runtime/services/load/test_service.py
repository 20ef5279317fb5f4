"""The load directory of a real server."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.server.sections import HttpConfig, LoadConfig
from runtime.server.server import Server
from runtime.services.load.service import LoadError

DBRP = 'dbrp "telegraf"."autogen"\n'
ALERT = "stream|from().measurement('cpu')|alert().crit(lambda: TRUE).topic('{topic}')"


class Directory:
    """A load directory with its three parts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("templates", "tasks", "handlers"):
            (root / name).mkdir(parents=True)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "load")


@pytest.fixture
def start(start_kapacitord: Any, directory: Directory) -> Callable[[], Any]:
    return lambda: start_kapacitord(
        f'[load]\n  enabled = true\n  dir = "{directory.root}"\n'
    )


def hang_up(server: Any, until: Callable[[], bool]) -> None:
    """Send SIGHUP and wait until it shows."""
    os.kill(server.process.pid, signal.SIGHUP)
    deadline = time.monotonic() + 10
    while not until():
        assert time.monotonic() < deadline, server.log
        server.process_wait(0.02)


def tasks(server: Any) -> dict[str, Any]:
    return {each["id"]: each for each in server.json("GET", "/tasks")["tasks"]}


def handlers(server: Any, topic: str) -> list[str]:
    path = f"/alerts/topics/{topic}/handlers"
    return [each["id"] for each in server.json("GET", path)["handlers"]]


def test_all_kinds_of_files_are_loaded_and_run(
    start: Callable[[], Any], directory: Directory, tmp_path: Path
) -> None:
    directory.write(
        "templates/limit.tick", "var topic = 'x'\n" + ALERT.format(topic="t")
    )
    directory.write("tasks/plain.tick", DBRP + ALERT.format(topic="plain"))
    directory.write(
        "tasks/made.yaml",
        "template-id: limit\ndbrps: [telegraf.autogen]\n"
        "vars:\n  topic: {type: string, value: made}\n",
    )
    directory.write(
        "tasks/json.json",
        '{"template-id": "limit", "dbrps": ["\\"a\\".\\"b.c\\""]}',
    )
    path = tmp_path / "alerts.log"
    directory.write(
        "handlers/log.yml",
        f"topic: plain\nid: file\nkind: log\noptions:\n  path: {path}\n",
    )
    directory.write("tasks/.hidden", "nonsense")
    directory.write("tasks/notes.txt", "nonsense")
    server = start()
    found = tasks(server)
    assert sorted(found) == ["json", "made", "plain"]
    assert all(each["executing"] for each in found.values())
    assert found["json"]["dbrps"] == [{"db": "a", "rp": "b.c"}]
    assert found["made"]["template-id"] == "limit"
    assert found["made"]["vars"]["topic"]["value"] == "made"
    assert handlers(server, "plain") == ["file"]
    server.write("cpu v=1 1")
    deadline = time.monotonic() + 10
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        server.process_wait(0.02)


def test_a_hangup_loads_what_changed_and_deletes_what_is_gone(
    start: Callable[[], Any], directory: Directory
) -> None:
    directory.write("templates/t.tick", ALERT.format(topic="t"))
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="a"))
    directory.write("tasks/b.tick", DBRP + ALERT.format(topic="b"))
    server = start()
    server.json(
        "POST",
        "/tasks",
        {"id": "mine", "script": DBRP + ALERT.format(topic="m"), "type": "stream"},
    )
    directory.remove("tasks/b.tick")
    directory.remove("templates/t.tick")
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="other"))
    directory.write("tasks/c.tick", DBRP + ALERT.format(topic="c"))
    hang_up(server, lambda: sorted(tasks(server)) == ["a", "c", "mine"])
    assert "'other'" in tasks(server)["a"]["script"]
    assert tasks(server)["a"]["executing"]
    assert server.json("GET", "/templates")["templates"] == []


def test_what_was_removed_while_the_server_was_off_is_deleted_at_the_start(
    start: Callable[[], Any], directory: Directory
) -> None:
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="a"))
    server = start()
    assert list(tasks(server)) == ["a"]
    server.stop()
    directory.remove("tasks/a.tick")
    server.start()
    assert tasks(server) == {}


@pytest.mark.parametrize("topic", ["handlers", "disk", "s.handlers", "web"])
def test_a_removed_handler_is_gone_whatever_its_topic_is_called(
    start: Callable[[], Any], directory: Directory, topic: str
) -> None:
    def text(id: str) -> str:
        return f"topic: {topic}\nid: {id}\nkind: log\noptions: {{path: /tmp/x}}\n"

    directory.write("handlers/one.yaml", text("one"))
    directory.write("handlers/two.yaml", text("two"))
    server = start()
    assert handlers(server, topic) == ["one", "two"]
    directory.remove("handlers/one.yaml")
    hang_up(server, lambda: handlers(server, topic) == ["two"])


def test_a_missing_directory_is_fine(start_kapacitord: Any, tmp_path: Path) -> None:
    server = start_kapacitord(f'[load]\n  enabled = true\n  dir = "{tmp_path}/no"\n')
    assert tasks(server) == {}


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        (
            "handlers/bad.yaml",
            "topic: t\nid: h\nkind: nope\n",
            'failed to update handler: unsupported action kind "nope"',
        ),
        (
            "handlers/bad.yaml",
            "topic: t\nid: 5\nkind: log\n",
            "failed to update handler: json: cannot unmarshal number into Go struct "
            "field HandlerSpec.id of type string",
        ),
        ("handlers/bad.json", "{", "failed to update handler: unexpected EOF"),
        (
            "handlers/bad.yaml",
            "- a\n",
            "failed to update handler: the file holds no mapping",
        ),
        (
            "tasks/bad.tick",
            DBRP + "stream|nope()",
            "failed to update task: invalid TICKscript: ",
        ),
        (
            "tasks/bad.tick",
            ALERT.format(topic="t"),
            "failed to update task: must specify dbrp",
        ),
        (
            "tasks/bad.yaml",
            "template-id: nope\ndbrps: [a.b]\n",
            "failed to update task: unknown template nope: err: no template exists",
        ),
        (
            "tasks/bad.yaml",
            "template-id: nope\ndbrps: [ab]\n",
            "dbrp ab is not of the form",
        ),
        (
            "templates/bad.tick",
            "",
            "failed to update template: invalid task type: invalid",
        ),
    ],
)
def test_a_file_that_fails_stops_the_start(
    directory: Directory, config: Any, name: str, text: str, fault: str
) -> None:
    directory.write(name, text)
    config.load = LoadConfig(enabled=True, dir=str(directory.root))

    async def start() -> None:
        await Server(config).open()

    with pytest.raises(LoadError) as caught:
        asyncio.run(start())
    assert str(caught.value).startswith(
        "failed to reload tasks/templates/handlers: "
        f"failed to load file {directory.root}/{name}: {fault}"
    )


def test_the_command_says_why_it_does_not_start(
    refused_start: Callable[..., str], directory: Directory, tmp_path: Path
) -> None:
    directory.write("handlers/bad.yaml", "topic: t\nid: h\nkind: nope\n")
    config = tmp_path / "kapacitor.conf"
    config.write_text(f"""\
data_dir = "{tmp_path}/data"
[http]
  bind-address = "127.0.0.1:0"
[storage]
  boltdb = "{tmp_path}/data/kapacitor.db"
[load]
  enabled = true
  dir = "{directory.root}"
""")
    assert refused_start(config).splitlines()[-1] == (
        "run: open server: failed to reload tasks/templates/handlers: "
        f"failed to load file {directory.root}/handlers/bad.yaml: "
        'failed to update handler: unsupported action kind "nope"'
    )


def test_a_file_that_fails_at_a_hangup_is_logged_and_deletes_nothing(
    start: Callable[[], Any], directory: Directory
) -> None:
    directory.write("tasks/a.tick", DBRP + ALERT.format(topic="a"))
    server = start()
    directory.remove("tasks/a.tick")
    directory.write("tasks/b.tick", "nonsense")
    hang_up(server, lambda: "failed to reload tasks/templates/handlers" in server.log)
    assert list(tasks(server)) == ["a"]
    directory.remove("tasks/b.tick")
    hang_up(server, lambda: tasks(server) == {})


def test_files_may_use_what_strangers_may_not(
    config: Any, start_api: Any, directory: Directory
) -> None:
    spec = "topic: t\nid: h\nkind: log\noptions: {path: /tmp/x}\n"
    directory.write("handlers/log.yaml", spec)
    config.http = HttpConfig(bind_address="127.1:0", log_enabled=False)
    config.load = LoadConfig(enabled=True, dir=str(directory.root))
    api = start_api(config)
    assert api.ask("GET", "/alerts/topics/t/handlers/h")[0] == 200
    api.restart()
    assert api.ask("GET", "/alerts/topics/t/handlers/h")[0] == 200
