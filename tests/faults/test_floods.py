"""A server is killed in the middle of floods; its summaries still tell of every event."""

import re

from runtime.testing.loopback import LoopbackServer

LIMIT = 5
HOSTS = 40


def told(messages):
    """Of how many events the messages tell."""
    counts = (re.match(r"cpu: (\d+) more events? ", each) for each in messages)
    return sum(1 if found is None else int(found[1]) for found in counts)


def test_kills_in_floods_leave_the_numbers_exact(start_kapacitord, kit):
    with LoopbackServer() as sink:
        server = start_kapacitord(kit.sections(sink, flood_limit=LIMIT))
        kit.define(server, ("a",))
        seq = 0
        rounds = 50 if kit.long else 2
        for _ in range(rounds):
            for _ in range(10):
                seq += 1
                body = "\n".join(
                    f"cpu,host=h{each} seq={seq}i {seq}" for each in range(HOSTS)
                )
                assert server.call("POST", "/write?db=d&rp=r", body)[0] == 204
            server.kill()
            server.start()
        kit.until(
            lambda: not server.json("GET", "/deliveries?state=pending")["deliveries"]
        )
        requests = [sink.next() for _ in range(sink.received.qsize())]
        # what was under way when the server was killed came twice, with its key
        messages = {
            each.headers["Idempotency-Key"]: each.json["message"] for each in requests
        }
        assert told(messages.values()) == seq * HOSTS
        assert len(messages) <= rounds * (LIMIT + 1)
