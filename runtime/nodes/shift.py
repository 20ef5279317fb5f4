"""`shift`: moves points in time."""

from __future__ import annotations

from collections.abc import Hashable

from runtime.errors import TaskError
from runtime.frames import (
    Batch,
    Batches,
    Frame,
    Point,
)
from runtime.nodes.columns import moved
from runtime.nodes.environment import Environment
from runtime.nodes.node import Barrier
from runtime.nodes.pointwise import Outcome, PointwiseNode
from runtime.pipeline import transform
from runtime.units import (
    saturated,
)


class ShiftNode(PointwiseNode):
    """Adds a duration to the times of points and batches."""

    is_grouped = False

    def __init__(self, spec: transform.ShiftNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        if not spec.shift:
            raise TaskError("invalid shift value: must be non zero duration")
        self._shift = int(spec.shift)

    @property
    def fingerprint(self) -> Hashable:
        """The distance."""
        return type(self), self._shift

    def apply(self, point: Point, group: str) -> Point | None:
        """The point with its new time."""
        return point.replace(time=saturated(point.time + self._shift))

    def columns(self, frame: Frame) -> Outcome | None:
        """The frame with its new times."""
        shift = self._shift
        # tasks with the same shift get the same frame, and so share further results
        later = frame.shared(
            ("shift", shift), lambda: frame.replace(time=moved(frame.time, shift))
        )
        return Outcome(later)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        tmax = saturated(batch.tmax + self._shift)
        super().batch(
            Batch(
                batch.name,
                batch.tags,
                tmax,
                batch.points,
                batch.dimensions,
                batch.group,
            )
        )

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        super().batches(
            Batches(
                batches.frame,
                batches.starts,
                moved(batches.tmax, self._shift),
                batches.groups,
                batches.ids,
                batches.tags,
            )
        )

    def barrier(self, barrier: Barrier) -> None:
        """Receive a barrier: a group is complete up to a time."""
        super().barrier(
            Barrier(
                barrier.group, saturated(barrier.time + self._shift), barrier.delete
            )
        )
