"""A parsed write: its points in frames, and their order of arrival."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtime.frames import Columns, Frame, Point
from runtime.line_protocol.columns import MergedColumns, ParsedRows
from runtime.line_protocol.scanner import Row


class Write:
    """The points of one write.

    Attributes:
        frames: one per measurement, in order of first appearance.
        skipped: number of points that were left out, by measurement.
    """

    def __init__(
        self,
        frames: list[Frame],
        order: NDArray[np.int32] | None = None,
        skipped: Mapping[str, int] | None = None,
    ) -> None:
        """Make a write; `order` has the index of each point's frame if there are several."""
        self.frames = frames
        self.skipped = skipped or {}
        self._order = order

    def __len__(self) -> int:
        return sum(map(len, self.frames))

    def counts(self) -> Iterator[tuple[str, int]]:
        """Each measurement with the number of its points, kept or not."""
        for frame in self.frames:
            yield frame.name, len(frame)
        yield from self.skipped.items()

    def runs(self, names: Collection[str] | None = None) -> Iterator[Frame]:
        """Frames of consecutive points of one measurement.

        Args:
            names: the measurements to include; None for all.
        """
        frames = [f for f in self.frames if names is None or f.name in names]
        if self._order is None or len(frames) < 2:
            yield from frames
            return
        order = self._order
        if len(frames) < len(self.frames):
            wanted = [names is None or f.name in names for f in self.frames]
            order = order[np.array(wanted)[order]]
        edges = np.flatnonzero(order[1:] != order[:-1]) + 1
        taken = [0] * len(self.frames)
        begin = 0
        for end in (*edges.tolist(), len(order)):
            which = int(order[begin])
            first = taken[which]
            taken[which] = last = first + end - begin
            yield self.frames[which].take(np.arange(first, last, dtype=np.intp))
            begin = end

    def part(self, start: int, end: int) -> Write:
        """The points from number `start` to before `end`, in order of arrival."""
        if self._order is None:
            rows = np.arange(start, end, dtype=np.intp)
            return Write([frame.take(rows) for frame in self.frames])
        here = self._order[start:end]
        found, first = np.unique(here, return_index=True)
        found = found[np.argsort(first)]
        before = np.bincount(self._order[:start], minlength=len(self.frames))
        counts = np.bincount(here, minlength=len(self.frames))
        ends = before + counts
        numbers = np.empty(len(self.frames), dtype=np.int32)
        numbers[found] = np.arange(len(found), dtype=np.int32)
        return Write(
            [
                self.frames[which].take(
                    np.arange(before[which], ends[which], dtype=np.intp)
                )
                for which in found.tolist()
            ],
            numbers[here] if len(found) > 1 else None,
        )

    def points(self) -> Iterator[Point]:
        """All points, in order of arrival."""
        if self._order is None:
            for frame in self.frames:
                yield from frame.points()
            return
        sources = [iter(frame.points()) for frame in self.frames]
        for which in self._order.tolist():
            yield next(sources[which])


def write_of_rows(
    rows: Sequence[Row], db: str, rp: str, skipped: Mapping[str, int] | None = None
) -> Write:
    """A write of parsed points."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        if row[0] in by_name:
            by_name[row[0]].append(row)
        else:
            by_name[row[0]] = [row]
    frames = [
        Frame(
            name,
            np.array([row[3] for row in some], dtype=np.int64),
            ParsedRows(some),
            db=db,
            rp=rp,
        )
        for name, some in by_name.items()
    ]
    if len(frames) < 2:
        return Write(frames, skipped=skipped)
    index = {name: number for number, name in enumerate(by_name)}
    order = np.array([index[row[0]] for row in rows], dtype=np.int32)
    return Write(frames, order, skipped)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the points of one measurement in a write.

    Attributes:
        lines: ascending numbers by which all points of the write are ordered.
        time: int64, ns since 1970 UTC.
        columns: the other values, a row per point.
    """

    name: str
    lines: NDArray[np.intp]
    time: NDArray[np.int64]
    columns: Columns


def assemble(
    parts: Sequence[Part],
    size: int,
    db: str,
    rp: str,
    skipped: Mapping[str, int] | None = None,
) -> Write:
    """A write of parts whose lines are numbered below `size`."""
    by_name: dict[str, list[Part]] = {}
    for part in sorted(parts, key=lambda part: int(part.lines[0])):
        by_name.setdefault(part.name, []).append(part)
    frames = [_frame(some, db, rp) for some in by_name.values()]
    if len(frames) < 2:
        return Write(frames, skipped=skipped)
    order = np.full(size, -1, dtype=np.int32)
    for number, some in enumerate(by_name.values()):
        for part in some:
            order[part.lines] = number
    return Write(frames, order[order >= 0], skipped)


def _frame(parts: Sequence[Part], db: str, rp: str) -> Frame:
    name, time, columns = parts[0].name, parts[0].time, parts[0].columns
    if len(parts) > 1:
        order = np.argsort(np.concatenate([part.lines for part in parts]))
        time = np.concatenate([part.time for part in parts])[order]
        rows = np.empty(len(order), dtype=np.intp)
        rows[order] = np.arange(len(order))
        ends = np.cumsum([len(part.lines) for part in parts])
        places = np.split(rows, ends[:-1])
        columns = MergedColumns(
            [(p.columns, some) for p, some in zip(parts, places, strict=True)]
        )
    return Frame(name, time, columns, db=db, rp=rp)
