"""`influxDBOut`: takes points that cannot be written anywhere yet."""

from __future__ import annotations

from runtime.nodes.output import NoOpNode


class InfluxDBOutNode(NoOpNode):
    """Counts what it takes; this server has no InfluxDB to write to."""

    def stats(self) -> dict[str, int]:
        """The node's counters, those of writes included."""
        return {**super().stats(), "points_written": 0, "write_errors": 0}
