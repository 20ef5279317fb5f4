"""Nodes that show what passes: `log`, `httpOut`; and `noop`, which only counts."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping

from runtime.frames import Batch, Batches, Frame, Point
from runtime.golang.printing import sprint
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.nodes.rows import batch_row, point_row
from runtime.pipeline import output as pipeline
from runtime.units import rfc3339

_log = logging.getLogger("kapacitor.kapacitor")
_LEVELS = {"DEBUG": logging.DEBUG, "ERROR": logging.ERROR}


class NoOpNode(Node):
    """Takes everything and passes it on, if to anybody."""

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self.emit_point(point)

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        self.emit_frame(frame)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self.emit_batch(batch)

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        self.emit_batches(batches)


class LogNode(Node):
    """Writes what passes to the log."""

    def __init__(self, spec: pipeline.LogNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._level = _LEVELS.get(spec.level.upper(), logging.INFO)
        self._prefix = spec.prefix

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        if not _log.isEnabledFor(self._level):
            self.emit_point(point)
            return
        self._write(
            "point",
            {
                "prefix": self._prefix,
                "name": point.name,
                "db": point.db,
                "rp": point.rp,
                "group": point.group,
                **_numbered("dimension", point.dimensions.tags),
                **_named("tag", point.tags),
                **_named("field", point.fields),
                "time": rfc3339(point.time),
            },
        )
        self.emit_point(point)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        head = {"prefix": self._prefix, "name": batch.name, "group": batch.group}
        self._write(
            "begin batch",
            {**head, **_named("tag", batch.tags), "time": rfc3339(batch.tmax)},
        )
        for point in batch.points:
            texts = {
                "prefix": self._prefix,
                **_named("tag", point.tags),
                **_named("field", point.fields),
                "time": rfc3339(point.time),
            }
            self._write("batch point", texts)
        self._write("end batch", head)
        self.emit_batch(batch)

    def _write(self, message: str, texts: Mapping[str, str]) -> None:
        # attributes of their own might be some that all log entries have
        _log.log(self._level, message, extra={**self.context, "parts": texts})


def _named(kind: str, values: Mapping[str, object]) -> dict[str, str]:
    return {f"{kind}_{name}": sprint(values[name]) for name in sorted(values)}


def _numbered(kind: str, values: tuple[str, ...]) -> dict[str, str]:
    return {f"{kind}_{number}": value for number, value in enumerate(values)}


class HTTPOutNode(Node):
    """Shows the latest row of each group on a page of the HTTP API."""

    def __init__(self, spec: pipeline.HTTPOutNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._endpoint = spec.endpoint
        self._page = environment.http_out.open(environment.task_id, spec.endpoint)

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self._page.show(point.group, lambda: point_row(point))
        self.emit_point(point)

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        groups = frame.groups
        for number, group in enumerate(groups.ids):
            row = int(groups.order[groups.starts[number + 1] - 1])
            # of the frame nothing else is kept
            self._page.show(group, functools.partial(point_row, frame.point(row)))
        self.emit_frame(frame)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        self._page.show(batch.group, lambda: batch_row(batch))
        self.emit_batch(batch)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        self._page.forget(group)

    def close(self) -> None:
        """Take the page away."""
        self.environment.http_out.close(self.environment.task_id, self._endpoint)

    @property
    def working_cardinality(self) -> int:
        """How many groups are shown."""
        return len(self._page)
