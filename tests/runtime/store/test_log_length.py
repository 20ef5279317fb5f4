"""The recorded length of the log of a database."""

import contextlib
import shutil

from runtime.store.database import Store
from runtime.store.log_length import Length, LogLength
from runtime.store.write_ahead import log_of


def keys(path):
    store = Store(path)
    found = [key for key, _ in store.values.items("b")]
    store.close()
    return found


def test_only_what_was_kept_counts_as_the_length_of_the_log(tmp_path):
    path, left = tmp_path / "a" / "kapacitor.db", tmp_path / "left"
    store = Store(path)
    store.values.put("b", "1", b"x")
    with contextlib.suppress(ZeroDivisionError), store.transaction():
        # more than the cache has room for is in the log at once
        store.execute("PRAGMA cache_size = 5")
        for number in range(100, 200):
            store.values.put("b", str(number), b"y" * 2000)
        raise ZeroDivisionError
    store.values.put("b", "2", b"x")
    shutil.copytree(path.parent, left)
    store.close()
    assert keys(left / "kapacitor.db") == ["1", "2"]
    assert not Length.read(path)


def test_a_commit_that_failed_is_not_counted(tmp_path):
    path, left = tmp_path / "a" / "kapacitor.db", tmp_path / "left"
    store = Store(path)
    store.values.put("b", "1", b"x")
    shutil.copytree(path.parent, left)
    # its pages are in the log, and look as if they were committed
    store.values.put("b", "2", b"y" * 50_000)
    longer = log_of(path).read_bytes()
    store.close()
    path = left / "kapacitor.db"
    shorter = log_of(path).read_bytes()
    log_of(path).write_bytes(shorter + longer[len(shorter) :])
    length = LogLength(path, log_of(path))
    # a checkpoint that could not make a new log
    length.restart()
    length.committed()
    assert Length.read(path).frames < len(longer) // 4120
    length.close()
