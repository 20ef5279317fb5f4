"""Tags and fields that an alert node adds to the data it passes on."""

from __future__ import annotations

from runtime.alert.types import Event
from runtime.frames import Batch, Dimensions, Point, Value
from runtime.pipeline.alert import AlertNode


class Marks:
    """The names under which level, id, message and duration of an event are added."""

    def __init__(self, node: AlertNode) -> None:
        self._node = node
        node_tags = (node.level_tag, node.id_tag)
        node_fields = (
            node.level_field,
            node.id_field,
            node.message_field,
            node.duration_field,
        )
        self._adds_tags = any(node_tags)
        self._adds = self._adds_tags or any(node_fields)

    def point(self, point: Point, event: Event) -> Point:
        """The point with the added tags and fields."""
        if not self._adds:
            return point
        return point.replace(
            tags={**point.tags, **self._tags(event)},
            fields={**point.fields, **self._fields(event)},
        )

    def batch(self, batch: Batch, event: Event) -> Batch:
        """The batch with added tags and fields; the tags join those of its group."""
        if not self._adds:
            return batch
        tags, fields = self._tags(event), self._fields(event)
        dimensions = batch.dimensions
        if self._adds_tags:
            names = tuple(sorted({*dimensions.tags, *tags}))
            dimensions = Dimensions(dimensions.by_name, names)
        points = [
            point.replace(
                tags={**point.tags, **tags},
                fields={**point.fields, **fields},
                dimensions=dimensions,
            )
            for point in batch.points
        ]
        return Batch(batch.name, {**batch.tags, **tags}, batch.tmax, points, dimensions)

    def _tags(self, event: Event) -> dict[str, str]:
        node, state = self._node, event.state
        named = {node.level_tag: str(state.level), node.id_tag: state.id}
        return {name: value for name, value in named.items() if name}

    def _fields(self, event: Event) -> dict[str, Value]:
        node, state = self._node, event.state
        named: dict[str, Value] = {
            node.level_field: str(state.level),
            node.message_field: state.message,
            node.duration_field: int(state.duration),
            node.id_field: state.id,
        }
        return {name: value for name, value in named.items() if name}
