"""The cost of the generator: whole processes, as multiples of `python -c pass`.

    python bench/generator.py [--runs 7] [--handlers 25 100 200] [--only WORD]

Each row is printed as soon as it is measured: the figure, its aim, and whether the aim is
met. Figures are medians of CPU time, of the whole process and its children. `python -c pass`
is measured again beside each row, since a busy machine slows both alike. Rows for many
handlers run once, the others `--runs` times.

The projects are filled first: that takes most of the time (two minutes for 200 handlers).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scaffold import project
from scaffold.commands.change import ChangeOptions
from scaffold.commands.init import init
from scaffold.commands.override import override
from scaffold.flags import Flags
from scaffold.spec.parse import from_flags

NEW = ("new-handler", "huddle", "--field", "channel:str")
ALL = ("regenerate", "--all")
SPECS = Path(__file__).parent.parent / "tests" / "scaffold" / "specs" / "apis"
APIS = ("pushover2", "snow", "telegraph")
BUNDLED = sorted(
    (Path(__file__).parent.parent / "runtime" / "services").glob("*/handler.toml"),
    key=lambda path: path.stat().st_size,
)
"""The specs of the bundled handlers, the smallest first."""
TEMPLATES = {
    "create/docs/handlers/KIND.md.j2": "## Configuration",
    "create/runtime/services/KIND/service.py.j2": "Options of",
}
"""Templates that are changed one at a time, each with a piece to which a word is added."""
MANY = 100
"""The most handlers for which there are aims of commands with nothing to do."""
WIDEST = 44


class Cost(NamedTuple):
    """The cost of a process.

    Attributes:
        cpu_s: CPU time in seconds, with its children.
        peak_mib: peak of its memory, in MiB.
    """

    cpu_s: float
    peak_mib: float


class Bench(NamedTuple):
    """Projects to measure in.

    Attributes:
        folder: a folder for copies.
        small: a project with one handler.
        filled: projects by the number of their handlers.
        runs: number of measurements of short commands.
        only: part of the names of the rows that are measured.
    """

    folder: Path
    small: Path
    filled: dict[int, Path]
    runs: int
    only: str

    def row(
        self,
        name: str,
        aim: float | None,
        measured: Callable[[], Cost],
        *,
        runs: int = 0,
    ) -> None:
        """Measure and print a multiple of `python -c pass`."""
        if self.only not in name:
            return
        measured()  # compiles modules and templates, and fills memories
        costs, bases = [], []
        for _ in range(runs or self.runs):
            costs.append(measured().cpu_s)
            bases += [_timed(["-c", "pass"], self.small).cpu_s for _ in range(3)]
        cpu_s = statistics.median(costs)
        shown(name, cpu_s / statistics.median(bases), "x", aim, cpu_s)

    def copy(self, root: Path) -> Path:
        """A copy of a project, which is to be changed."""
        target = self.folder / "copy"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(root, target)
        # writes of the copy that are pending must not count in the measurement
        os.sync()
        return target


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--handlers", type=int, nargs="+", default=[25, 100, 200])
    parser.add_argument("--only", default="", help="measure rows with WORD alone")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        os.environ.pop("CI", None)
        small = Path(folder) / "small"
        init(small, "alerts", dry_run=False, shown="small")
        bench = Bench(Path(folder), small, {}, asked.runs, asked.only)
        print(f"{'figure':>13} {'aim':>6}       {'what':{WIDEST}} CPU", flush=True)
        of_one(bench)
        of_bundled(bench)
        for count, root in filled(small, sorted(asked.handlers)):
            bench.filled[count] = root
            of_many(bench, count)
        of_all(bench)


def of_one(bench: Bench) -> None:
    """Rows about one handler."""
    small = bench.small
    bench.row("--help", 5, lambda: _scaffold(["--help"], small))
    bench.row("new-handler", 36, lambda: _new(bench, small, NEW))
    for name in APIS:
        spec = ["new-handler", "--spec", str(SPECS / f"{name}.toml")]
        bench.row(
            f"new-handler, {name}.toml", 36, lambda spec=spec: _new(bench, small, spec)
        )
    settled = bench.folder / "settled"
    shutil.copytree(small, settled)
    _scaffold(NEW, settled)
    bench.row("new-handler again", None, lambda: _scaffold(NEW, settled))
    proven = [*NEW, "--verify", "import"]
    bench.row("new-handler --verify import", None, lambda: _new(bench, small, proven))


def of_bundled(bench: Bench) -> None:
    """Rows about the specs of the bundled handlers."""
    name = "new-handler, largest bundled spec beside the smallest"
    if bench.only in name:
        specs = [_renamed(bench.folder, path) for path in (BUNDLED[0], BUNDLED[-1])]
        costs: list[list[float]] = [[], []]
        for number in range(bench.runs + 1):
            for spec, found in zip(specs, costs, strict=True):
                new = ("new-handler", "--spec", str(spec / "handler.toml"))
                cpu_s = _new(bench, bench.small, new).cpu_s
                found += [cpu_s] if number else []  # the first one compiles
        least, most = map(statistics.median, costs)
        shown(name, most / least, "x", 1.5, most)
    name = f"regenerate --all of the {len(BUNDLED)} bundled"
    if bench.only in name:
        root = bench.folder / "bundled"
        shutil.copytree(bench.small, root)
        for path in BUNDLED:
            _renamed(root / "alerts/services", path)
        for change in ("new", "titles changed"):
            cost = _scaffold(ALL, root)
            each_s = cost.cpu_s / len(BUNDLED)
            shown(f"{name}, {change}", each_s * 1000, "ms each", None, cost.cpu_s)
            for file in root.glob("alerts/services/*/handler.toml"):
                text = re.sub('title( *)= "', r'title\1= "New ', file.read_text())
                file.write_text(text)


def _renamed(folder: Path, path: Path) -> Path:
    """A folder with a bundled spec under another name, and with the module of its hook."""
    target = folder / f"my{path.parent.name}"
    target.mkdir()
    for file in (path.parent / "hook.py", path):
        if file.exists():
            text = file.read_text().replace("runtime.services.", "alerts.services.my")
            text = re.sub('(?m)^(name|property)( *)= "', r'\1\2= "my', text, count=2)
            (target / file.name).write_text(text)
    return target


def of_many(bench: Bench, count: int) -> None:
    """Rows about a project with that many handlers."""
    root = bench.filled[count]
    beside = f"new-handler beside {count}"
    bench.row(beside, None, lambda: _new(bench, root, NEW), runs=1)
    check, every = f"check of {count}", f"regenerate --all of {count}"
    quick, same = (5, 8) if count <= MANY else (None, None)
    bench.row(f"{check}, nothing to do", quick, lambda: _scaffold(["check"], root))
    bench.row(f"{every}, nothing changed", same, lambda: _scaffold(ALL, root))
    if bench.only in f"{check}, anew":
        cost = _anew(root)
        shown(f"{check}, anew", cost.cpu_s / count * 1000, "ms each", None, cost.cpu_s)
    for template in TEMPLATES:
        name = f"{every}, {template.rpartition('/')[2]} changed"
        if bench.only in name:
            cost, files = _overridden(bench, root, template)
            shown(name, cost.cpu_s / files * 1000, "ms a file", 30, cost.cpu_s)


def of_all(bench: Bench) -> None:
    """Rows about changes of everything, by the number of handlers."""
    name = "regenerate --all of {}, everything changed"
    each_s: list[float] = []
    for count, root in bench.filled.items():
        if bench.only not in name:
            return
        cost = _respecified(bench, root)
        each_s.append(cost.cpu_s / count)
        shown(name.format(count), each_s[-1] * 1000, "ms each", None, cost.cpu_s)
        shown("  its memory", cost.peak_mib, "MiB", 200, cost.cpu_s)
    if len(each_s) > 1:
        fewest, *_, most = bench.filled
        shown(
            f"  {most} beside {fewest}, each", each_s[-1] / each_s[0], "x", 1.25, None
        )


def shown(
    name: str, figure: float, unit: str, aim: float | None, cpu_s: float | None
) -> None:
    """Print a row."""
    verdict = "" if aim is None else "met" if figure <= aim else "NOT"
    wanted = "" if aim is None else f"{aim:g}"
    spent = "" if cpu_s is None else f"{cpu_s * 1000:8.0f} ms"
    print(
        f"{figure:7.1f} {unit:9} {wanted:>3} {verdict:4} {name:{WIDEST}} {spent}",
        flush=True,
    )


def filled(small: Path, counts: Sequence[int]) -> Iterator[tuple[int, Path]]:
    """Projects with so many handlers, each made of the one before."""
    before, there = small, 0
    for count in counts:
        root = small.with_name(f"of{count}")
        shutil.copytree(before, root)
        names = [f"bench{number}" for number in range(there, count)]
        for name in names:
            folder = root / f"alerts/services/{name}"
            folder.mkdir(parents=True)
            flags = Flags(name, fields=("room:str",), title=name.title())
            (folder / "handler.toml").write_text(from_flags(flags).to_toml())
        # in a process of its own: a child's peak of memory begins with that of its parent
        spent_s = _scaffold(("regenerate", *names), root).cpu_s
        title = f"{count - there} handlers created beside {there}"
        shown(title, spent_s / (count - there) * 1000, "ms each", None, spent_s)
        yield count, root
        before, there = root, count


def _overridden(bench: Bench, root: Path, template: str) -> tuple[Cost, int]:
    """One template of the project changed: the cost, and the number of files it makes."""
    copy = bench.copy(root)
    override(project.find(copy), [template], ChangeOptions(), "fail")
    file = copy / "templates" / template
    piece = TEMPLATES[template]
    assert piece in file.read_text(), f"{template}: choose another piece"
    file.write_text(file.read_text().replace(piece, f"{piece} all"))
    before = _texts(copy)
    cost = _scaffold(ALL, copy)
    after = _texts(copy)
    # the record of the generated text is written too, but not counted
    return cost, sum(after[path] != before.get(path) for path in after)


def _texts(root: Path) -> dict[Path, bytes]:
    """The files of a project, but for the generator's own."""
    return {
        path: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".scaffold" not in path.parts
    }


