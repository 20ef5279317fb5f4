"""Stored values are sealed; a lost or replaced key is noticed."""

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from runtime.errors import StoreError
from runtime.store import schema
from runtime.store.database import Store
from runtime.store.sealing import KeyFile, Seal

SECRET = b"a-canary-in-a-value"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "kapacitor.db"


@pytest.fixture
def key(path):
    return path.with_name("kapacitor.db.key")


def with_a_secret(path):
    store = Store(path)
    store.values.put("b", "k", SECRET)
    store.close()
    return path.read_bytes()


def on_disk(path):
    """All that is in the files of a database."""
    return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))


def refusal(path):
    def found():
        files = {each: each.lstat() for each in path.parent.iterdir()}
        # reading leaves its time
        return {
            each: (stat.st_mode, stat.st_size, stat.st_mtime_ns)
            for each, stat in files.items()
        }

    before = found()
    content = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert path.read_bytes() == content
    assert found() == before
    text = str(caught.value)
    assert text.startswith(f"failed to open database {path}: ")
    return text.removeprefix(f"failed to open database {path}: ")


def test_a_value_opens_in_its_place_only():
    seal = Seal()
    sealed = seal.sealed("b", "k", SECRET)
    assert SECRET not in sealed
    assert sealed != seal.sealed("b", "k", SECRET)
    assert seal.opened("b", "k", sealed) == SECRET
    for bucket, key, value in (
        ("b", "l", sealed),
        ("bk", "", sealed),
        ("", "bk", sealed),
        ("b", "k", sealed[:-1] + b"x"),
        ("b", "k", sealed[:5]),
        ("b", "k", b""),
    ):
        with pytest.raises(StoreError, match=f"the value of {bucket}/{key} does not"):
            seal.opened(bucket, key, value)
    with pytest.raises(StoreError):
        Seal().opened("b", "k", sealed)


def test_no_file_and_no_copy_shows_a_value(path):
    store = Store(path)
    with store.transaction():
        store.values.put("b", "k", SECRET * 1000)
        store.values.put("b", "l", SECRET)
    store.values.delete("b", "l")
    store.backup(path.with_name("copy"))
    assert on_disk(path).count(b"sealing") > 0
    assert SECRET not in on_disk(path) + path.with_name("copy").read_bytes()
    assert store.values.get("b", "k") == SECRET * 1000
    store.close()


def test_the_key_is_for_the_server_alone_and_stays(path, key):
    with_a_secret(path)
    assert key.stat().st_mode & 0o777 == 0o600
    made = key.read_text()
    assert len(bytes.fromhex(made)) == 32
    assert made.endswith("\n")
    with_a_secret(path)
    assert key.read_text() == made
    assert sorted(each.name for each in path.parent.iterdir()) == [
        *("kapacitor.db", "kapacitor.db.key")
    ]


def test_a_copy_opens_with_the_key_and_no_other(path, key, tmp_path):
    store = Store(path)
    store.values.put("b", "k", SECRET)
    other = tmp_path / "other" / "alerts.db"
    other.parent.mkdir()
    store.backup(other)
    store.close()
    missing = refusal(other)
    assert missing == (
        f"its key file {other}.key is missing, and its values cannot be read without "
        "it. The database is unchanged: put a copy of the key file there"
    )
    other_key = other.with_name("alerts.db.key")
    KeyFile(other_key).create()
    assert refusal(other) == (
        f"its values were encrypted with another key than the one in {other_key}. The "
        "database is unchanged: put its own key file there"
    )
    shutil.copy(key, other_key)
    store = Store(other)
    assert store.values.get("b", "k") == SECRET
    store.close()


def test_a_database_without_values_is_bound_to_its_key_too(path, key):
    Store(path).close()
    key.unlink()
    assert "is missing" in refusal(path)


def test_who_gives_the_values_up_keeps_the_rest_with_a_new_key(path, key):
    store = Store(path)
    store.values.put("b", "k", SECRET)
    store.execute("INSERT INTO topics (id) VALUES ('t')")
    store.close()
    lost = key.read_text()
    key.unlink()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("DELETE FROM entries")
    connection.close()
    with_a_secret(path)
    assert key.read_text() != lost
    store = Store(path)
    assert store.query("SELECT id FROM topics") == [("t",)]
    assert store.values.items("b") == [("k", SECRET)]
    store.close()
    key.write_text(lost)
    assert "encrypted with another key" in refusal(path)


def no_key(key):
    key.write_text("0" * 63 + "\n")


def garbage(key):
    key.write_bytes(bytes(range(256)))


def too_long(key):
    key.write_text("00" * 32 + " " * 5000)


def link(key):
    key.rename(key.with_name("elsewhere"))
    key.symlink_to("elsewhere")


def folder(key):
    key.unlink()
    key.mkdir()


