"""The memory of a server under steady load, minute by minute.

Run `python bench/steady.py`: twenty-eight writes a second of twenty lines, which cause
some 120 deliveries a second, for ten minutes.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import random
import tempfile
import time
from pathlib import Path

from busy import BASE, Server
from delivery import Endpoint

_TASKS = {
    "hot": """\
stream
    |from().measurement('hot').groupBy('host')
    |alert().id('{{ index .Tags "host" }}').crit(lambda: "v" > 0.0)
        .foo().room('hot')
""",
    "mean": """\
stream
    |from().measurement('cpu').groupBy('host')
    |window().period(10s).every(5s)
    |mean('v').as('v')
    |alert().id('{{ index .Tags "host" }}').warn(lambda: "v" > 0.5).stateChangesOnly()
        .foo().room('mean')
""",
}
_WRITES_A_SECOND = 28


def lines(number: int, hosts: int) -> str:
    """The lines of one write: four that alert, and sixteen that seldom do."""
    hot = (
        f"hot,host=h{(4 * number + each) % hosts} v={number % 3}" for each in range(4)
    )
    cpu = (
        f"cpu,host=h{(16 * number + each) % hosts} v={random.random()}"
        for each in range(16)
    )
    return "\n".join(itertools.chain(hot, cpu))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--hosts", type=int, default=400)
    parser.add_argument("--server", default="", help="a kapacitord to measure instead")
    arguments = parser.parse_args()
    endpoint = Endpoint()
    with tempfile.TemporaryDirectory() as folder:
        more = f'[foo]\n  enabled = true\n  url = "{endpoint.url}"\n'
        server = Server(Path(folder), more, arguments.server)
        for id, script in _TASKS.items():
            task = {"id": id, "dbrps": [{"db": "d", "rp": "r"}], "script": script}
            status, body = server.call(
                "POST", f"{BASE}/tasks", {**task, "status": "enabled"}
            )
            assert status == 200, body
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        begin, minute = time.monotonic(), 0
        for number in itertools.count():
            time.sleep(max(0.0, begin + number / _WRITES_A_SECOND - time.monotonic()))
            connection.request(
                "POST", "/write?db=d&rp=r", lines(number, arguments.hosts)
            )
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 204
            if time.monotonic() - begin >= 60 * (minute + 1):
                minute += 1
                taken = len(endpoint.take())
                print(
                    f"minute {minute:2} {server.resident_mb():8.1f} MiB"
                    f" {taken / 60:8.1f} deliveries/s",
                    flush=True,
                )
                if minute == arguments.minutes:
                    break
        server.stop()
    endpoint.close()


if __name__ == "__main__":
    main()
