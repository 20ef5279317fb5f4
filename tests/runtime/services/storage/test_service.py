"""The database over HTTP."""

import http.client
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.server.config.sections import HttpConfig
from runtime.store.database import Store

V1 = "/kapacitor/v1"
TASK = {
    "id": "cpu",
    "type": "stream",
    "dbrps": [{"db": "d", "rp": "r"}],
    "script": "stream|from().measurement('cpu')|alert().crit(lambda: TRUE)",
    "status": "enabled",
}
DEFINED = ("/tasks", "/users", "/config/foo", "/alerts/topics/cpu/handlers")


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
    refused_start: Callable[..., str], start_kapacitord: Any, tmp_path: Path
) -> None:
    auth = "[auth]\n  enabled = true\n  bcrypt-cost = 4\n"
    server = start_kapacitord(auth)
    server.json("POST", "/tasks", TASK)
    server.json("POST", "/users", {"name": "eve", "password": "p", "type": "admin"})
    server.json("POST", "/config/foo/", {"set": {"room": "override"}})
    handler = {"id": "h", "kind": "foo", "options": {"room": "handler"}}
    server.json("POST", "/alerts/topics/cpu/handlers", handler)
    assert server.cli("backup", str(tmp_path / "copy.db")) == ""
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))
    nowhere = str(tmp_path / "no" / "copy.db")
    assert "no such file or directory" in server.cli("backup", nowhere, code=3)
    assert not list((server.directory / "data").glob(".backup-*"))
    saved = [server.json("GET", path) for path in DEFINED]
    other = start_kapacitord(auth)
    other.stop()
    copy = other.directory / "data" / "kapacitor.db"
    shutil.copy(tmp_path / "copy.db", copy)
    content = copy.read_bytes()
    said = refused_start(other.directory / "kapacitor.conf")
    assert "its values were encrypted with another key than the one" in said
    assert copy.read_bytes() == content
    key = "kapacitor.db.key"
    shutil.copy(server.directory / "data" / key, other.directory / "data" / key)
    other.start()
    assert [other.json("GET", path) for path in DEFINED] == saved
    [task] = saved[0]["tasks"]
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
        store.values.put("bulk", str(number), b"x" * 2000)
    done = threading.Event()
    written: list[int] = []

    def write() -> None:
        number = 0
        while not done.is_set():
            # the two always agree
            with store.transaction():
                store.values.put("pair", "a", str(number).encode())
                store.values.put("pair", "b", str(number).encode())
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
    assert [each.name for each in tmp_path.glob("copy.db*")] == ["copy.db"]
    shutil.copy(tmp_path / "live.db.key", tmp_path / "copy.db.key")
    copy = Store(tmp_path / "copy.db")
    assert copy.query("PRAGMA integrity_check") == [("ok",)]
    [(_, first), (_, second)] = copy.values.items("pair")
    assert first == second
    assert len(copy.values.items("bulk")) == 2000
    copy.close()


# a name for loopback that the server does not take for one
EXPOSED = HttpConfig(bind_address="127.1:0", log_enabled=False)


def test_a_server_that_others_reach_gives_a_copy(config: Any, start_api: Any) -> None:
    config.http = EXPOSED
    answer = start_api(config).answer("GET", f"{V1}/storage/backup")
    assert answer.status == 200


def test_users_who_may_use_the_api_get_a_copy(start_kapacitord: Any) -> None:
    server = start_kapacitord("[auth]\n  enabled = true\n  bcrypt-cost = 4\n")
    for name, permission in (("may", "api"), ("not", "write_points")):
        user = {"name": name, "password": "p", "permissions": [permission]}
        server.json("POST", "/users", user)
    server.stop()
    server.environment = {"KAPACITOR_HTTP_AUTH_ENABLED": "true"}
    server.start()
    target = server.directory / "copy.db"
    user = f"http://not:p@127.0.0.1:{server.port}"
    refused = server.cli("-url", user, "backup", str(target), code=3)
    assert 'user not does not have "read" privilege' in refused
    assert not target.exists()
    server.cli("-url", f"http://may:p@127.0.0.1:{server.port}", "backup", str(target))
    assert target.read_bytes().startswith(b"SQLite format 3\0")
