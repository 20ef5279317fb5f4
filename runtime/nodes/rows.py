"""Points as Kapacitor's JSON shows them: rows of a series."""

from __future__ import annotations

from runtime.alert.types import Row
from runtime.frames import Batch, Point, Value
from runtime.units import Duration, rfc3339


def encodable(value: Value) -> Value:
    """The value for JSON and the store; durations become nanoseconds."""
    return int(value) if type(value) is Duration else value


def point_row(point: Point) -> Row:
    """One point as a series: its fields are the columns.

    Source: Kapacitor models.PointToRow.
    """
    names = sorted(point.fields)
    values = [point.time, *(encodable(point.fields[name]) for name in names)]
    return Row(point.name, point.tags, ("time", *names), [values])


def batch_row(batch: Batch) -> Row:
    """A batch as a series.

    The first point alone determines the columns: its fields, and its tags other than
    those of the group.

    Source: Kapacitor models.BatchToRow.
    """
    if not batch.points:
        return Row(batch.name, batch.tags, (), ())
    first = batch.points[0]
    names = {name for name in first.tags if name not in batch.tags}
    names.update(first.fields)
    columns = sorted(names)
    values = [
        [point.time, *(_cell(point, column) for column in columns)]
        for point in batch.points
    ]
    return Row(batch.name, batch.tags, ("time", *columns), values)


def _cell(point: Point, column: str) -> Value:
    if column in point.fields:
        return encodable(point.fields[column])
    return point.tags.get(column)


def row_json(row: Row) -> dict[str, object]:
    """A series as a tree of JSON values."""
    tree: dict[str, object] = {"name": row.name}
    if row.tags:
        tree["tags"] = {name: row.tags[name] for name in sorted(row.tags)}
    if row.columns:
        tree["columns"] = list(row.columns)
    if row.values:
        tree["values"] = [[rfc3339(int(v[0] or 0)), *v[1:]] for v in row.values]
    return tree
