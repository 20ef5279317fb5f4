"""Databases with missing or foreign logs are refused, and no others."""

import shutil
import sqlite3

import pytest

from runtime.errors import StoreError
from runtime.store import schema
from runtime.store.database import Store
from runtime.store.log_length import Length, note_of
from runtime.store.sealing import KeyFile, Seal
from runtime.store.write_ahead import Header, log_of


@pytest.fixture
def crashed(tmp_path):
    """Makes what a crash leaves of a database with so many values."""

    def crash(name, count):
        path = tmp_path / name / "kapacitor.db"
        store = Store(path)
        for number in range(count):
            store.values.put("b", str(number), b"x" * 500)
        left = tmp_path / f"{name}-crashed"
        shutil.copytree(path.parent, left)
        store.close()
        return left / "kapacitor.db"

    return crash


def values(path):
    store = Store(path)
    found = store.values.items("b")
    store.close()
    return len(found)


def refusal(path):
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before
    return str(caught.value)


@pytest.mark.parametrize("count", [0, 1, 240, 260, 600])
def test_what_a_crash_leaves_is_whole(crashed, count):
    path = crashed("a", count)
    assert log_of(path).stat().st_size > 0
    assert values(path) == count
    # and after a stop there is no log
    assert not log_of(path).exists()
    assert values(path) == count


@pytest.mark.parametrize("count", [0, 1, 240, 260, 600])
def test_a_log_that_is_missing_or_spoilt_is_noticed(crashed, count):
    path = crashed("a", count)
    log = log_of(path)
    content = log.read_bytes()
    log.unlink()
    assert f"log {log} is missing or empty; the database lacks the changes" in refusal(
        path
    )
    for spoilt, reason in (
        (b"", "is missing or empty"),
        (b"\0" * len(content), "is damaged"),
        (b"\xff" + content[1:], "is damaged"),
        (content[:31], "is damaged"),
        (content[:32], "is damaged"),
        (content[:16] + b"\x12\x34\x56\x78" + content[20:], "belongs to another"),
    ):
        log.write_bytes(spoilt)
        assert f"log {log} {reason}" in refusal(path)
    log.write_bytes(content)
    assert values(path) == count


@pytest.mark.parametrize("count", [12, 240, 600])
def test_a_page_that_is_damaged_before_others_is_noticed(crashed, count):
    path = crashed("a", count)
    log = log_of(path)
    content = log.read_bytes()
    frame = 24 + Header.read(path).page_bytes
    # the salt of the log, its page's number, size, salt, sum and content
    for at in (20, 32, 36, 40, 44, 50, 80, 32 + 24 + 4000, 32 + frame + 500):
        byte = bytes([content[at] ^ 0x40])
        log.write_bytes(content[:at] + byte + content[at + 1 :])
        assert f"log {log} is damaged" in refusal(path)
    log.write_bytes(content)
    assert values(path) == count


@pytest.mark.parametrize("rest", [1, 24, 27, 500, 4119])
def test_a_page_that_a_crash_wrote_in_part_is_left_out(crashed, rest):
    path = crashed("a", 20)
    log = log_of(path)
    content = log.read_bytes()
    log.write_bytes(content + content[32 : 32 + rest])
    assert values(path) == 20


