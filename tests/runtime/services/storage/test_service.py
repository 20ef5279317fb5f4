"""The database over HTTP."""

import http.client
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from runtime.server.sections import HttpConfig
from runtime.store import Store

V1 = "/kapacitor/v1"
TASK = {
    "id": "cpu",
    "type": "stream",
    "dbrps": [{"db": "d", "rp": "r"}],
    "script": "stream|from().measurement('cpu')|alert().crit(lambda: TRUE)",
    "status": "enabled",
}


def test_the_stores_are_listed(api: Any) -> None:
    found = api.json("GET", "/storage/stores")
    assert found["link"] == {"rel": "self", "href": f"{V1}/storage/stores"}
    assert sorted(each["name"] for each in found["storage"]) == [
        *("handler-specs", "load", "overrides", "recordings", "replays", "tasks")
    ]
    assert found["storage"][0]["link"]["href"] == f"{V1}/storage/stores/tasks"


@pytest.mark.parametrize(
    ("name", "body", "answer"),
    [
        ("tasks", '{"action":"rebuild"}', (204, "")),
        ("nope", '{"action":"rebuild"}', (404, 'unknown storage "nope"')),
        (
            "tasks",
            '{"action":"x"}',
            (400, "failed to unmarshal storage action unknown StorageAction x"),
        ),
        (
            "tasks",
            "{}",
            (400, 'unkown storage action "unknown StorageAction 0"'),
        ),
        ("tasks", "", (400, "failed to unmarshal storage action EOF")),
    ],
)
def test_a_store_is_rebuilt(
    api: Any, name: str, body: str, answer: tuple[int, str]
) -> None:
    assert api.ask("POST", f"/storage/stores/{name}", body) == answer


def test_the_command_saves_a_database_that_a_server_starts_with(
    start_kapacitord: Any, tmp_path: Path
) -> None:
    server = start_kapacitord()
    server.json("POST", "/tasks", TASK)
    assert server.cli("backup", str(tmp_path / "copy.db")) == ""
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))
    nowhere = str(tmp_path / "no" / "copy.db")
    assert "no such file or directory" in server.cli("backup", nowhere, code=3)
    assert not list((server.directory / "data").glob(".backup-*"))
    other = start_kapacitord()
    other.stop()
    (other.directory / "data" / "kapacitor.db").write_bytes(
        (tmp_path / "copy.db").read_bytes()
    )
    other.start()
    [task] = other.json("GET", "/tasks")["tasks"]
    assert (task["id"], task["executing"]) == ("cpu", True)


def test_a_backup_is_an_attachment_and_never_compressed(start_kapacitord: Any) -> None:
    server = start_kapacitord()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Accept-Encoding": "gzip"}
    connection.request("GET", f"{V1}/storage/backup", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200
    assert answer.getheader("Content-Type") == "application/octet-stream"
    disposition = 'attachment; filename="kapacitor.db"'
    assert answer.getheader("Content-Disposition") == disposition
    assert answer.getheader("Content-Encoding") is None
    assert body.startswith(b"SQLite format 3\0")


def test_a_copy_made_while_others_write_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path / "live.db")
    for number in range(2000):
        store.put("bulk", str(number), b"x" * 2000)
    done = threading.Event()
    written: list[int] = []

    def write() -> None:
        number = 0
        while not done.is_set():
            # the two always agree
            with store.transaction():
                store.put("pair", "a", str(number).encode())
                store.put("pair", "b", str(number).encode())
            written.append(number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        store.backup(tmp_path / "copy.db")
    finally:
        done.set()
        writer.join(10)
        store.close()
    assert len(written) > 1, "others could write meanwhile"
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        pair = copy.execute("SELECT value FROM entries WHERE bucket = 'pair'")
        first, second = pair.fetchall()
        count = copy.execute("SELECT count(*) FROM entries WHERE bucket = 'bulk'")
        assert count.fetchone() == (2000,)
    copy.close()
    assert first == second
    assert [each.name for each in tmp_path.glob("copy.db*")] == ["copy.db"]


# a name for loopback that the server does not take for one
EXPOSED = HttpConfig(bind_address="127.1:0", log_enabled=False)


def test_a_server_that_others_reach_gives_no_copy(config: Any, start_api: Any) -> None:
    config.http = EXPOSED
    status, text = start_api(config).ask("GET", "/storage/backup")
    assert status == 403
    assert text.startswith("a backup holds secrets")


def test_only_admins_get_a_copy(start_kapacitord: Any) -> None:
    server = start_kapacitord("[auth]\n  enabled = true\n  bcrypt-cost = 4\n")
    for user in (
        {"name": "root", "password": "r", "type": "admin"},
        {"name": "all", "password": "a", "permissions": ["all"]},
    ):
        server.json("POST", "/users", user)
    server.stop()
    server.environment = {"KAPACITOR_HTTP_AUTH_ENABLED": "true"}
    server.start()
    user = f"http://all:a@127.0.0.1:{server.port}"
    target = server.directory / "copy.db"
    refused = server.cli("-url", user, "backup", str(target), code=3)
    assert "only admins get one" in refused
    assert not target.exists()
    admin = f"http://root:r@127.0.0.1:{server.port}"
    server.cli("-url", admin, "backup", str(target))
    assert target.read_bytes().startswith(b"SQLite format 3\0")
