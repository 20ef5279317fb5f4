"""Delays of a ping and a small write while large bodies come in.

    python bench/bodies.py [--rounds 3]

Each body has the largest size that the API takes. Most of them are broken. Prints the
slowest ping and write for each kind of body, over all routes. Aim: 0.1 s.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import socket
import tempfile
import threading
import time
from pathlib import Path

from throughput import Kapacitord

from runtime.services.httpd.service import MAX_API_BODY_BYTES

ROUTES = (
    *(("POST", "/tasks"), ("POST", "/templates"), ("POST", "/config/hipchat/")),
    *(("POST", "/alerts/topics/t/handlers"), ("POST", "/service-tests/hipchat")),
    *(("POST", "/loglevel"), ("POST", "/recordings/stream"), ("POST", "/replays")),
)
KINDS = {
    "numbers": ('{"id":[', "1,"),
    "strings": ('{"id":[', '"",'),
    "objects": ('{"dbrps":[', '{"db":"d"},'),
    "arrays": ("[", "[],"),
    "depth": ("", "["),
    "escapes": ('{"id":"', "\\u00e9"),
    "members": ('{"vars":{', '"a":1,'),
}


class Probe(threading.Thread):
    """Sends one request again and again, and keeps the slowest time in seconds."""

    def __init__(self, port: int, sent: str) -> None:
        super().__init__(daemon=True)
        self._connection = socket.create_connection(("127.0.0.1", port), 60)
        self._sent = sent.encode()
        self._end = threading.Event()
        self.slowest = 0.0

    def run(self) -> None:
        """Send until stopped."""
        while not self._end.wait(0.005):
            started = time.perf_counter()
            self._connection.sendall(self._sent)
            self._connection.recv(65536)
            self.slowest = max(self.slowest, time.perf_counter() - started)

    def stop(self) -> float:
        """Stop; gives the slowest time."""
        self._end.set()
        self.join()
        self._connection.close()
        return self.slowest


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server = Kapacitord(Path(folder), "http://127.0.0.1:9")
        port = int(server.url.rpartition(":")[2])
        print(f"{'body':10} {'slowest ping':>14} {'slowest write':>14}")
        for name, (start, item) in KINDS.items():
            count = (MAX_API_BODY_BYTES - len(start)) // len(item)
            ping, write = measure(port, (start + item * count).encode(), asked.rounds)
            print(f"{name:10} {ping * 1000:11.1f} ms {write * 1000:11.1f} ms")
        server.close()


def measure(port: int, body: bytes, rounds: int) -> tuple[float, float]:
    """The slowest ping and write in seconds while `body` comes in at every route."""
    end = " HTTP/1.1\r\nHost: localhost\r\n"
    ping = Probe(port, f"GET /kapacitor/v1/ping{end}\r\n")
    write = Probe(port, f"POST /write?db=d{end}Content-Length: 5\r\n\r\nm v=1")
    ping.start()
    write.start()
    for method, route in ROUTES * rounds:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.closing(client):
            client.request(method, f"/kapacitor/v1{route}", body)
            client.getresponse().read()
    return ping.stop(), write.stop()


if __name__ == "__main__":
    main()
