"""The cost of unused services: a start of the server with all bundled, and with two.

    python bench/start.py [--runs 9]

Prints medians of CPU time until the server listens, and of its memory by then, with `foo`
and `hipchat` enabled. Both servers start in turn, since a busy machine slows both alike.
Aim: each figure with all services ≤ 1.3 times that with two. Linux only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

AIM = 1.3
FILE = """\
data_dir = "{folder}/data"
[http]
bind-address = "127.0.0.1:0"
[storage]
boltdb = "{folder}/kapacitor.db"
[replay]
dir = "{folder}/replay"
[foo]
enabled = true
url = "http://127.0.0.1:9"
[hipchat]
enabled = true
url = "http://127.0.0.1:9/v2/room"
"""
# the tables without other services; those that the runtime needs itself stay
TWO = """\
from pathlib import Path
import runtime.services
from runtime.integrations import configuration, kinds, node_handlers, properties, services

specs = Path(runtime.services.__file__).parent.glob("*/handler.toml")
unused = {f"runtime.services.{file.parent.name}" for file in specs}
unused -= {"runtime.services.foo", "runtime.services.hipchat"}
tables = (
    configuration.SECTIONS,
    kinds.KINDS,
    node_handlers.NODE_HANDLERS,
    properties.PROPERTIES,
    services.SERVICES,
)
for table in tables:
    for name, entry in list(table.items()):
        if entry.rpartition(".")[0] in unused:
            del table[name]
"""
ALL = ""  # as bundled
RUN = "from runtime.server.__main__ import main\nmain()\n"


class Cost(NamedTuple):
    """The cost of a start.

    Attributes:
        cpu_s: CPU time in seconds.
        peak_mib: peak of the memory, in MiB.
    """

    cpu_s: float
    peak_mib: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=9)
    asked = parser.parse_args()
    for code in (TWO, ALL):
        started(code)  # compiles modules
    two, all_ = [], []
    for _ in range(asked.runs):
        two.append(started(TWO))
        all_.append(started(ALL))
    few, many = median(two), median(all_)
    print(f"two services: {few.cpu_s:.2f} s CPU, {few.peak_mib:.1f} MiB")
    print(f"all services: {many.cpu_s:.2f} s CPU, {many.peak_mib:.1f} MiB")
    ratios = (many.cpu_s / few.cpu_s, many.peak_mib / few.peak_mib)
    print(f"ratio: CPU {ratios[0]:.2f}, memory {ratios[1]:.2f} (aim: {AIM})")
    sys.exit(0 if max(ratios) <= AIM else 1)


def median(costs: list[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def started(before: str) -> Cost:
    """The cost of a server until it listens.

    Args:
        before: code to run first.
    """
    # installed packages are compiled, so compile the measured ones too
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder, "kapacitor.conf")
        file.write_text(FILE.format(folder=folder))
        arguments = ["-c", before + RUN, "run", "-no-project", "-config", str(file)]
        with subprocess.Popen(
            [sys.executable, *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            lines = []
            for line in process.stderr:
                lines.append(line)
                if "listening" in line:
                    break
            else:
                sys.exit("".join(lines))
            cost = _cost(process.pid)
            process.kill()
    return cost


def _cost(process: int) -> Cost:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    status = Path(f"/proc/{process}/status").read_text().split()
    return Cost(cpu_s, int(status[status.index("VmHWM:") + 1]) / 1024)


if __name__ == "__main__":
    main()
