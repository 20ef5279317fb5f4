"""`trickle`: the points of batches as a stream."""

from __future__ import annotations

from runtime.frames import Batch, Point
from runtime.nodes.node import Node


class TrickleNode(Node):
    """Passes on the points of batches one by one."""

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        self.emit_point(point)

    def batch(self, batch: Batch) -> None:
        """Take a batch; its points keep its name and its dimensions."""
        for each in batch.points:
            self.emit_point(
                Point(batch.name, each.time, each.tags, each.fields, batch.dimensions)
            )
