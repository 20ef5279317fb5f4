import errno
import sqlite3
import stat
import threading

import msgspec
import pytest

from runtime.alert.types import Event, EventState
from runtime.delivery.messages import Address
from runtime.delivery.outbox import Outbox
from runtime.errors import StoreError, StoreFullError
from runtime.store import room as disk
from runtime.store import schema, write_ahead
from runtime.store.database import Store
from runtime.store.reserve import Reserve
from runtime.store.sealing import KeyFile, Seal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "kapacitor.db"


@pytest.fixture
def store(path):
    store = Store(path)
    yield store
    store.close()


def write_three(store, call=lambda: None):
    with store.transaction():
        store.values.put("b", "k", b"1")
        with store.transaction():
            store.values.put("b", "l", b"1")
        store.after_commit(call)
        store.execute("INSERT INTO nowhere VALUES (1)")


def write_past_a_full_disk(store):
    with store.transaction():
        store.values.put("b", "before", b"1")
        with pytest.raises(StoreFullError):
            store.values.put("b", "large", bytes(100_000))
        with pytest.raises(StoreError, match="its transaction was rolled back"):
            store.values.put("b", "after", b"1")


def test_values_survive_a_restart(path):
    store = Store(path)
    store.values.put("tasks", "b", b"2")
    store.values.put("tasks", "a", b"0")
    store.values.put("tasks", "a", b"1")
    store.values.put("other", "a", b"x")
    store.close()

    store = Store(path)
    assert store.values.get("tasks", "a") == b"1"
    assert store.values.items("tasks") == [("a", b"1"), ("b", b"2")]
    assert store.values.get("tasks", "c") is None
    store.close()


def test_delete_says_whether_the_key_was_there(store):
    store.values.put("tasks", "a", b"1")
    assert store.values.delete("tasks", "a")
    assert not store.values.delete("tasks", "a")


def test_a_failing_transaction_keeps_nothing(store):
    with pytest.raises(StoreError, match="no such table"):
        write_three(store)
    assert store.values.items("b") == []
    store.values.put("b", "k", b"2")
    assert store.values.get("b", "k") == b"2"


def test_nothing_is_kept_after_sqlite_has_rolled_back(path):
    store = Store(path)
    # SQLite then undoes the whole transaction, and not only the statement
    store._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError):
        write_past_a_full_disk(store)
    assert store.values.items("b") == []
    store.values.put("b", "later", b"1")
    assert store.values.items("b") == [("later", b"1")]
    store.close()


def test_calls_wait_for_the_commit_and_are_forgotten_with_it(store):
    seen = []
    with store.transaction():
        store.values.put("b", "k", b"1")
        store.after_commit(lambda: seen.append("kept"))
        assert seen == []
    assert seen == ["kept"]
    with pytest.raises(StoreError):
        write_three(store, lambda: seen.append("lost"))
    with store.transaction():
        pass
    store.after_commit(lambda: seen.append("at once"))
    assert seen == ["kept", "at once"]


def test_the_file_is_durable_and_versioned(store, path):
    assert store.query("PRAGMA journal_mode") == [("wal",)]
    assert store.query("PRAGMA synchronous") == [(2,)]
    assert store.query("PRAGMA user_version")[0][0] >= 1


def test_nobody_else_may_read_the_files(store, path):
    store.values.put("b", "k", b"1")
    files = [each for each in path.parent.iterdir() if each.name.startswith(path.name)]
    assert len(files) > 2
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_a_second_user_of_the_file_is_refused(store, path, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **kw: connect(*args, timeout=0.01, **kw)
    )
    with pytest.raises(StoreError, match="database is locked: another server uses it"):
        Store(path)


def test_a_place_without_a_write_ahead_log_is_refused(path, monkeypatch):
    connect = sqlite3.connect
    # SQLite refuses it for files that are to vanish at the end
    monkeypatch.setattr(sqlite3, "connect", lambda _path, **kw: connect("", **kw))
    with pytest.raises(
        StoreError, match="its file system does not support a " "write-ahead log: set"
    ):
        Store(path)


def test_a_newer_or_damaged_file_is_refused(path):
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(path)
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="not a database; it is unchanged"):
        Store(path)
    assert path.read_bytes() == b"this is no database" * 100


def test_a_damaged_page_is_found_at_the_start(path):
    store = Store(path)
    for number in range(1000):
        store.values.put("b", str(number), b"x" * 100)
    store.close()
    content = bytearray(path.read_bytes())
    content[8 * 4096 : 9 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"malformed.*; it is unchanged"):
        Store(path)
    assert path.read_bytes() == content


