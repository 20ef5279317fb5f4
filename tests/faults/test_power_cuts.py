"""The power goes at any moment of a server's life; nothing that it acknowledged is lost.

`strace` records what a real server does to its database and says to others. From that,
what a disk holds that lost its power is built for many moments: all that was synced
before, and of the rest any part, torn at sectors. After a sync that failed it is worse,
as with Linux: what it was to keep may be forgotten although later ones succeed.
"""

import random
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

from runtime.delivery.outbox import Outbox
from runtime.services.alert.state import StoredTopics
from runtime.store.database import Store
from tests.draws import drawn
from tests.faults.tracing import traced

ROOMS = ("a", "b")
HOSTS = ("h1", "h2")
SECTOR_BYTES = 512
# calls that change files count from their start, all others from their end
WRITES = ("pwrite64", "ftruncate", "unlink", "write")
SYNCS = ("fdatasync", "fsync")
NAMES = ("openat", "rename", "unlink")
EVENTS = 50


class Call(NamedTuple):
    """A system call of the server.

    Attributes:
        name: name of the call.
        target: the path of its file, or the two ends of its connection.
        text: the bytes written or read.
        number: their offset in the file, or its new length.
        failed: True if it had no effect.
    """

    name: str
    target: str
    text: bytes
    number: int
    failed: bool


# As `strace -yy -xx` shows it: paths and bytes in hexadecimal. A call during which
# another thread makes one is on two lines.
_LINE = re.compile(r"(\d+) +(<\.\.\. )?(\w+)(?: resumed>|\()(.*)")
_ARGUMENTS = re.compile(
    r'(?:\d+<(TCP\w*:\[[^]]*\]|[^>]*)>)?[, ]*(?:"([^"]*)")?[^)]*?(\d*)\)? +='
)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_UNFINISHED = " <unfinished ...>"


def calls_of(trace):
    """The system calls of the server, in order."""
    calls, begun = [], {}
    for line in trace.splitlines():
        if (found := _LINE.match(line)) is None:
            continue
        thread, is_rest, name, rest = found.groups()
        if rest.endswith(_UNFINISHED):
            begun[thread] = len(calls), rest.removesuffix(_UNFINISHED)
            if name in WRITES:
                calls.append(None)
            continue
        at = None
        if is_rest and thread in begun:
            at, start = begun.pop(thread)
            rest = start + rest
        if is_rest and name in WRITES and at is not None:
            calls[at] = call_of(name, rest)
        else:
            calls.append(call_of(name, rest))
    return [call for call in calls if call is not None]


def call_of(name, rest):
    if name in NAMES:
        path, *more = map(plain, _TEXT.findall(rest))
        failed = " = -1 " in rest[-80:] or (name == "openat" and "O_CREAT" not in rest)
        return Call(name, path.decode(), b"".join(more), 0, failed)
    found = _ARGUMENTS.match(rest)
    assert found, (name, rest[:200], rest[-200:])
    target, text, number = found.groups()
    if target and target.startswith("\\x"):
        target = plain(target).decode()
    said = plain(text or "")
    failed = " = -1 " in rest[-80:]
    # files not written by SQLite are small and written at once, from the start
    at = 0 if name == "write" else int(number or 0)
    return Call(name, target or "", said, at, failed)


def plain(shown):
    return bytes.fromhex(shown.replace("\\x", ""))


class Said:
    """The data that the server has sent so far."""

    def __init__(self):
        self.acknowledged = defaultdict(int)
        self.delivered = set()
        self._asked = defaultdict(bytes)

    def take(self, call):
        """Follow a call on a connection."""
        text = call.text
        if not call.target.startswith("TCP"):
            return
        if call.name == "read" and text.startswith(b"HTTP/1.1 200"):
            sent = self._asked.pop(call.target, b"")
            room, host, seq = re.search(
                rb'"room":"(\w+)","message":"(\w+) (\d+)"', sent
            ).groups()
            self.delivered.add((room.decode(), host.decode(), int(seq)))
        elif call.name == "write" and text.startswith(b"HTTP/1.1 204"):
            asked = self._asked.pop(call.target, b"")
            if found := re.search(rb"host=(\w+) seq=(\d+)i", asked):
                self.acknowledged[found[1].decode()] = int(found[2])
        elif text.startswith(b"HTTP/1.1 "):
            self._asked.pop(call.target, None)
        else:
            self._asked[call.target] += text


