"""A full disk, endpoints that hang, databases that cannot be written: the server stays."""

import http.client
import resource
import signal
import statistics
import threading
import time
from pathlib import Path

import pytest

from runtime.testing.loopback import LoopbackServer

PADDING = "x" * 20_000
LIMIT_BYTES = 1_500_000


def write(server, seq, *, padding="", host="h1"):
    """Status, `Retry-After` and text of a write."""
    line = f'cpu,host={host} seq={seq}i,padding="{padding}" {seq}'
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/write?db=d&rp=r", line)
    answer = connection.getresponse()
    found = answer.status, answer.getheader("Retry-After"), answer.read().decode()
    connection.close()
    return found


def test_a_full_disk_refuses_writes_and_recovers_by_itself(start_kapacitord, sink, kit):
    server = start_kapacitord(kit.sections(sink, timeout='"1s"'))
    kit.define(server, ("a",))
    ledger = kit.ledger(("a",))
    sink.hang = True
    pid = server.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (LIMIT_BYTES, hard))
    refused = 0
    seq = 0
    for _ in range(500):
        seq += 1
        status, retry_after, text = write(server, seq, padding=PADDING)
        if status == 204:
            ledger.acknowledged.add(("h1", seq))
            continue
        assert (status, retry_after) == (503, "5"), text
        assert text.startswith("failed to write database: ")
        refused += 1
        if refused == 5:
            break
    assert refused == 5
    # the rest of the server answers, and says what is wrong
    assert server.call("GET", "/kapacitor/v1/ping")[0] == 204
    assert server.call("GET", "/kapacitor/v1/tasks/t")[0] == 200
    assert server.call("GET", "/kapacitor/v1/deliveries?limit=1")[0] == 200
    assert server.process.poll() is None

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    sink.hang = False
    seq += 1
    kit.until(lambda: write(server, seq)[0] == 204)
    ledger.acknowledged.add(("h1", seq))
    kit.until(lambda: not ledger.missing(sink))
    assert server.stop() == 0


def test_a_hung_endpoint_delays_neither_others_nor_the_api(start_kapacitord, sink, kit):
    with LoopbackServer() as hung:
        hung.hang = True
        more = f'[hipchat]\n  enabled = true\n  url = "{hung.url}"\n'
        server = start_kapacitord(kit.sections(sink, timeout='"1s"') + more)
        kit.define(server, ("a",))
        base = "/alerts/topics/cpu/handlers"
        handler = {"id": "hung", "kind": "hipchat", "options": {"room": "r"}}
        server.json("POST", base, handler)
        ledger = kit.ledger(("a",))
        taken = []
        for seq in range(1, 101):
            begin = time.monotonic()
            assert write(server, seq)[0] == 204
            taken.append(time.monotonic() - begin)
            ledger.acknowledged.add(("h1", seq))
        kit.until(lambda: not ledger.missing(sink))
        assert statistics.quantiles(taken, n=100)[98] < 0.5
        listed = "/kapacitor/v1/deliveries?handler=hung"
        begin = time.monotonic()
        waiting = server.json("GET", "/deliveries?handler=hung&limit=1000")
        assert len(waiting["deliveries"]) == 100
        assert time.monotonic() - begin < 1
        kit.until(lambda: '"attempts": 1' in server.call("GET", listed)[1])
        begin = time.monotonic()
        server.json("DELETE", f"{base}/hung")
        assert time.monotonic() - begin < 1
        left = "/deliveries?handler=hung&state=cancelled&limit=1000"
        # running attempts are then cancelled when they have failed
        kit.until(lambda: len(server.json("GET", left)["deliveries"]) == 100)
        ledger.check(sink, 0)


def test_a_pause_or_a_hangup_loses_nothing(start_kapacitord, sink, kit):
    server = start_kapacitord(kit.sections(sink))
    kit.define(server, ("a", "b"))
    ledger = kit.ledger(("a", "b"))
    writer = kit.writer(server, ledger, "h1")
    writer.start()
    kit.until(lambda: len(ledger.acknowledged) > 5)
    server.process.send_signal(signal.SIGSTOP)
    threading.Event().wait(0.5)
    for number in (signal.SIGCONT, signal.SIGHUP):
        server.process.send_signal(number)
        before = len(ledger.acknowledged)
        kit.until(lambda before=before: len(ledger.acknowledged) > before + 5)
    writer.stop()
    kit.until(lambda: not ledger.missing(sink))
    ledger.check(sink, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once_and_loses_nothing(
    start_kapacitord, sink, kit, number
):
    server = start_kapacitord(kit.sections(sink))
    kit.define(server, ("a",))
    ledger = kit.ledger(("a",))
    sink.hang = True
    for seq in range(1, 11):
        assert write(server, seq)[0] == 204
        ledger.acknowledged.add(("h1", seq))
    ledger.kills = 1
    begin = time.monotonic()
    server.process.send_signal(number)
    kit.until(lambda: "initializing clean shutdown" in server.log or _quiet(server))
    server.process.send_signal(number)
    assert server.process.wait(30) == 1
    assert time.monotonic() - begin < 5
    sink.hang = False
    server.start()
    kit.until(lambda: not ledger.missing(sink))
    ledger.check(sink, 4)


def _quiet(server):
    # at this level the line about the signal is not logged
    threading.Event().wait(0.3)
    return True


def test_running_out_of_file_descriptors_loses_nothing(start_kapacitord, sink, kit):
    server = start_kapacitord(kit.sections(sink))
    kit.define(server, ("a",))
    ledger = kit.ledger(("a",))
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    open_ones = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    writer = kit.writer(server, ledger, "h1")
    # one for the writer's connection, none for the delivery
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_ones + 1, before[1]))
    writer.start()
    threading.Event().wait(1.0)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    reached = len(ledger.acknowledged)
    kit.until(lambda: len(ledger.acknowledged) > reached + 5)
    writer.stop()
    kit.until(lambda: not ledger.missing(sink))
    ledger.check(sink, 0)
    assert server.stop() == 0
