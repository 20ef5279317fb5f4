"""The cost of `kapacitor`: whole processes, as multiples of `python -c pass`.

    python bench/client.py [--runs 15] [--tasks 10]

Prints medians of wall time against a running server; every round runs each command once.
Aim: `list tasks` 7.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from throughput import Kapacitord


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--tasks", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        server = Kapacitord(Path(folder), "http://127.0.0.1:9")
        for number in range(asked.tasks):
            server.define(number, "simple")
        client = ("-m", "runtime.client", "-url", server.url)
        cases = {
            "python -c pass": ("-c", "pass"),
            "kapacitor list tasks": (*client, "list", "tasks"),
            "kapacitor show": (*client, "show", "task0"),
            "kapacitor help": (*client, "help"),
        }
        report({name: measure(case, asked.runs) for name, case in cases.items()})
        server.close()


def measure(arguments: Sequence[str], runs: int) -> float:
    """The median seconds of one command, after a round that compiles its modules."""
    # installed packages are compiled, so compile the measured ones too
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    times: list[float] = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def report(medians: dict[str, float]) -> None:
    """Print each median and its ratio to the bare interpreter."""
    base = medians["python -c pass"]
    for name, median in medians.items():
        print(f"{median * 1000:8.1f} ms {median / base:7.1f}x  {name}")


if __name__ == "__main__":
    main()
