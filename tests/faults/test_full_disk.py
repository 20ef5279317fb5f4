"""A disk that stays full: acknowledged events are still delivered."""

import contextlib
import os
import shutil
import subprocess

import pytest

from tests.faults.test_limits import PADDING, write

DISK = "size=24m"


@contextlib.contextmanager
def small_disk(folder):
    """Replace a folder by a file system of its own, with the same content."""
    kept = folder.with_name("kept")
    folder.rename(kept)
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"a file system needs root: {done.stderr.decode().strip()}")
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(server, ledger):
    """Write until the server refuses; the number of the first that it refused."""
    for seq in range(1, 10_000):
        status, retry_after, text = write(server, seq, padding=PADDING)
        if status != 204:
            assert (status, retry_after) == (503, "5"), text
            return seq
        ledger.acknowledged.add(("h1", seq))
    raise AssertionError("the disk is not full")


def fill_rest(folder):
    """Take what is left of a file system, as another program."""
    with contextlib.suppress(OSError), (folder / "other").open("ab") as file:
        while True:
            file.write(bytes(4096))
            file.flush()


@pytest.mark.skipif(os.getuid() != 0, reason="a file system needs root")
def test_what_was_acknowledged_drains_while_the_disk_is_full(
    start_kapacitord, sink, kit
):
    server = start_kapacitord(kit.sections(sink, timeout='"1s"'))
    kit.define(server, ("a",))
    assert server.stop() == 0
    ledger = kit.ledger(("a",))
    with small_disk(server.directory / "data"):
        sink.failing = 1.0
        server.start()
        reserve = server.directory / "data" / "kapacitor.db.reserve"
        assert reserve.stat().st_blocks * 512 >= 8 * 1024 * 1024
        seq = fill(server, ledger)
        # space too small for a point may be enough for the result of a delivery
        fill_rest(server.directory / "data")
        kit.until(lambda: not reserve.exists(), 60)
        kit.until(lambda: "the disk is full" in server.log, 60)
        fill_rest(server.directory / "data")
        sink.failing = 0.0
        kit.until(lambda: not ledger.missing(sink), 60)
        waits = "/deliveries?state=pending&limit=1"
        kit.until(lambda: not server.json("GET", waits)["deliveries"], 60)
        # free pages inside the database are enough to go on, or space that others free
        (server.directory / "data" / "other").unlink()
        kit.until(lambda: write(server, seq)[0] == 204, 60)
        ledger.acknowledged.add(("h1", seq))
        kit.until(lambda: not ledger.missing(sink), 60)
        assert server.stop() == 0
        ledger.check(sink, workers=4)
