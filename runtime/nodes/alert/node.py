"""`alert`: determines levels and sends events to topics and handlers.

Source: Kapacitor alert.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

import numpy as np

from runtime.alert.types import Event
from runtime.errors import TaskError
from runtime.frames import Batch, Frame, Point, Value
from runtime.nodes.alert.events import Events
from runtime.nodes.alert.flapping import Flapping
from runtime.nodes.alert.group import Group
from runtime.nodes.alert.handlers import makes_changes_only, node_handlers
from runtime.nodes.alert.levels import CRITICAL, OK, Levels
from runtime.nodes.alert.marks import Marks
from runtime.nodes.alert.screen import Screen
from runtime.nodes.alert.templates import Origin
from runtime.nodes.alert.thresholds import Bounds
from runtime.nodes.alert.walk import Walk
from runtime.nodes.environment import Environment
from runtime.nodes.node import GroupedNode
from runtime.nodes.rows import batch_row, point_row
from runtime.pipeline import alert as pipeline
from runtime.units import Nanoseconds

# Share of rows that may be events, above which points are faster than columns.
_DENSE = 0.25


class AlertNode(GroupedNode):
    """Turns points or batches into events, and passes on those that are events."""

    def __init__(self, spec: pipeline.AlertNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        if spec.use_flapping and max(spec.flap_low, spec.flap_high) > 1:
            raise TaskError(
                "alert flap thresholds are percentages and should be between 0 and 1"
            )
        self._spec = spec
        self._levels = Levels(spec, self.error)
        self._has_levels = self._levels.any
        self._changes_only = spec.state_changes_only or makes_changes_only(
            environment.services
        )
        self._interval = int(spec.state_changes_only_duration)
        self._marks = Marks(spec)
        self._groups: dict[str, Group] = {}
        # groups in which another OK may have an effect
        self._busy: set[str] = set()
        handlers = node_handlers(spec, environment.services, environment.dialer)
        self._events = Events(spec, environment, handlers, self.error)

    def point(self, point: Point) -> None:
        """Take a point; pass it on if it is an event."""
        if self._has_levels:
            self._step(point, point.group)
        else:
            self._met.add(point.group)

    def frame(self, frame: Frame) -> None:
        """Take points in columns; only the rows that may have an effect are evaluated."""
        if not self._has_levels:
            self.meet(frame.group_ids)
            return
        screen = None if self._levels.stateful else Screen(self._levels, frame)
        fires = None if screen is None else screen.fires()
        if screen is None or fires is None:
            super().frame(frame)
            return
        ids = frame.group_ids
        # the usual case, all groups known and OK: only rows that leave OK matter
        if self._busy.isdisjoint(ids) and ids <= self._groups.keys():
            count = np.count_nonzero(fires)
            if not count:
                return
            # a walk takes longer per row than points do, but skips rows
            if count > _DENSE * len(frame):
                super().frame(frame)
                return
        interval = self._interval if self._changes_only else None
        walk = Walk(frame, screen, fires, self._groups, interval)
        walk.run(self._starts(frame, walk.firing), self._step, self._appear)

    def batch(self, batch: Batch) -> None:
        """Take a batch; pass it on if it is an event."""
        if not batch.points or not self._has_levels:
            self._met.add(batch.group)
            return
        origin = Origin(batch.name, batch.group, batch.tags)
        group = self._groups.get(batch.group)
        if group is None:
            group = self._opened(origin, batch.tags)
        # all points are compared with the level before the batch
        level, chosen = self._judged(batch, group.level)
        time = batch.tmax if self._spec.all or level == OK else chosen.time
        self._push(batch.group, group, level)
        # unlike the recovery by a point, that by a batch is sent even while flapping
        is_news = group.changed or (group.is_owed and not group.is_flapping)
        is_event = is_news if level == OK else not self._is_held(group, time)
        if not is_event:
            return
        event = self._triggered(origin, chosen.fields, group, time)
        if event is not None:
            self._events.send(event, group, lambda: batch_row(batch))
            self.emit_batch(self._marks.batch(batch, event))

    def forget(self, group: str) -> None:
        """Forget the state of a group."""
        super().forget(group)
        known = self._groups.pop(group, None)
        self._busy.discard(group)
        if known is not None:
            self._release(known)

    def close(self) -> None:
        """Close the node's own topic and end the inhibition of other alerts."""
        for group in self._groups.values():
            self._release(group)
        self._events.close()

    @property
    def bounds(self) -> Bounds | None:
        """Bounds of fields within which OK groups stay OK; None if unknown."""
        return self._levels.bounds

    @property
    def is_quiescent(self) -> bool:
        """True if all groups are OK, so that another OK would have no effect."""
        return not self._busy

    def stats(self) -> dict[str, int]:
        """The node's counters, including those of alerts."""
        return super().stats() | self._events.stats()

    def _step(self, point: Point, group_id: str) -> None:
        group = self._groups.get(group_id)
        if group is None:
            group = self._appear(point, group_id)
        level = self._levels.of(point, group.level)
        self._push(group_id, group, level)
        is_news = group.changed or group.is_owed
        if self._is_held(group, point.time) or (level == OK and not is_news):
            return
        origin = Origin(point.name, group_id, point.tags)
        event = self._triggered(origin, point.fields, group, point.time)
        if event is not None:
            self._events.send(event, group, lambda: point_row(point))
            self.emit_point(self._marks.point(point, event))

    def _appear(self, point: Point, group_id: str) -> Group:
        origin = Origin(point.name, group_id, point.tags)
        return self._opened(origin, point.dimensions.group_tags(point.tags))

    def _push(self, group_id: str, group: Group, level: int) -> None:
        group.push(level)
        if group.is_quiescent:
            self._busy.discard(group_id)
        else:
            self._busy.add(group_id)

    def _is_held(self, group: Group, time: Nanoseconds) -> bool:
        if group.is_flapping:
            return True
        return (
            self._changes_only
            and not group.changed
            and not group.is_owed
            and not group.is_expired(time, self._interval)
        )

    def _triggered(
        self,
        origin: Origin,
        fields: Mapping[str, Value],
        group: Group,
        time: Nanoseconds,
    ) -> Event | None:
        """The event of a group; None for a recovery that is disabled."""
        group.trigger(time)
        # the group recovers nevertheless, so that its next alert is a change
        if self._spec.no_recoveries and group.level == OK:
            self._events.skip(group)
            return None
        return self._events.make(origin, fields, group, time)

    def _judged(self, batch: Batch, current: int) -> tuple[int, Point]:
        """The level of a batch, and its first point with the highest level."""
        lowest, highest, chosen = CRITICAL, -1, batch.points[0]
        for point in batch.points:
            level = self._levels.of(point, current)
            lowest = min(lowest, level)
            if level > highest:
                highest, chosen = level, point
        return (lowest if self._spec.all else highest), chosen

    def _opened(self, origin: Origin, tags: Mapping[str, str]) -> Group:
        """The state of a new group, restored from the topics if they have it."""
        group = self._new(origin.group, tags)
        state = self._events.restored(origin)
        if state is not None:
            group.restore(state)
            self._busy.add(origin.group)
        return group

    def _new(self, group_id: str, tags: Mapping[str, str]) -> Group:
        spec = self._spec
        flapping = None
        if spec.use_flapping:
            flapping = Flapping(spec.flap_low, spec.flap_high, spec.history)
        topics = self.environment.topics
        inhibitors = [
            topics.inhibitors.add(
                category, {name: tags.get(name, "") for name in names}
            )
            for category, names in spec.inhibitors
            if topics is not None
        ]
        self._met.add(group_id)
        group = self._groups[group_id] = Group(flapping, inhibitors)
        return group

    def _release(self, group: Group) -> None:
        self._events.forget(group)
        topics = self.environment.topics
        if topics is not None:
            for inhibitor in group.inhibitors:
                topics.inhibitors.remove(inhibitor)

    def _starts(self, frame: Frame, firing: Set[int]) -> list[int]:
        """The groups of a frame whose state may change."""
        groups = frame.groups
        found = set(firing)
        # a new group may find the event of an earlier row of the same frame
        may_restore = self._events.has_topic and (
            bool(found)
            or not self._busy.isdisjoint(groups.ids)
            or self._events.may_restore
        )
        for index, group_id in enumerate(groups.ids):
            if group_id in self._busy:
                found.add(index)
            elif group_id not in self._groups:
                # the first point of a group determines its event id, and so its state
                if may_restore:
                    found.add(index)
                else:
                    self._new(group_id, groups.tags[index])
        return sorted(found)