@pytest.mark.parametrize("count", [3, 240, 600])
def test_a_log_that_is_cut_short_is_noticed(crashed, count):
    path = crashed("a", count)
    log = log_of(path)
    content = log.read_bytes()
    frame = 24 + Header.read(path).page_bytes
    # the rest is of an earlier log
    end = 32 + frame * Length.read(path).frames
    for kept in (32 + frame, end // 2, end - frame, end - 1):
        for rest in (b"", b"\0" * (len(content) - kept)):
            log.write_bytes(content[:kept] + rest)
            assert f"log {log} is cut short or damaged" in refusal(path)
    # those who give up the rest can go on
    log.write_bytes(content[: end // 2])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 0")
    connection.close()
    assert values(path) < count


def test_the_length_of_another_log_says_nothing(crashed):
    one, other = crashed("a", 240), crashed("b", 3)
    shutil.copy(note_of(one), note_of(other))
    assert values(other) == 3
    for note in (b"", b"x", b"\0" * 16):
        again = crashed(f"c{len(note)}", 3)
        note_of(again).write_bytes(note)
        assert values(again) == 3


def test_a_transaction_that_a_power_failure_tore_is_left_out(tmp_path):
    path, torn = tmp_path / "a" / "kapacitor.db", tmp_path / "torn"
    store = Store(path)
    for number in range(20):
        store.values.put("b", str(number), b"x" * 500)
    length = log_of(path).stat().st_size
    note = note_of(path).read_bytes()
    with store.transaction():
        for number in range(100, 150):
            store.values.put("b", str(number), b"y" * 500)
    shutil.copytree(path.parent, torn)
    store.close()
    path = torn / "kapacitor.db"
    # the length is noted when the transaction is on the disk
    note_of(path).write_bytes(note)
    content = log_of(path).read_bytes()
    assert len(content) > length + 5000
    # its first page did not reach the disk, those after it did
    torn_off = content[: length + 100] + b"\0" * 1000 + content[length + 1100 :]
    log_of(path).write_bytes(torn_off)
    assert values(path) == 20


def test_the_log_of_another_database_is_refused(crashed):
    path, other = crashed("a", 300), crashed("b", 300)
    shutil.copy(log_of(other), log_of(path))
    assert "belongs to another database" in refusal(path)


def test_a_database_that_another_program_has_opened_is_whole(crashed):
    for count in (0, 300):
        path = crashed(f"a{count}", count)
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT count(*) FROM entries").fetchone()
        connection.close()
        assert not log_of(path).exists()
        assert values(path) == count


def test_who_gives_up_what_the_log_held_may_go_on(crashed):
    path = crashed("a", 300)
    log_of(path).unlink()
    assert f"sqlite3 {path} 'PRAGMA application_id = 0'" in refusal(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA application_id = 0")
    connection.close()
    assert values(path) < 300


@pytest.mark.parametrize("is_there", [True, False])
def test_a_database_that_is_empty_is_refused_while_its_key_is_there(crashed, is_there):
    path = crashed("a", 1)
    log_of(path).unlink()
    path.write_bytes(b"") if is_there else path.unlink()
    assert "it is missing or empty, but its key file" in refusal(path)
    KeyFile(path.with_name("kapacitor.db.key")).path.unlink()
    assert values(path) == 0


def test_an_empty_database_beside_a_log_is_refused(crashed):
    path = crashed("a", 1)
    path.write_bytes(b"")
    assert "it is empty, but its write-ahead log" in refusal(path)


def test_a_backup_is_put_in_the_place_of_what_a_crash_left(crashed, tmp_path):
    path = crashed("a", 5)
    copy = tmp_path / "copy"
    store = Store(path)
    store.backup(copy)
    store.values.put("b", "more", b"")
    left = tmp_path / "left"
    shutil.copytree(path.parent, left)
    store.close()
    path = left / "kapacitor.db"
    shutil.copy(copy, path)
    assert f"it is a copy, and the write-ahead log {log_of(path)}" in refusal(path)
    log_of(path).unlink()
    assert values(path) == 5


def test_a_copy_of_a_stopped_database_replaces_what_a_crash_left(crashed, tmp_path):
    path = crashed("a", 300)
    stopped = tmp_path / "a" / "kapacitor.db"
    log_of(path).unlink()
    shutil.copy(stopped, path)
    assert values(path) == 300


def test_a_torn_header_is_refused(crashed):
    path = crashed("a", 1)
    log_of(path).unlink()
    content = path.read_bytes()
    path.write_bytes(b"\0" * 512 + content[512:])
    assert Header.read(path) is None
    assert "not a database" in refusal(path)


def test_a_database_from_before_the_marks_opens_after_a_crash(tmp_path):
    path = tmp_path / "kapacitor.db"
    key = KeyFile(tmp_path / "kapacitor.db.key")
    seal = Seal(key.create())
    key.confirm()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    schema.migrate(connection, seal, to=6)
    left = tmp_path / "left"
    left.mkdir()
    for each in list(tmp_path.glob("kapacitor.db*")):
        if not each.name.endswith("-shm"):
            shutil.copy(each, left)
    connection.close()
    assert Header.read(left / "kapacitor.db").mark == 0
    assert values(left / "kapacitor.db") == 0


def test_the_log_does_not_grow_without_bound(tmp_path):
    path = tmp_path / "kapacitor.db"
    store = Store(path)
    for number in range(40):
        store.values.put("b", str(number % 3), b"x" * 1_000_000)
    assert log_of(path).stat().st_size < 20_000_000
    for number in range(2000):
        store.values.put("c", str(number), b"x")
    assert log_of(path).stat().st_size < 20_000_000
    store.close()
