"""A server is killed at random moments under load; nothing that it acknowledged is lost."""

import random
import time

ROOMS = ("a", "b", "c")
HOSTS = ("h1", "h2", "h3", "h4")
CONCURRENCY = 4


def test_kills_at_random_moments_lose_nothing(start_kapacitord, sink, kit, capsys):
    server = start_kapacitord(kit.sections(sink, concurrency=CONCURRENCY))
    kit.define(server, ROOMS)
    sink.slow_s, sink.failing = 0.003, 0.05
    ledger = kit.ledger(ROOMS)
    writers = [kit.writer(server, ledger, host) for host in HOSTS]
    for writer in writers:
        writer.start()
    for _ in range(150 if kit.long else 4):
        wait(random.uniform(0.05, 0.5))
        server.kill()
        ledger.kills += 1
        server.start()
    wait(0.2)
    for writer in writers:
        writer.stop()
    # a sink that is slower than the writers has left much to deliver
    sink.failing = sink.slow_s = 0.0
    limit_s = 300.0 if kit.long else 30.0
    kit.until(lambda: not server.json("GET", "/deliveries")["deliveries"], limit_s)
    shown = ledger.check(sink, CONCURRENCY * len(ROOMS))
    with capsys.disabled():
        print(f"\n{shown}")
    assert len(ledger.acknowledged) > 20


def test_stops_under_load_repeat_nothing(start_kapacitord, sink, kit):
    server = start_kapacitord(kit.sections(sink))
    kit.define(server, ROOMS)
    ledger = kit.ledger(ROOMS)
    writers = [kit.writer(server, ledger, host) for host in HOSTS]
    for writer in writers:
        writer.start()
    for _ in range(20 if kit.long else 1):
        wait(0.3)
        assert server.stop() == 0
        server.start()
    for writer in writers:
        writer.stop()
    kit.until(lambda: not server.json("GET", "/deliveries")["deliveries"])
    ledger.check(sink, 0)


def wait(seconds):
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(left)
