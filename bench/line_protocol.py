"""Lines of line protocol a second, by rows and by columns.

Run `python bench/line_protocol.py`; figures are thousands of lines a second of CPU time,
medians. `decoded` includes columns of one tag and one field, as a task needs them;
`points` includes all points, as tasks need them that go point by point.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from runtime.line_protocol.blocks import parse_columns
from runtime.line_protocol.rows import parse_rows
from runtime.line_protocol.times import Times
from runtime.line_protocol.write import Write, write_of_rows

SIZES = (1, 50, 300, 5_000)
ROUNDS = 9
ROUND_S = 0.05
TIMES = Times(step=1, default=0)
DECODED = ("usage_user", "used_percent")


def simple(size: int) -> list[str]:
    """Lines of one shape: two tags, two floats."""
    return [
        f"cpu,host=server{n % 100:03d},region=eu usage_idle={percent()},usage_user={percent()} {stamp(n)}"
        for n in range(size)
    ]


def telegraf(size: int) -> list[str]:
    """Lines of three measurements, one after the other."""
    return [
        (
            f"mem,host=server{n % 100:03d},region=eu used_percent={percent()},free={n * 977}i {stamp(n)}"
            if n % 5 == 0
            else (
                f"disk,host=server{n % 100:03d},path=/,fstype=ext4 used={n * 7919}i,inodes_free={n}i,used_percent={percent()} {stamp(n)}"
                if n % 5 == 1
                else f"cpu,host=server{n % 100:03d},cpu=cpu{n % 5} usage_idle={percent()},usage_user={percent()},usage_system={percent()},usage_iowait={percent()} {stamp(n)}"
            )
        )
        for n in range(size)
    ]


def precise(size: int) -> list[str]:
    """Lines whose floats have all the significant digits of a float64."""
    return [
        f"cpu,host=server{n % 100:03d},region=eu usage_idle={random.random() * 100!r},usage_user={random.random() * 100!r} {stamp(n)}"
        for n in range(size)
    ]


def percent() -> str:
    """A float of three decimals."""
    return f"{random.random() * 100:.3f}"


def stamp(number: int) -> str:
    """A time in ns; a hundred lines share it."""
    return f"{1_700_000_000 + number // 100}000000000"


def by_rows(body: bytes) -> Write:
    """The reference parser."""
    return write_of_rows(parse_rows(body.decode(), TIMES), "", "")


def by_columns(body: bytes) -> Write:
    """The vectorised parser."""
    return parse_columns(body, TIMES, "", "")


def decode(write: Write) -> None:
    """Read the columns that a task with a group and a condition reads."""
    for frame in write.frames:
        frame.tag("host")
        for name in DECODED:
            frame.field(name)


def points(write: Write) -> None:
    """Make all points."""
    for frame in write.frames:
        frame.points()


def rate(size: int, run: Callable[[], object]) -> float:
    """Thousands of lines a second: the median of some rounds."""
    rates = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        runs = 0
        while (passed := time.process_time() - begin) < ROUND_S:
            run()
            runs += 1
        rates.append(runs * size / passed / 1000)
    return statistics.median(rates)


def main() -> None:
    """Print a table."""
    random.seed(1)
    uses: dict[str, Callable[[Write], None]] = {
        "parsed": lambda _: None,
        "decoded": decode,
        "points": points,
    }
    print(f"{'':9} {'lines':>6} {'':8} {'rows':>8} {'columns':>8} {'ratio':>6}")
    for lines in (simple, telegraf, precise):
        for size in SIZES:
            body = "\n".join(lines(size)).encode()
            for label, use in uses.items():
                rows = rate(size, lambda: use(by_rows(body)))  # noqa: B023 called here
                columns = rate(size, lambda: use(by_columns(body)))  # noqa: B023
                print(
                    f"{lines.__name__:9} {size:6} {label:8} {rows:7.0f}k {columns:7.0f}k"
                    f" {columns / rows:6.1f}"
                )


if __name__ == "__main__":
    main()
