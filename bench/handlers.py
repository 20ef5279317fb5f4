"""What the next handler costs, and /metrics, when there are many.

Run `python bench/handlers.py`: it defines handlers over HTTP and prints how long the
first hundred and the last hundred took each, in ms.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from busy import BASE, Server

_KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "tcp": lambda number: {"address": "127.0.0.1:9"},
    "publish": lambda number: {"topics": [f"publish{number + 1}"]},
}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=5000)
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        for kind, options in _KINDS.items():
            taken = []
            for number in range(count):
                path = f"{BASE}/alerts/topics/{kind}{number}/handlers"
                body = {"id": "h", "kind": kind, "options": options(number)}
                begin = time.monotonic()
                status, text = server.call("POST", path, body)
                assert status == 200, text
                taken.append(1000 * (time.monotonic() - begin))
            first, last = sum(taken[:100]) / 100, sum(taken[-100:]) / 100
            print(f"{kind:8} first 100: {first:6.2f} ms   last 100: {last:6.2f} ms")
        begin = time.monotonic()
        status, text = server.call("GET", "/metrics")
        took = time.monotonic() - begin
        print(f"/metrics with {2 * count} topics: {took:.2f} s, {len(text)} bytes")
        server.stop()


if __name__ == "__main__":
    main()