def _respecified(bench: Bench, root: Path) -> Cost:
    """All specs changed: another title, and another name of the field."""
    copy = bench.copy(root)
    for file in copy.glob("alerts/services/*/handler.toml"):
        text = file.read_text().replace("room", "channel")
        file.write_text(text.replace('title = "', 'title = "New '))
    return _scaffold(ALL, copy)


def _new(bench: Bench, root: Path, arguments: Sequence[str]) -> Cost:
    """A new handler in a copy of its own."""
    return _scaffold(arguments, bench.copy(root))


def _anew(root: Path) -> Cost:
    """A check without the remembered result of an earlier one."""
    with tempfile.TemporaryDirectory(prefix="bench-") as cache:
        return _timed(["-P", "-m", "scaffold", "check"], root, XDG_CACHE_HOME=cache)


def _scaffold(arguments: Sequence[str], root: Path) -> Cost:
    return _timed(["-P", "-m", "scaffold", *arguments], root)


def _timed(arguments: Sequence[str], root: Path, **variables: str) -> Cost:
    # installed packages are compiled, so compile the measured ones too
    environment = {**os.environ, **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=root,
            env=environment,
            stdout=output,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(arguments)}: {output.read().decode()}")
    kib = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Cost(usage.ru_utime + usage.ru_stime, kib / 1024)


if __name__ == "__main__":
    main()
