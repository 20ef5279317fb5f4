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

import runtime.store as store_module

VICTIM = Path(__file__).with_name("victim.py")
EVENTS = 4
# what writes, makes durable, sends and removes
# … and at which of them the short form kills
CALLS = {
    "fdatasync": (2, 7),
    "pwrite64": (5,),
    "sendto": (3,),
    "write": (2,),
    "unlink": (1,),
    "ftruncate": (1,),
}
MIGRATE = "import sys, pathlib, runtime.store as s; s.Store(pathlib.Path(sys.argv[1]))"


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
@pytest.mark.parametrize("call", CALLS)
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
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_a_kill_in_a_migration_leaves_it_whole_or_not_begun(call, tmp_path, kit):
    newest = len(store_module._MIGRATIONS)
    numbers = range(1, 10_000) if kit.long else (1, 3)
    for number in numbers:
        path = tmp_path / f"{call}-{number}.db"
        old(path, version=2)
        was_killed, _ = killed(call, number, "-c", MIGRATE, str(path))
        connection = sqlite3.connect(path)
        [version] = connection.execute("PRAGMA user_version").fetchone()
        assert version in (2, newest)
        connection.close()
        run("-c", MIGRATE, str(path))
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA user_version").fetchone() == (newest,)
        assert connection.execute("SELECT count(*) FROM deliveries").fetchone() == (50,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        if not was_killed:
            assert number > 1, f"{call} is not called"
            break


def old(path, version):
    """A database of a former version, with rows in it."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    for script in store_module._MIGRATIONS[:version]:
        connection.executescript(script)
    connection.execute(f"PRAGMA user_version = {version}")
    row = ("t", "h", "e", b"", "dead", 1, 1, 1, "")
    connection.executemany(
        "INSERT INTO deliveries (topic, handler, event_id, event, state, attempts,"
        " created, due, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [row] * 50,
    )
    connection.commit()
    connection.close()
