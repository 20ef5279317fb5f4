import sqlite3
import threading

import pytest

from runtime.errors import StoreError
from runtime.store import Store


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
        store.put("b", "k", b"1")
        with store.transaction():
            store.put("b", "l", b"1")
        store.after_commit(call)
        store.execute("INSERT INTO nowhere VALUES (1)")


def test_values_survive_a_restart(path):
    store = Store(path)
    store.put("tasks", "b", b"2")
    store.put("tasks", "a", b"0")
    store.put("tasks", "a", b"1")
    store.put("other", "a", b"x")
    store.close()

    store = Store(path)
    assert store.get("tasks", "a") == b"1"
    assert store.items("tasks") == [("a", b"1"), ("b", b"2")]
    assert store.get("tasks", "c") is None
    store.close()


def test_delete_says_whether_the_key_was_there(store):
    store.put("tasks", "a", b"1")
    assert store.delete("tasks", "a")
    assert not store.delete("tasks", "a")


def test_a_failing_transaction_keeps_nothing(store):
    with pytest.raises(StoreError, match="no such table"):
        write_three(store)
    assert store.items("b") == []
    store.put("b", "k", b"2")
    assert store.get("b", "k") == b"2"


def test_calls_wait_for_the_commit_and_are_forgotten_with_it(store):
    seen = []
    with store.transaction():
        store.put("b", "k", b"1")
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


def test_a_second_user_of_the_file_is_refused(store, path, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **kw: connect(*args, timeout=0.01, **kw)
    )
    with pytest.raises(StoreError, match="database is locked"):
        Store(path)


def test_a_newer_or_damaged_file_is_refused(path):
    Store(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(path)
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(path)


def test_threads_do_not_see_half_a_transaction():
    store = Store()
    entered, seen = threading.Event(), []

    def read():
        entered.wait(5)
        seen.append(store.items("b"))

    thread = threading.Thread(target=read)
    thread.start()
    with store.transaction():
        store.put("b", "k", b"1")
        entered.set()
        store.put("b", "l", b"2")
    thread.join(5)
    assert seen == [[("k", b"1"), ("l", b"2")]]
    store.close()
