"""Disks that fail, machines without room for a thread, others who hold the database."""

import contextlib
import shutil
import sqlite3
import threading

import pytest

from tests.faults.tracing import traced

ROOMS = ("a", "b")

needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is missing"
)


def failing(server, *faults):
    """System calls of a running server fail, as `fdatasync:error=EIO`."""
    calls = ",".join(fault.partition(":")[0] for fault in faults)
    injected = (part for fault in faults for part in ("-e", f"inject={fault}"))
    return traced(server, "-o", "/dev/null", "-e", f"trace={calls}", *injected)


def write(server, ledger, seq):
    """Write an event; what was answered."""
    line = f"cpu,host=h1 seq={seq}i {seq}"
    answer = server.client().raw("POST", "/write?db=d&rp=r", line)
    if answer.status == 204:
        ledger.acknowledged.add(("h1", seq))
    return answer


@needs_strace
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_a_disk_that_fails_refuses_writes_and_recovers(
    start_kapacitord, sink, kit, call
):
    server = start_kapacitord(kit.sections(sink))
    kit.define(server, ROOMS)
    ledger = kit.ledger(ROOMS)
    for seq in range(1, 11):
        assert write(server, ledger, seq).status == 204
    with failing(server, f"{call}:error=EIO"):
        for seq in range(11, 16):
            answer = write(server, ledger, seq)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert answer.text == "failed to write database: disk I/O error\n"
        assert server.call("GET", "/kapacitor/v1/ping")[0] == 204
        assert server.call("GET", "/kapacitor/v1/tasks/t")[0] == 200
        assert server.call("GET", "/kapacitor/v1/deliveries")[0] == 200
        refused = server.call("POST", "/kapacitor/v1/config/foo/", {})
        assert refused[0] == 503
    kit.until(lambda: write(server, ledger, 16).status == 204)
    server.kill()
    ledger.kills = 1
    server.start()
    kit.until(lambda: not ledger.missing(sink))
    assert {each.seq for each in sink.taken} >= set(range(1, 11)) | {16}


@needs_strace
def test_a_machine_without_threads_and_processes_delays_but_loses_nothing(
    start_kapacitord, sink, kit, tmp_path
):
    server = start_kapacitord(kit.sections(sink))
    kit.define(server, ROOMS)
    lines, runs = tmp_path / "lines", tmp_path / "runs"
    base = "/alerts/topics/cpu/handlers"
    log = {"id": "log", "kind": "log", "options": {"path": str(lines)}}
    server.json("POST", base, log)
    script = ["-c", f"cat >> {runs}"]
    run = {"id": "exec", "kind": "exec", "options": {"prog": "sh", "args": script}}
    server.json("POST", base, run)
    ledger = kit.ledger(ROOMS)
    making = ("clone", "clone3", "fork", "vfork")
    with failing(server, *(f"{call}:error=EAGAIN" for call in making)):
        for seq in range(1, 6):
            assert write(server, ledger, seq).status == 204
        kit.until(lambda: "failed to write the outbox" in server.log)
        assert server.call("GET", "/kapacitor/v1/ping")[0] == 204
        assert not lines.exists()
        assert not runs.exists()
    # nothing was given up, either
    kit.until(lambda: not server.json("GET", "/deliveries")["deliveries"])
    ledger.check(sink, 0)
    for path in (lines, runs):
        told = path.read_text()
        assert all(f'"h1 {seq}"' in told for seq in range(1, 6))


def test_who_holds_the_database_delays_the_start_and_gets_it_never_again(
    start_kapacitord, sink, kit
):
    server = start_kapacitord(kit.sections(sink))
    kit.define(server, ROOMS)
    assert server.stop() == 0
    path = server.directory / "data" / "kapacitor.db"
    holder = sqlite3.connect(path, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, holder.close)
    release.start()
    server.start()
    release.join()
    ledger = kit.ledger(ROOMS)
    with contextlib.closing(sqlite3.connect(path, timeout=0.01)) as other:
        for statement in ("SELECT count(*) FROM deliveries", "BEGIN EXCLUSIVE"):
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute(statement)
            assert write(server, ledger, 1).status == 204
    kit.until(lambda: not ledger.missing(sink))
