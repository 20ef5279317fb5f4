"""Cost of one more handler, of /metrics and of a start when there are many.

Run `python bench/handlers.py`, or name some of its shapes: it defines handlers over HTTP
and prints the median times of the first hundred and of the last hundred, in ms.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from busy import BASE, Server

# topic, kind and options of the handler of a number
_SHAPES: dict[str, Callable[[int], tuple[str, str, dict[str, Any]]]] = {
    "apart": lambda number: (f"apart{number}", "tcp", {"address": "127.0.0.1:9"}),
    "one topic": lambda number: ("one", "tcp", {"address": "127.0.0.1:9"}),
    "post": lambda number: ("posts", "post", {"url": "http://127.0.0.1:9"}),
    "chain": lambda number: (f"a{number}", "publish", {"topics": [f"a{number + 1}"]}),
    "chain back": lambda number: (
        f"b{-number}",
        "publish",
        {"topics": [f"b{1 - number}"]},
    ),
    "fan out": lambda number: ("fan", "publish", {"topics": [f"fan{number}"]}),
    "fan in": lambda number: (f"in{number}", "publish", {"topics": ["in"]}),
}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("shapes", nargs="*", choices=[[], *_SHAPES])
    parser.add_argument("--count", type=int, default=5000)
    asked = parser.parse_args()
    count = asked.count
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        shapes = asked.shapes or list(_SHAPES)
        for name in shapes:
            taken = []
            for number in range(count):
                topic, kind, options = _SHAPES[name](number)
                path = f"{BASE}/alerts/topics/{topic}/handlers"
                body = {"id": f"h{number}", "kind": kind, "options": options}
                begin = time.monotonic()
                status, text = server.call("POST", path, body)
                assert status == 200, text
                taken.append(1000 * (time.monotonic() - begin))
            first, last = statistics.median(taken[:100]), statistics.median(
                taken[-100:]
            )
            print(f"{name:10} first 100: {first:6.2f} ms   last 100: {last:6.2f} ms")
        begin = time.monotonic()
        status, text = server.call("GET", "/metrics")
        took = time.monotonic() - begin
        print(f"/metrics: {took:.2f} s, {len(text)} bytes")
        server.stop()
        begin = time.monotonic()
        server = Server(Path(folder))
        took = time.monotonic() - begin
        print(f"start with {count * len(shapes)} handlers: {took:.2f} s")
        server.stop()


if __name__ == "__main__":
    main()
