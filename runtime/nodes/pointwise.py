"""Nodes with at most one output point for each point."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from runtime.frames import Batch, Batches, Frame, Point, Rows
from runtime.nodes.node import GroupedNode


class Outcome(NamedTuple):
    """The result for a frame.

    Attributes:
        frame: the remaining rows.
        rows: numbers of these rows in the input; None if all remain.
    """

    frame: Frame
    rows: Rows | None = None


class PointwiseNode(GroupedNode, ABC):
    """A node whose `apply` transforms one point, on streams and in batches."""

    @abstractmethod
    def apply(self, point: Point, group: str) -> Point | None:
        """Return the result for a point; None drops it."""

    def begin(self, group: str) -> None:
        """Begin a batch of the group."""

    def columns(self, frame: Frame) -> Outcome | None:
        """Return the result for a frame; None if it must go point by point."""
        return None

    def point(self, point: Point) -> None:
        """Take a point of a stream."""
        group = point.group
        if self.is_grouped:
            self._met.add(group)
        result = self.apply(point, group)
        if result is not None:
            self.emit_point(result)

    def frame(self, frame: Frame) -> None:
        """Take points of a stream in columns."""
        if self.is_grouped:
            # before `columns`, as derived frames take over the groups of this one
            self.meet(frame.group_ids)
        outcome = self.columns(frame)
        if outcome is None:
            super().frame(frame)
        else:
            self.emit_frame(outcome.frame)

    def batch(self, batch: Batch) -> None:
        """Take a batch."""
        group = batch.group
        self.meet({group})
        # a batch is independent of earlier points
        self.begin(group)
        apply = self.apply
        points = [q for p in batch.points if (q := apply(p, group)) is not None]
        self.emit_batch(
            Batch(batch.name, batch.tags, batch.tmax, points, batch.dimensions, group)
        )

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        outcome = self.columns(batches.frame)
        if outcome is None:
            super().batches(batches)
            return
        self.meet(batches.group_ids)
        self.emit_each(batches, outcome)

    def emit_each(self, batches: Batches, outcome: Outcome) -> None:
        """Pass the changed batches on."""
        starts = batches.starts
        if outcome.rows is not None:
            # start of each batch among the remaining rows; a batch may be empty
            starts = np.searchsorted(outcome.rows, starts)
        self.emit_batches(
            Batches(
                outcome.frame,
                starts,
                batches.tmax,
                batches.groups,
                batches.ids,
                batches.tags,
            )
        )
