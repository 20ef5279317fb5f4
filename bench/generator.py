"""What the generator costs: whole processes, as multiples of `python -c pass`.

    python bench/generator.py [--runs 15] [--handlers 100]

Prints medians of wall time; every round runs each command once, so that a busy machine
slows all of them alike. Aims: new-handler 16, check with nothing to do 6, --help 5.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from scaffold import commands, project, starting
from scaffold.flags import Flags

NEW = ("new-handler", "huddle", "--field", "channel:str")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--handlers", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        small = Path(folder) / "small"
        starting.init(small, "alerts", dry_run=False, shown="small")
        large = Path(folder) / "large"
        shutil.copytree(small, large)
        _fill(large, asked.handlers)
        settled = Path(folder) / "settled"
        shutil.copytree(small, settled)
        _scaffold(NEW, settled)
        cases: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: _timed(["-c", "pass"], small),
            "--help": lambda: _scaffold(["--help"], small),
            "new-handler": lambda: _new(small, []),
            "new-handler again": lambda: _scaffold(NEW, settled),
            "new-handler --verify import": lambda: _new(small, ["--verify", "import"]),
            f"new-handler beside {asked.handlers}": lambda: _new(large, []),
            f"check of {asked.handlers}, anew": lambda: _check_anew(large),
            f"check of {asked.handlers}, nothing to do": lambda: _scaffold(
                ["check"], large
            ),
        }
        _report(_measure(cases, asked.runs))


def _fill(root: Path, count: int) -> None:
    """Generate handlers until there are `count`."""
    found = project.find(root)
    for number in range(count):
        flags = Flags(f"bench{number}", fields=("room:str",), title=f"B{number}")
        commands.new_handler(found, flags, "", commands.How())


def _new(root: Path, more: Sequence[str]) -> float:
    """The time of a new handler in a copy of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(root, copy)
        # What copying left to the disk is not to be paid by what is measured.
        os.sync()
        return _scaffold([*NEW, *more], copy)


def _check_anew(root: Path) -> float:
    """The time of a check that knows nothing of earlier ones."""
    shutil.rmtree(root / ".scaffold" / "cache", ignore_errors=True)
    return _scaffold(["check"], root)


def _scaffold(arguments: Sequence[str], root: Path) -> float:
    return _timed(["-P", "-m", "scaffold", *arguments], root)


def _timed(arguments: Sequence[str], root: Path) -> float:
    # Installed packages are compiled; so must be the ones that are measured.
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def _measure(
    cases: dict[str, Callable[[], float]], runs: int
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(runs + 1):
        for name, case in cases.items():
            seconds = case()
            # The first round compiles modules and templates.
            if number:
                times[name].append(seconds)
    return times


def _report(times: dict[str, list[float]]) -> None:
    base = statistics.median(times["python -c pass"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{median * 1000:8.1f} ms {median / base:7.1f}x  {name}")


if __name__ == "__main__":
    main()