class File:
    """The part of a file that is on the disk, and the part that is not yet."""

    def __init__(self, kept=b""):
        self.kept = bytearray(kept)
        self.waiting = []

    def land(self, calls, share, chance):
        """Return the content when this share of the calls' sectors is on the disk."""
        content = bytearray(self.kept)
        for call in calls:
            if call.name == "ftruncate":
                if chance.random() < share:
                    del content[call.number :]
                continue
            for start, part in sectors(call):
                if chance.random() < share:
                    content.extend(bytes(max(0, start - len(content))))
                    content[start : start + len(part)] = part
        return content


class Disk:
    """The files of a folder, and what a power cut leaves of them.

    Their names are kept in the order in which they change, as journals do it, and for
    sure when the folder is synced.
    """

    def __init__(self, folder, before, chance):
        """Begin with what the files of `folder` were `before`, when all was synced."""
        self._folder = str(folder)
        self._chance = chance
        self._files = {
            str(folder / path.name): File(path.read_bytes())
            for path in before.glob("*.db*")
        }
        # possible names of the files: those of the newest sync, and all since
        self._names = [dict(self._files)]

    def take(self, call):
        """Follow a call on a file."""
        name, files = call.name, self._files
        if name in SYNCS and call.target == self._folder:
            self._names = [dict(files)]
        elif name in SYNCS and (file := files.get(call.target)) is not None:
            share = 0.5 if call.failed else 1.0
            file.kept = file.land(file.waiting, share, self._chance)
            file.waiting.clear()
        elif call.failed or not call.target.startswith(self._folder):
            return
        elif name in NAMES:
            if name == "openat":
                files.setdefault(call.target, File())
            elif name == "rename":
                files[call.text.decode()] = files.pop(call.target)
            else:
                files.pop(call.target, None)
            self._names.append(dict(files))
        elif (file := files.get(call.target)) is not None:
            file.waiting.append(call)

    def lose_power(self, folder):
        """Put into `folder` what may be left."""
        share = self._chance.choice((0.0, 0.3, 0.7, 0.95, 1.0))
        for path, file in self._chance.choice(self._names).items():
            left = file.land(file.waiting, share, self._chance)
            (folder / Path(path).name).write_bytes(left)


def sectors(call):
    """The parts of what is written that reach the disk at once, or not."""
    at, end = call.number, call.number + len(call.text)
    while at < end:
        after = min(end, at - at % SECTOR_BYTES + SECTOR_BYTES)
        yield at, call.text[at - call.number : after - call.number]
        at = after


def check(path, said):
    """Nothing is lost and nothing half there in the database at `path`."""
    store = Store(path)
    assert store.query("PRAGMA integrity_check") == [("ok",)]
    outbox = Outbox(store)
    kept = set()
    for item in outbox.lookup.messages(limit=1_000_000):
        assert item.state == "pending"
        kept.add((item.address.handler, *words(item.event.state.message)))
    newest = {
        id: words(state.message)[1]
        for id, state in StoredTopics(store).topic("cpu").events.items()
    }
    store.close()
    for host in HOSTS:
        acknowledged, stored = said.acknowledged[host], newest.get(host, 0)
        assert stored >= acknowledged
        # a state and its deliveries are there together
        assert max((seq for _, of, seq in kept if of == host), default=0) <= stored
        wanted = {(room, host, seq + 1) for room in ROOMS for seq in range(stored)}
        assert wanted <= kept | said.delivered


def words(message):
    host, seq = message.split()
    return host, int(seq)