def test_a_database_of_each_former_version_is_brought_up_to_date(path):
    Store(path).close()
    newest = tables(path)
    seal = Seal(KeyFile(path.with_name(f"{path.name}.key")).read())
    for version in range(schema.NEWEST):
        path.unlink()
        connection = sqlite3.connect(path, isolation_level=None)
        schema.migrate(connection, seal, to=version)
        connection.close()
        Store(path).close()
        assert tables(path) == newest


def test_summaries_of_a_former_version_wait_and_replaced_events_follow_them(path):
    Store(path).close()
    path.unlink()
    seal = Seal(KeyFile(path.with_name(f"{path.name}.key")).read())
    connection = sqlite3.connect(path, isolation_level=None)
    schema.migrate(connection, seal, to=7)
    for number, state, error, summary in (
        (2, "summarized", "", 1),  # its summary is delivered
        (3, "pending", "", 3),
        (4, "summarized", "", 3),
        (5, "dead", "no such room", 5),
        (6, "summarized", "", 5),
        (7, "cancelled", "the handler was deleted", 7),
        (8, "summarized", "", 7),
        (9, "pending", "", 0),
    ):
        event = msgspec.msgpack.encode(Event("t", EventState(f"id{number}")))
        connection.execute(
            "INSERT INTO deliveries VALUES (?, 't', 'h', ?, ?, ?, 0, 0, 0, ?, 0, ?)",
            (number, f"id{number}", event, state, error, summary),
        )
    connection.close()
    store = Store(path)
    outbox = Outbox(store)
    assert [item.id for item in outbox.pending(Address("t", "h"), 0, 9, 9)] == [3, 9]
    ended = [
        (item.id, item.state, item.error)
        for item in outbox.lookup.messages()
        if item.error
    ]
    assert ended == [
        (5, "dead", "no such room"),
        (6, "dead", "no such room"),
        (7, "cancelled", "the handler was deleted"),
        (8, "cancelled", "the handler was deleted"),
    ]
    assert len(outbox.lookup.messages()) == 6
    store.close()


def tables(path):
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name FROM sqlite_master").fetchall()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return sorted(rows), version


@pytest.mark.parametrize("fault", ["PRAGMA query_only = ON", "PRAGMA max_page_count=1"])
def test_what_could_not_be_written_can_be_later(path, fault):
    store = Store(path)
    store._connection.execute(fault)
    with pytest.raises(StoreError, match=r"readonly|full"):
        store.values.put("b", "k", b"x" * 100_000)
    store._connection.execute("PRAGMA query_only = OFF")
    store._connection.execute("PRAGMA max_page_count = 1000000")
    store.values.put("b", "k", b"1")
    assert store.values.get("b", "k") == b"1"
    store.close()


def test_threads_do_not_see_half_a_transaction():
    store = Store()
    entered, seen = threading.Event(), []

    def read():
        entered.wait(30)
        seen.append(store.values.items("b"))

    thread = threading.Thread(target=read)
    thread.start()
    with store.transaction():
        store.values.put("b", "k", b"1")
        entered.set()
        store.values.put("b", "l", b"2")
    thread.join(30)
    assert seen == [[("k", b"1"), ("l", b"2")]]
    store.close()


def test_a_write_notices_that_a_full_disk_has_room_again(path, monkeypatch):
    store, room = Store(path), []
    monkeypatch.setattr(Reserve, "make", lambda self: bool(room))
    monkeypatch.setattr(disk, "_LOOK_EVERY_S", 0)
    store.room.give_up_reserve()
    for _ in range(2):
        with pytest.raises(StoreFullError, match="the disk is full"):
            store.values.put("b", "key", b"value")
    room.append("for the reserve")
    store.values.put("b", "key", b"value")
    assert not store.room.is_short
    store.close()


def test_the_log_is_taken_in_before_others_take_the_reserve(path):
    store = Store(path)
    store.execute("INSERT INTO outbox VALUES ('a note', X'00')")
    assert b"a note" not in path.read_bytes()
    store.room.give_up_reserve()
    assert b"a note" in path.read_bytes()
    store.close()


def test_a_disk_without_room_for_the_log_stays_full(path, monkeypatch):
    store = Store(path)
    store.values.put("b", "large", bytes(2_000_000))
    store.values.delete("b", "large")
    monkeypatch.setattr(Reserve, "make", lambda self: False)

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(write_ahead, "checkpoint", fail)
        store.room.give_up_reserve()
        store.room.restore_reserve()
        assert store.room.is_short
    # free pages inside the database are enough
    store.room.restore_reserve()
    assert not store.room.is_short
    store.values.put("b", "k", b"1")
    store.close()
