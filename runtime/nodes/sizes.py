"""Approximate sizes of objects in bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtime.frames import Batch, Frame, Point, Value

# A point with its two dictionaries and a few values, according to `sys.getsizeof`.
POINT = 600
# A value in a list.
VALUE = 40
_SAMPLES = 8


def of_points(points: Sequence[Point]) -> int:
    """The bytes of points, estimated from the strings of some of them."""
    step = max(1, len(points) // _SAMPLES)
    some = points[::step]
    texts = sum(_texts(point.tags, point.fields) for point in some)
    return len(points) * POINT + texts * len(points) // max(1, len(some))


def of_item(item: Point | Batch) -> int:
    """The bytes of a point or a batch."""
    return of_points(item.points if isinstance(item, Batch) else (item,))


def of_frame(frame: Frame) -> int:
    """The bytes of a frame, estimated once from the strings of some of its rows."""
    return frame.shared("bytes", lambda: _of_frame(frame))


def _of_frame(frame: Frame) -> int:
    size = len(frame)
    columns = 8 * (1 + len(frame.field_names)) + 4 * len(frame.tag_names)
    rows = range(0, size, max(1, size // _SAMPLES))
    texts = sum(_texts(*frame.row(row)) for row in rows)
    return size * columns + texts * size // max(1, len(rows))


def _texts(tags: Mapping[str, str], fields: Mapping[str, Value]) -> int:
    values = [*tags.values(), *fields.values()]
    return sum(len(value) for value in values if isinstance(value, str))
