"""`noop`: passes everything on, and counts it."""

from __future__ import annotations

from runtime.frames import Batch, Batches, Frame, Point
from runtime.nodes.node import Node


class NoOpNode(Node):
    """Passes everything on to its children, if there are any."""

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
