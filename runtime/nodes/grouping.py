"""The dimensions that `groupBy` sets on points."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from runtime.frames import Dimensions, Frame, Point
from runtime.tick.ast import StarNode


class Grouping:
    """The arguments of a `groupBy`: tags, or all tags except some; and the measurement.

    Attributes:
        key: equal for equivalent groupings.
    """

    def __init__(
        self,
        dimensions: Sequence[str],
        *,
        all_tags: bool = False,
        exclude: Iterable[str] = (),
        by_name: bool = False,
    ) -> None:
        self._all_tags = all_tags
        self._exclude = frozenset(exclude)
        # as in Kapacitor, a tag that is given twice occurs twice in the ids of groups
        tags = tuple(sorted(tag for tag in dimensions if tag not in self._exclude))
        # created once for all points
        self._fixed = {each: Dimensions(each, tags) for each in (False, True)}
        self._by_name = by_name
        self.key: Hashable = (all_tags, self._exclude, tags, by_name)
        self._known: dict[tuple[bool, tuple[str, ...]], Dimensions] = {}

    def of_point(self, point: Point) -> Dimensions:
        """The new dimensions of a point; grouping by name is kept."""
        by_name = self._by_name or point.dimensions.by_name
        if not self._all_tags:
            return self._fixed[by_name]
        return self._of_tags(by_name, tuple(point.tags))

    def of_frame(self, frame: Frame) -> Dimensions | None:
        """The new dimensions of all points; None when their tags differ."""
        by_name = self._by_name or frame.dimensions.by_name
        if not self._all_tags:
            return self._fixed[by_name]
        tags = frame.shared("tags of all rows", lambda: _common_tags(frame))
        return None if tags is None else self._of_tags(by_name, tags)

    def _of_tags(self, by_name: bool, tags: tuple[str, ...]) -> Dimensions:
        key = by_name, tags
        if key not in self._known:
            # sets of tag names are few, except in hostile input
            if len(self._known) > 1000:
                self._known.clear()
            names = tuple(sorted(tag for tag in tags if tag not in self._exclude))
            self._known[key] = Dimensions(by_name, names)
        return self._known[key]


def _common_tags(frame: Frame) -> tuple[str, ...] | None:
    names = []
    for name in frame.tag_names:
        column = frame.tag(name)
        if column is None:
            continue
        # if only some rows have the tag, their dimensions differ, but a frame has one
        absent = np.count_nonzero(column.codes < 0)
        if not absent:
            names.append(name)
        elif absent < len(frame):
            return None
    return tuple(names)


def grouping_of(
    dimensions: Sequence[object], *, exclude: Iterable[str] = (), by_name: bool = False
) -> Grouping:
    """The grouping by a script's dimensions: tag names, or one `*`."""
    return Grouping(
        [each for each in dimensions if isinstance(each, str) and each != "*"],
        all_tags=any(isinstance(d, StarNode) or d == "*" for d in dimensions),
        exclude=exclude,
        by_name=by_name,
    )