@pytest.fixture
def recording(start_kapacitord, sink, kit, tmp_path):
    """The files at the beginning, and what a server did from then until its end."""

    def record(*faults):
        server = start_kapacitord(kit.sections(sink))
        kit.define(server, ROOMS)
        sink.failing = 0.3
        before = tmp_path / "before"
        shutil.copytree(server.directory / "data", before)
        trace = tmp_path / "trace"
        names = ",".join((*WRITES, *SYNCS, "read"))
        with traced(
            server,
            *("-yy", "-xx", "-s", "300000", "-o", str(trace), "-e", f"trace={names}"),
            *(part for fault in faults for part in ("-e", f"inject={fault}")),
        ):
            try:
                work(server, kit)
            finally:
                # a stop would wait for what the faults keep from ending
                (server.kill if faults else server.stop)()
        return before, server.directory / "data", calls_of(trace.read_text())

    return record


def work(server, kit):
    """Have a server write and deliver until its log was copied."""
    database = server.directory / "data" / "kapacitor.db"
    copied = database.stat().st_mtime_ns
    ledger = kit.ledger(ROOMS)
    writers = [kit.writer(server, ledger, host) for host in HOSTS]
    for writer in writers:
        writer.start()
    try:
        kit.until(lambda: len(ledger.acknowledged) >= EVENTS)
        kit.until(lambda: database.stat().st_mtime_ns != copied)
    finally:
        for writer in writers:
            writer.stop()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing")
@pytest.mark.parametrize("faults", drawn([(), ("fdatasync:error=EIO:when=5+5",)], 1))
def test_a_power_cut_loses_nothing(recording, faults, kit, tmp_path, capsys):
    before, data, calls = recording(*faults)
    chance = random.Random(1)
    cuts = moments(calls, chance, 150 if kit.long else 8)
    disk, said = Disk(data, before, chance), Said()
    image = tmp_path / "image"
    for number, call in enumerate(calls):
        disk.take(call)
        said.take(call)
        if number in cuts:
            image.mkdir()
            disk.lose_power(image)
            check(image / "kapacitor.db", said)
            shutil.rmtree(image)
    assert sum(said.acknowledged.values()) >= EVENTS
    with capsys.disabled():
        print(f"\n{len(cuts)} power cuts, {len(calls)} calls: lost 0")


def moments(calls, chance, count):
    """Some of each kind: after an answer, in the log, while it is copied, at syncs."""
    kinds = defaultdict(list)
    for number, call in enumerate(calls):
        if call.name == "write" and call.text.startswith(b"HTTP/1.1 204"):
            kinds["answer"].append(number)
        elif call.name == "pwrite64":
            kinds[call.target].append(number)
        elif call.name in SYNCS:
            kinds["sync"].append(number)
    # the database, its log and the note of its length
    assert len(kinds) == 5, "the log was not copied"
    found = {len(calls) - 1}
    for numbers in kinds.values():
        found.update(chance.sample(numbers, min(count, len(numbers))))
    return found


BEGIN = """
import os, sys, pathlib, runtime.store.database
store = runtime.store.database.Store(pathlib.Path(sys.argv[1]))
for number in range(3):
    store.values.put("b", str(number), b"x" * 5000)
    os.write(1, b"kept %d" % number)
store.close()
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing")
def test_a_power_cut_at_the_first_start_loses_nothing(tmp_path, kit):
    data, trace = tmp_path / "data", tmp_path / "trace"
    data.mkdir()
    names = ",".join((*WRITES, *SYNCS, *NAMES))
    done = subprocess.run(
        [
            *("strace", "-f", "-yy", "-xx", "-s", "300000", "-o", str(trace)),
            *("-e", f"trace={names}", sys.executable, "-c", BEGIN),
            str(data / "k.db"),
        ],
        capture_output=True,
        check=False,
    )
    if done.returncode or b"kept 2" not in done.stdout:
        pytest.skip("strace may not trace")
    calls = calls_of(trace.read_text())
    for seed in range(10 if kit.long else 1):
        chance = random.Random(seed)
        disk, kept = Disk(data, tmp_path / "nothing", chance), set()
        for number, call in enumerate(calls):
            disk.take(call)
            if call.text.startswith(b"kept "):
                kept.add(call.text.split()[1].decode())
            if call.target.startswith(str(data)) or call.text.startswith(b"kept "):
                image = tmp_path / f"{seed}-{number}"
                image.mkdir()
                disk.lose_power(image)
                store = Store(image / "k.db")
                assert {key for key, _ in store.values.items("b")} >= kept
                store.close()
        assert len(kept) == 3
