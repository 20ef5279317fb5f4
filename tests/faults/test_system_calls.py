"""A process is killed at each system call that changes something; nothing is lost.

`strace` does it from outside, so no line of the product knows of it.
"""

import functools
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.store import schema
from runtime.store.database import Store
from runtime.store.sealing import Seal
from tests.draws import drawn

VICTIM = Path(__file__).with_name("victim.py")
CONFIGURER = Path(__file__).with_name("configurer.py")
EVENTS = 4
# calls that write, sync, send and remove
# … and at which of them the short form kills
CALLS = {
    "fdatasync": (2, 7),
    "pwrite64": (5,),
    "sendto": (3,),
    "write": (2,),
    "unlink": (1,),
    "ftruncate": (1,),
}
OPEN = "import sys, pathlib, runtime.store.database as s; s.Store(pathlib.Path(sys.argv[1]))"
SECRET = b"a-canary-in-an-old-database"
# writes, works and says when; killed in its work
WORK = """
import sys, pathlib, runtime.store.database
path = pathlib.Path(sys.argv[1])
store = runtime.store.database.Store(path)
store.values.put("b", "new", b"x" * 100_000)
print("written", flush=True)
{}
print("done", flush=True)
"""
CHECKPOINT = WORK.format('store.query("PRAGMA wal_checkpoint(TRUNCATE)")')
BACKUP = WORK.format("store.backup(path.with_suffix('.copy'))")


@functools.cache
def strace():
    """The program, if there is one and it may trace."""
    found = shutil.which("strace")
    if found is None:
        return None
    try:
        done = subprocess.run(
            [found, "-f", "-qq", "-o", "/dev/null", "true"],
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found if done.returncode == 0 else None


needs_strace = pytest.mark.skipif(
    strace() is None, reason="strace is missing or may not trace"
)


def killed(call, number, *command):
    """Run a command, killed at its `number`th `call`: whether it was, and its output."""
    done = subprocess.run(
        [
            strace(),
            *("-f", "-qq", "-o", "/dev/null"),
            *("-e", f"trace={call}"),
            *("-e", f"inject={call}:signal=KILL:when={number}"),
            *(sys.executable, *command),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=dict(os.environ),
    )
    # strace ends itself by the signal that ended what it traced
    assert done.returncode in (0, 137, -9), done.stderr
    return done.returncode != 0, done.stdout


def run(*command):
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def note(ledger, output):
    for line in output.splitlines():
        _, host, seq = line.split()
        ledger.acknowledged.add((host, int(seq)))


@needs_strace
@pytest.mark.parametrize("call", drawn(CALLS, 3))
def test_a_kill_at_any_call_loses_nothing(call, tmp_path, sink, kit):
    numbers = range(1, 10_000) if kit.long else CALLS[call]
    for number in numbers:
        ledger = kit.ledger(("a", "b"))
        sink.taken.clear()
        database = str(tmp_path / f"{call}-{number}.db")
        was_killed, output = killed(
            call, number, str(VICTIM), database, sink.url, str(EVENTS)
        )
        note(ledger, output)
        if not was_killed:
            assert number > 1, f"{call} is not called"
            ledger.check(sink, 0)
            break
        ledger.kills = 1
        note(ledger, run(str(VICTIM), database, sink.url, "1"))
        ledger.check(sink, 8)


@needs_strace
@pytest.mark.parametrize(
    ("call", "short"),
    [
        # the key, the migration, the rewritten file, the emptied log
        ("write", (1,)),
        ("fsync", (1, 2)),
        ("rename", (1,)),
        ("pwrite64", (1, 3, 90, 200)),
        ("fdatasync", (1, 3, 6)),
        ("ftruncate", (1, 2, 3)),
    ],
)
def test_a_kill_in_a_migration_leaves_it_whole_or_not_begun(call, short, tmp_path, kit):
    for number in range(1, 10_000) if kit.long else short:
        path = tmp_path / f"{call}-{number}.db"
        old(path, version=2)
        was_killed, _ = killed(call, number, "-c", OPEN, str(path))
        connection = sqlite3.connect(path)
        [version] = connection.execute("PRAGMA user_version").fetchone()
        assert version in (2, schema.NEWEST)
        values = connection.execute("SELECT value FROM entries WHERE bucket = 'b'")
        in_plain = {SECRET in value for (value,) in values}
        assert in_plain == {version == 2}
        connection.close()
        store = Store(path)
        assert len(store.values.items("b")) == 50
        assert all(value == SECRET * 100 for _, value in store.values.items("b"))
        assert store.query("SELECT count(*) FROM deliveries") == [(50,)]
        assert store.query("PRAGMA integrity_check") == [("ok",)]
        assert not any(SECRET in each.read_bytes() for each in files(path))
        store.close()
        if not was_killed:
            assert number > 1, f"{call} is not called"
            break


@needs_strace
@pytest.mark.parametrize(
    ("call", "work", "short"),
    [
        ("pwrite64", CHECKPOINT, (70, 82)),
        ("fdatasync", CHECKPOINT, (9,)),
        ("ftruncate", CHECKPOINT, (2,)),
        ("pwrite64", BACKUP, (80, 120)),
        ("unlink", BACKUP, (1,)),
    ],
)
def test_a_kill_in_a_checkpoint_or_a_backup_changes_nothing(
    call, work, short, tmp_path, kit
):
    for number in range(1, 10_000) if kit.long else short:
        path = tmp_path / f"{number}.db"
        store = Store(path)
        store.values.put("b", "old", b"y" * 100_000)
        store.close()
        was_killed, said = killed(call, number, "-c", work, str(path))
        if not was_killed:
            assert number > 1, f"{call} is not called"
            break
        assert kit.long or said == "written\n"
        store = Store(path)
        assert store.query("PRAGMA integrity_check") == [("ok",)]
        assert store.values.get("b", "old") == b"y" * 100_000
        if said:
            assert store.values.get("b", "new") == b"x" * 100_000
        store.close()


def old(path, version):
    """A database of a former version, with rows in it, and secrets in plain."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    schema.migrate(connection, Seal(), to=version)
    row = ("t", "h", "e", b"", "dead", 1, 1, 1, "")
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO deliveries (topic, handler, event_id, event, state, attempts,"
        " created, due, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [row] * 50,
    )
    connection.executemany(
        "INSERT INTO entries VALUES ('b', ?, ?)",
        [(str(number), SECRET * 100) for number in range(100)],
    )
    connection.execute("COMMIT")
    connection.execute("DELETE FROM entries WHERE CAST(key AS INTEGER) >= 50")
    connection.close()


def files(path):
    """The files of a database."""
    return path.parent.glob(f"{path.name}*")


@needs_strace
@pytest.mark.parametrize("call", drawn(["pwrite64", "fdatasync"], 1))
def test_a_kill_leaves_a_configuration_whole(call, tmp_path, kit):
    # in the short form one in the middle of the second change
    numbers = (
        range(1, 10_000) if kit.long else [{"pwrite64": 33, "fdatasync": 13}[call]]
    )
    for number in numbers:
        database = str(tmp_path / f"{call}-{number}.db")
        was_killed, output = killed(call, number, str(CONFIGURER), database, "3")
        told = [int(line.split()[1]) for line in output.splitlines()]
        room, url = run(str(CONFIGURER), database, "0").split()[1:]
        assert url == f"http://localhost/{room}"
        # acknowledged writes are complete, the one after them completely or not at all
        newest = max(told, default=0)
        assert int(room) in (newest, newest + 1)
        if not was_killed:
            assert number > 1, f"{call} is not called"
            break
