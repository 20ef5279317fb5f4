"""`default` and `delete`: adds missing fields and tags, or removes some."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar, NamedTuple

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


class _Changed(NamedTuple):
    """The result for a frame, shared by tasks with the same node.

    Attributes:
        frame: the changed rows.
        fields: number of field values that were set or removed.
        tags: number of tag values that were set or removed.
    """

    frame: Frame
    fields: int
    tags: int


class _CountingNode(PointwiseNode):
    """Common part of `default` and `delete`: they count their changes."""

    is_grouped = False
    verb: ClassVar[str]

    def __init__(
        self, spec: pipeline.DefaultNode | pipeline.DeleteNode, environment: Environment
    ) -> None:
        super().__init__(spec, environment)
        self._field_counter = f"fields_{self.verb}"
        self._tag_counter = f"tags_{self.verb}"
        self.counters = {self._field_counter: 0, self._tag_counter: 0}

    def note(self, fields: int, tags: int) -> None:
        """Count values that were set or removed."""
        self.counters[self._field_counter] += fields
        self.counters[self._tag_counter] += tags


class DefaultNode(_CountingNode):
    """Sets fields that are absent or null, and tags that are absent or empty."""

    verb = "defaulted"

    def __init__(self, spec: pipeline.DefaultNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        fields: dict[str, Value] = {}
        for name, value in spec.fields.items():
            if isinstance(value, float | int | str | bool):
                fields[name] = value
        self._fields = fields
        self._tags = dict(spec.tags)
        # by `repr`, as 1, 1.0 and TRUE are equal in Python
        self._key = ("default", tuple(map(repr, self._fields.items())))
        self._tag_key = tuple(self._tags.items())

    @property
    def fingerprint(self) -> Hashable:
        """The defaults."""
        return self._key, self._tag_key

    def apply(self, point: Point, group: str) -> Point | None:
        """The point with its missing values set to the defaults."""
        lacking: dict[str, Value] = {
            name: value
            for name, value in self._fields.items()
            if point.fields.get(name) is None
        }
        tags = {n: v for n, v in self._tags.items() if not point.tags.get(n)}
        if not lacking and not tags:
            return point
        self.note(len(lacking), len(tags))
        return point.replace(
            fields={**point.fields, **lacking}, tags={**point.tags, **tags}
        )

    def columns(self, frame: Frame) -> Outcome | None:
        """The frame with its missing values set to the defaults."""
        key = (*self._key, self._tag_key)
        filled, fields, tags = frame.shared(key, lambda: self._filled(frame))
        self.note(fields, tags)
        return Outcome(filled)

    def batch(self, batch: Batch) -> None:
        """Take a batch; its own tags get the defaults too."""
        tags = {
            name: value or self._tags.get(name, "")
            for name, value in batch.tags.items()
        }
        # like Kapacitor, count the default of every field for the batch itself
        lacking = sum(not batch.tags.get(name) for name in self._tags)
        self.note(len(self._fields), lacking)
        super().batch(
            Batch(batch.name, tags, batch.tmax, batch.points, batch.dimensions)
        )

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        # defaults may change the tags of a group, but batches in columns share groups
        if self._tags:
            for batch in batches:
                self.batch(batch)
            return
        self.note(len(self._fields) * len(batches), 0)
        super().batches(batches)

    def _filled(self, frame: Frame) -> _Changed:
        fields = {
            name: _with_default(frame.field(name), value, len(frame))
            for name, value in self._fields.items()
        }
        lacking = sum(_absent(frame.field(name), len(frame)) for name in fields)
        untagged = 0
        tags: dict[str, TagColumn] = {}
        for name, default in self._tags.items():
            column = frame.tag(name)
            if column is None:
                values: list[str | None] = [None] * len(frame)
            else:
                # code -1 refers to the last item
                known = [*column.values, None]
                values = [known[code] for code in column.codes.tolist()]
            untagged += sum(not value for value in values)
            tags[name] = tag_column(value or default for value in values)
        return _Changed(derived(frame, fields=fields, tags=tags), lacking, untagged)


def _absent(column: FieldColumn | None, size: int) -> int:
    """Number of rows without a value of a field."""
    if column is None:
        return size
    if column.present is None:
        return 0
    return size - int(np.count_nonzero(column.present))


def _with_default(column: FieldColumn | None, value: Value, size: int) -> FieldColumn:
    kind = kind_of(value)
    if column is None:
        return FieldColumn(kind, np.full(size, value, dtype=_DTYPES.get(kind, object)))
    if column.present is None:
        return column
    # an int default among floats stays an int, as in points
    merged: FieldKind = kind if kind == column.kind else "mixed"
    values: NDArray[Any] = column.values.astype(_DTYPES.get(merged, object))
    values[~column.present] = value
    return FieldColumn(merged, values)


class DeleteNode(_CountingNode):
    """Deletes fields and tags; groups lose the dimensions of deleted tags."""

    verb = "deleted"

    def __init__(self, spec: pipeline.DeleteNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._fields = frozenset(spec.fields)
        self._tags = frozenset(spec.tags)

    @property
    def fingerprint(self) -> Hashable:
        """The fields and tags that are deleted."""
        return type(self), self._fields, self._tags

    def apply(self, point: Point, group: str) -> Point | None:
        """The point without the deleted fields and tags."""
        fields = {n: v for n, v in point.fields.items() if n not in self._fields}
        tags = {n: v for n, v in point.tags.items() if n not in self._tags}
        dimensions = self._without(point.dimensions)
        self.note(len(point.fields) - len(fields), len(point.tags) - len(tags))
        return point.replace(fields=fields, tags=tags, dimensions=dimensions)

    def columns(self, frame: Frame) -> Outcome | None:
        """The frame without the deleted fields and tags."""
        key = ("delete", self._fields, self._tags)
        emptied, fields, tags = frame.shared(key, lambda: self._emptied(frame))
        self.note(fields, tags)
        return Outcome(emptied)

    def batch(self, batch: Batch) -> None:
        """Take a batch; the tags are deleted from the batch itself as well."""
        tags = {n: v for n, v in batch.tags.items() if n not in self._tags}
        dimensions = self._without(batch.dimensions)
        self.note(0, len(batch.tags) - len(tags))
        super().batch(Batch(batch.name, tags, batch.tmax, batch.points, dimensions))

    def batches(self, batches: Batches) -> None:
        """Take batches in columns."""
        # without a tag several groups may become one, but their batches stay separate
        if self._tags.intersection(batches.frame.dimensions.tags):
            for batch in batches:
                self.batch(batch)
        else:
            super().batches(batches)

    def _emptied(self, frame: Frame) -> _Changed:
        size = len(frame)
        fields = sum(size - _absent(frame.field(name), size) for name in self._fields)
        columns = [frame.tag(name) for name in self._tags]
        tags = sum(
            int(np.count_nonzero(c.codes >= 0)) for c in columns if c is not None
        )
        gone = derived(
            frame,
            fields=dict.fromkeys(self._fields),
            tags=dict.fromkeys(self._tags),
        )
        return _Changed(gone.grouped(self._without(frame.dimensions)), fields, tags)

    def _without(self, dimensions: Dimensions) -> Dimensions:
        if not self._tags.intersection(dimensions.tags):
            return dimensions
        tags = tuple(tag for tag in dimensions.tags if tag not in self._tags)
        return Dimensions(dimensions.by_name, tags)
