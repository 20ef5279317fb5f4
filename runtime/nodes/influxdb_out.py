"""`influxDBOut`: writes points to InfluxDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runtime.errors import KapacitorError, TaskError
from runtime.frames import Batch, Batches, Frame, Point
from runtime.golang.quoting import quote
from runtime.line_protocol.lines import PRECISIONS, Lines
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.pipeline import output as pipeline

if TYPE_CHECKING:
    from runtime.services.influxdb.point_writer import PointWriter

_SPELLINGS = {"": "ns", "n": "ns", "us": "u", "µs": "u", "μs": "u"}


class InfluxDBOutNode(Node):
    """Writes points to InfluxDB; a sink.

    Lines are formatted here and written on the event loop. While the server has no
    cluster, points are only counted: a script's alerts must not depend on InfluxDB.

    Source: Kapacitor influxdb_out.go.
    """

    def __init__(
        self, spec: pipeline.InfluxDBOutNode, environment: Environment
    ) -> None:
        super().__init__(spec, environment)
        self._database, self._policy = spec.database, spec.retention_policy
        precision = _SPELLINGS.get(spec.precision, spec.precision)
        if precision not in PRECISIONS:
            known = ", ".join(PRECISIONS)
            raise TaskError(
                f"{self.name}: unknown precision {quote(spec.precision)}: use one of {known}"
            )
        self._lines = Lines(spec.measurement, dict(spec.tags), PRECISIONS[precision])
        self._writer: PointWriter | None = None
        self._spec, self._precision = spec, precision
        self._create = self._statement(spec)
        if not environment.influxdb:
            self.caveat = (
                "no InfluxDB cluster configured cannot use the InfluxDBOutNode: its "
                "points are not written; add [[influxdb]] to the configuration"
            )
            return
        try:
            self._writer = self._opened()
        except KapacitorError as error:
            raise TaskError(f"failed to get InfluxDB client: {error}") from None

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        if self._is_ready():
            self._put(point, [self._lines.of_point(point)], 1)

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        if self._is_ready():
            self._put(frame, self._lines.of_frame(frame), len(frame))

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        if batch.points and self._is_ready():
            points = batch.points
            lines = [self._lines.of_point(each, batch.name) for each in points]
            self._put(points[0], lines, len(points))

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        self.frame(batches.frame)

    def close(self) -> None:
        """Stop; waiting points are still written."""
        if self._writer is not None:
            self._writer.close()

    def stats(self) -> dict[str, int]:
        """The node's counters, including those of writes."""
        found = super().stats()
        if self._writer is None:
            return {**found, "points_written": 0, "write_errors": 0}
        own = self._writer.stats()
        return {**found, **own, "errors": found["errors"] + own["write_errors"]}

    def _is_ready(self) -> bool:
        """True if there is a writer; opens one when the server has a cluster."""
        if self._writer is None and self.environment.influxdb:
            try:
                self._writer, self.caveat = self._opened(), ""
            except KapacitorError as error:
                self.error("failed to get InfluxDB client", error)
        return self._writer is not None

    def _opened(self) -> PointWriter:
        """Open a writer.

        Raises:
            KapacitorError: the cluster does not exist.
        """
        # imported here, so that servers without InfluxDB do not load it
        from runtime.services.influxdb.point_writer import Options

        spec = self._spec
        options = Options(
            spec.cluster,
            self._precision,
            spec.write_consistency,
            spec.buffer,
            spec.flush_interval,
            self._create,
        )
        return self.environment.influxdb.points.open(options, self.context)

    def _put(self, origin: Frame | Point, lines: Sequence[str], count: int) -> None:
        """Write lines of `count` points; by default to the database of their origin."""
        assert self._writer is not None
        some = [line for line in lines if line]
        self._writer.put(self._database or origin.db, self._policy or origin.rp, some)
        if len(some) < count:
            self._writer.leave_out(count - len(some))

    def _statement(self, spec: pipeline.InfluxDBOutNode) -> str:
        """The statement of `.create()`."""
        if not spec.create:
            return ""
        if not spec.database:
            text = "create() needs the name of a database: .database('…')"
            self.error("failed to create database", text)
            return ""
        policy = spec.retention_policy
        name = f" WITH NAME {_identifier(policy)}" if policy else ""
        return f"CREATE DATABASE {_identifier(spec.database)}{name}"


def _identifier(name: str) -> str:
    """A name in double quotes.

    Source: influxql, QuoteIdent.
    """
    text = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
