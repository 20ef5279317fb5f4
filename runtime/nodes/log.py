"""`log`: writes points and batches to the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from runtime.frames import Batch, Point
from runtime.golang.printing import sprint
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.pipeline import output as pipeline
from runtime.units import rfc3339

_log = logging.getLogger("kapacitor.kapacitor")
_LEVELS = {"DEBUG": logging.DEBUG, "ERROR": logging.ERROR}


class LogNode(Node):
    """Logs the points and batches that pass."""

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
        # in one attribute, as the names of tags might collide with those of log records
        _log.log(self._level, message, extra={**self.context, "parts": texts})


def _named(kind: str, values: Mapping[str, object]) -> dict[str, str]:
    return {f"{kind}_{name}": sprint(values[name]) for name in sorted(values)}


def _numbered(kind: str, values: tuple[str, ...]) -> dict[str, str]:
    return {f"{kind}_{number}": value for number, value in enumerate(values)}
