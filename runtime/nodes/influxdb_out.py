"""`influxDBOut`: takes points that this server cannot write yet."""

from __future__ import annotations

from runtime.nodes.noop import NoOpNode


class InfluxDBOutNode(NoOpNode):
    """Counts its points without writing them."""

    def stats(self) -> dict[str, int]:
        """The node's counters, those of writes included."""
        return {**super().stats(), "points_written": 0, "write_errors": 0}
