"""`sample`: passes every nth point of a group, or those at multiples of a duration."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from runtime.errors import TaskError
from runtime.frames import (
    Frame,
    Point,
)
from runtime.nodes.columns import beyond_multiples
from runtime.nodes.environment import Environment
from runtime.nodes.pointwise import Outcome, PointwiseNode
from runtime.pipeline import transform
from runtime.units import (
    Duration,
    beyond_multiple,
)


class SampleNode(PointwiseNode):
    """Passes every nth point of a group, or those at multiples of a duration."""

    remembers = True

    def __init__(self, spec: transform.SampleNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        if spec.rate <= 0:
            raise TaskError("invalid sample rate: must be positive integer or duration")
        self._step = int(spec.rate) if isinstance(spec.rate, Duration) else 0
        self._every = int(spec.rate)
        self._counts: dict[str, int] = {}

    @property
    def fingerprint(self) -> Hashable:
        """The rate."""
        return type(self), self._every, self._step

    def apply(self, point: Point, group: str) -> Point | None:
        """The point, if it is one of the sample."""
        if self._step:
            return None if beyond_multiple(point.time, self._step) else point
        count = self._counts.get(group, 0)
        self._counts[group] = (count + 1) % self._every
        return point if count == 0 else None

    def columns(self, frame: Frame) -> Outcome | None:
        """The rows of the sample."""
        # counting depends on the earlier points of a group, times do not
        if not self._step:
            return None
        rows = np.flatnonzero(beyond_multiples(frame.time, self._step) == 0)
        return Outcome(frame.take(rows), rows)

    def begin(self, group: str) -> None:
        """Begin a batch of the group."""
        self._counts.pop(group, None)

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        self._counts.pop(group, None)
