"""`httpOut`: shows the latest row of each group over HTTP."""

from __future__ import annotations

import functools

from runtime.frames import Batch, Frame, Point
from runtime.nodes.environment import Environment
from runtime.nodes.node import Node
from runtime.nodes.rows import batch_row, point_row
from runtime.pipeline import output as pipeline


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
            # keeps one point of the frame only
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
        """Remove the page."""
        self.environment.http_out.close(self.environment.task_id, self._endpoint)

    @property
    def working_cardinality(self) -> int:
        """The number of groups shown."""
        return len(self._page)
