"""What the generator costs: whole processes, as multiples of `python -c pass`.

    python bench/generator.py [--runs 15] [--handlers 100]

Prints medians of CPU time, of the whole process and its children; every round runs each
command once, so that a busy machine slows all of them alike. Goals, as multiples:
new-handler 36, check with nothing to do 5, --help 5; and 60 ms for each handler that
`regenerate --all` examines anew, after its start.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from scaffold import project
from scaffold.commands.change import ChangeOptions
from scaffold.commands.init import init
from scaffold.commands.new_handler import new_handler
from scaffold.flags import Flags

NEW = ("new-handler", "huddle", "--field", "channel:str")
SPECS = Path(__file__).parent.parent / "tests" / "scaffold" / "specs" / "apis"
APIS = ("pushover2", "servicenow", "telegram")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--handlers", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        small = Path(folder) / "small"
        init(small, "alerts", dry_run=False, shown="small")
        large = Path(folder) / "large"
        shutil.copytree(small, large)
        _fill(large, asked.handlers)
        settled = Path(folder) / "settled"
        shutil.copytree(small, settled)
        _scaffold(NEW, settled)
        cases: dict[str, Callable[[], float]] = {
            "python -c pass": lambda: _timed(["-c", "pass"], small),
            "--help": lambda: _scaffold(["--help"], small),
            "new-handler": lambda: _new(small, NEW),
            **{f"new-handler, {name}.toml": _api(small, name) for name in APIS},
            "new-handler again": lambda: _scaffold(NEW, settled),
            "new-handler --verify import": lambda: _new(
                small, [*NEW, "--verify", "import"]
            ),
            f"new-handler beside {asked.handlers}": lambda: _new(large, NEW),
            f"regenerate --all of {asked.handlers}": lambda: _scaffold(
                ["regenerate", "--all"], large
            ),
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
        new_handler(found, flags, "", ChangeOptions())


def _api(root: Path, name: str) -> Callable[[], float]:
    """A measurement of a new handler for an API of the field."""
    return lambda: _new(root, ["new-handler", "--spec", str(SPECS / f"{name}.toml")])


def _new(root: Path, arguments: Sequence[str]) -> float:
    """The CPU time of a new handler in a copy of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(root, copy)
        # What copying left to the disk is not to be paid by what is measured.
        os.sync()
        return _scaffold(arguments, copy)


def _check_anew(root: Path) -> float:
    """The CPU time of a check that knows nothing of earlier ones."""
    with tempfile.TemporaryDirectory(prefix="bench-") as cache:
        return _timed(["-P", "-m", "scaffold", "check"], root, XDG_CACHE_HOME=cache)


def _scaffold(arguments: Sequence[str], root: Path) -> float:
    return _timed(["-P", "-m", "scaffold", *arguments], root)


def _timed(arguments: Sequence[str], root: Path, **variables: str) -> float:
    # Installed packages are compiled; so must be the ones that are measured.
    environment = {**os.environ, **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = _spent()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=environment,
        check=True,
        capture_output=True,
    )
    return _spent() - before


def _spent() -> float:
    """The CPU time, in seconds, of all processes that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


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