def pipe(key):
    key.unlink()
    os.mkfifo(key)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        *((each, "is damaged: it should be") for each in (no_key, garbage, too_long)),
        *((each, "is not a regular file") for each in (link, folder, pipe)),
    ],
)
def test_a_key_file_that_is_none_is_named(path, key, spoil, reason):
    with_a_secret(path)
    spoil(key)
    assert refusal(path).startswith(f"its key file {key} {reason}")


def test_a_key_file_that_cannot_be_read_is_named(path, key, monkeypatch):
    with_a_secret(path)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(key), "read_bytes", refuse)
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert f"its key file {key} cannot be read: Permission denied" in str(caught.value)


def test_a_key_that_cannot_be_written_is_told(path, key):
    key.with_name("kapacitor.db.key.new.part").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"kapacitor\.db\.key cannot be written: "):
        Store(path)
    key.with_name("kapacitor.db.key.new.part").rmdir()
    with_a_secret(path)


def test_two_servers_that_start_at_once_make_one_key(path, key, monkeypatch):
    connect, create = sqlite3.connect, KeyFile.create
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **kw: connect(*args, timeout=0.01, **kw)
    )

    def create_while_another_starts(self):
        with pytest.raises(StoreError, match="another server uses it"):
            Store(path)
        return create(self)

    monkeypatch.setattr(KeyFile, "create", create_while_another_starts)
    with_a_secret(path)
    store = Store(path)
    assert store.values.get("b", "k") == SECRET
    store.close()


def test_a_start_that_was_cut_short_at_the_key_is_gone_on_with(path, key):
    path.parent.mkdir()
    path.touch()
    key.with_name("kapacitor.db.key.new.part").write_text("12")
    KeyFile(key).create()
    with_a_secret(path)
    assert key.exists()
    assert not KeyFile(key).provisional.path.exists()


def test_a_key_that_was_used_but_not_confirmed_is(path, key):
    with_a_secret(path)
    provisional = KeyFile(key).provisional.path
    key.rename(provisional)
    store = Store(path)
    assert store.values.get("b", "k") == SECRET
    store.close()
    assert key.exists()
    assert not provisional.exists()


def test_a_damaged_value_is_logged_and_the_others_are_read(path, caplog):
    store = Store(path)
    store.values.put("b", "k", b"1")
    store.values.put("b", "l", b"2")
    store.execute("UPDATE entries SET value = x'00' WHERE key = 'k'")
    assert store.values.items("b") == [("l", b"2")]
    [record] = caplog.records
    assert record.err == "the value of b/k does not open"
    with pytest.raises(StoreError, match="the value of b/k does not open"):
        store.values.get("b", "k")
    store.close()


@pytest.fixture
def plain(path):
    """A database from before values were sealed, with freed pages and a log."""
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    schema.migrate(connection, Seal(), to=3)
    connection.execute("PRAGMA journal_mode = WAL")
    rows = [("b", str(number), SECRET * 100) for number in range(200)]
    rows.append(("outbox", "name", b"1234"))
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)
    connection.execute("DELETE FROM entries WHERE bucket = 'b' AND key > '1'")
    connection.execute("INSERT INTO entries VALUES ('b', '2', ?)", (SECRET,))
    # as a crash would leave it, the log beside it
    crashed = path.with_name("crashed.db")
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{crashed}{suffix}")
    connection.close()
    assert on_disk(crashed).count(SECRET) > 200
    return crashed


def test_what_was_in_plain_is_sealed_and_leaves_no_trace(plain):
    store = Store(plain)
    kept = [("0", SECRET * 100), ("1", SECRET * 100), ("2", SECRET)]
    assert store.values.items("b") == kept
    assert store.query("SELECT name, value FROM outbox") == [("name", b"1234")]
    assert SECRET not in on_disk(plain)
    store.close()
    assert SECRET not in on_disk(plain)
    store = Store(plain)
    assert store.values.items("b") == kept
    store.close()


def test_a_file_that_cannot_be_rewritten_yet_is_not_copied(plain, monkeypatch, caplog):
    remove = schema.remove_residue

    def fail(connection):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(schema, "remove_residue", fail)
    store = Store(plain)
    assert store.values.get("b", "2") == SECRET
    [record] = caplog.records
    assert record.err == "database or disk is full"
    copy = plain.with_name("copy")
    with pytest.raises(StoreError, match="disk is full"):
        store.backup(copy)
    monkeypatch.setattr(schema, "remove_residue", remove)
    store.backup(copy)
    assert SECRET not in copy.read_bytes() + on_disk(plain)
    store.close()


def test_neither_the_generator_nor_the_command_line_loads_the_cipher():
    script = """
import pkgutil, sys
import runtime.client, scaffold
for package in (scaffold, runtime.client):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith("__main__"):
            __import__(found.name)
sys.exit("nacl" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
