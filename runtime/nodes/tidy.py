"""`default` and `delete`: fields and tags that should be there, or should not."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.frames import (
    Batch,
    Batches,
    Dimensions,
    FieldColumn,
    FieldKind,
    Frame,
    Point,
    TagColumn,
    Value,
)
from runtime.nodes.columns import derived, kind_of, tag_column
from runtime.nodes.environment import Environment
from runtime.nodes.pointwise import Outcome, PointwiseNode
from runtime.pipeline import transform as pipeline

_DTYPES = {"float": np.float64, "int": np.int64, "bool": np.bool_}


class DefaultNode(PointwiseNode):
    """Sets fields that are absent or null, and tags that are absent or empty."""

    def __init__(self, spec: pipeline.DefaultNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        fields: dict[str, Value] = {}
        for name, value in spec.fields.items():
            if isinstance(value, float | int | str | bool):
                fields[name] = value
        self._fields = fields
        self._tags = dict(spec.tags)
        self._key = ("default", tuple(map(repr, self._fields.items())))
        self._tag_key = tuple(self._tags.items())

    @property
    def recipe(self) -> Hashable:
        """The defaults."""
        return self._key, self._tag_key

    def apply(self, point: Point, group: str) -> Point | None:
        """The point with what it lacked."""
        lacking: dict[str, Value] = {
            name: value
            for name, value in self._fields.items()
            if point.fields.get(name) is None
        }
        tags = {n: v for n, v in self._tags.items() if not point.tags.get(n)}
        if not lacking and not tags:
            return point
        return point.replace(
            fields={**point.fields, **lacking}, tags={**point.tags, **tags}
        )

    def columns(self, frame: Frame) -> Outcome | None:
        """The frame with what it lacked."""
        key = (*self._key, self._tag_key)
        return Outcome(frame.shared(key, lambda: self._filled(frame)))

    def batch(self, batch: Batch) -> None:
        """Take a batch; its own tags get the defaults too."""
        tags = {
            name: value or self._tags.get(name, "")
            for name, value in batch.tags.items()
        }
        super().batch(
            Batch(batch.name, tags, batch.tmax, batch.points, batch.dimensions)
        )

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        if self._tags:
            for batch in batches:
                self.batch(batch)
        else:
            super().batches(batches)

    def _filled(self, frame: Frame) -> Frame:
        fields = {
            name: _with_default(frame.field(name), value, len(frame))
            for name, value in self._fields.items()
        }
        tags: dict[str, TagColumn] = {}
        for name, default in self._tags.items():
            column = frame.tag(name)
            if column is None:
                values: list[str | None] = [None] * len(frame)
            else:
                known = [*column.values, None]
                values = [known[code] for code in column.codes.tolist()]
            tags[name] = tag_column(value or default for value in values)
        return derived(frame, fields=fields, tags=tags)


def _with_default(column: FieldColumn | None, value: Value, size: int) -> FieldColumn:
    kind = kind_of(value)
    if column is None:
        return FieldColumn(kind, np.full(size, value, dtype=_DTYPES.get(kind, object)))
    if column.present is None:
        return column
    merged: FieldKind = kind if kind == column.kind else "mixed"
    values: NDArray[Any] = column.values.astype(_DTYPES.get(merged, object))
    values[~column.present] = value
    return FieldColumn(merged, values)


class DeleteNode(PointwiseNode):
    """Takes fields and tags away; a deleted tag is no dimension any more."""

    def __init__(self, spec: pipeline.DeleteNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._fields = frozenset(spec.fields)
        self._tags = frozenset(spec.tags)

    @property
    def recipe(self) -> Hashable:
        """What is deleted."""
        return type(self), self._fields, self._tags

    def apply(self, point: Point, group: str) -> Point | None:
        """The point without them."""
        fields = {n: v for n, v in point.fields.items() if n not in self._fields}
        tags = {n: v for n, v in point.tags.items() if n not in self._tags}
        dimensions = self._without(point.dimensions)
        return point.replace(fields=fields, tags=tags, dimensions=dimensions)

    def columns(self, frame: Frame) -> Outcome | None:
        """The frame without them."""
        key = ("delete", self._fields, self._tags)
        return Outcome(frame.shared(key, lambda: self._emptied(frame)))

    def batch(self, batch: Batch) -> None:
        """Take a batch; its own tags lose the deleted ones too."""
        tags = {n: v for n, v in batch.tags.items() if n not in self._tags}
        dimensions = self._without(batch.dimensions)
        super().batch(Batch(batch.name, tags, batch.tmax, batch.points, dimensions))

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        if self._tags.intersection(batches.frame.dimensions.tags):
            for batch in batches:
                self.batch(batch)
        else:
            super().batches(batches)

    def _emptied(self, frame: Frame) -> Frame:
        gone = derived(
            frame,
            fields=dict.fromkeys(self._fields),
            tags=dict.fromkeys(self._tags),
        )
        return gone.grouped(self._without(frame.dimensions))

    def _without(self, dimensions: Dimensions) -> Dimensions:
        if not self._tags.intersection(dimensions.tags):
            return dimensions
        tags = tuple(tag for tag in dimensions.tags if tag not in self._tags)
        return Dimensions(dimensions.by_name, tags)
