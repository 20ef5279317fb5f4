"""Points one by one, and batches of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtime.units import Nanoseconds

Value = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Dimensions of points: measurement and sorted tags, or none."""

    by_name: bool = False
    tags: tuple[str, ...] = ()

    def group_id(self, name: str, tags: Mapping[str, str]) -> str:
        """The text that identifies a group: `cpu\\nhost=a,region=`, or "" for none.

        Source: Kapacitor models.ToGroupID. A missing tag shows as an empty value.
        """
        if not self.tags:
            return name if self.by_name else ""
        text = ",".join(f"{tag}={tags.get(tag, '')}" for tag in self.tags)
        return f"{name}\n{text}" if self.by_name else text

    def group_tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """The grouping tags of a point; a missing one is ""."""
        return {tag: tags.get(tag, "") for tag in self.tags}


NO_DIMENSIONS = Dimensions()


class Point:
    """One point of a stream; not to be changed, `replace()` derives.

    Attributes:
        time: ns since 1970 UTC.
        fields: float, int, str or bool by name (None only after an outer join).
    """

    __slots__ = ("_group", "db", "dimensions", "fields", "name", "rp", "tags", "time")

    def __init__(
        self,
        name: str,
        time: Nanoseconds,
        tags: Mapping[str, str],
        fields: Mapping[str, Value],
        dimensions: Dimensions = NO_DIMENSIONS,
        db: str = "",
        rp: str = "",
    ) -> None:
        self.name = name
        self.time = time
        self.tags = tags
        self.fields = fields
        self.dimensions = dimensions
        self.db = db
        self.rp = rp
        self._group: str | None = None

    @property
    def group(self) -> str:
        """The id of the point's group, "" without grouping."""
        if self._group is None:
            self._group = self.dimensions.group_id(self.name, self.tags)
        return self._group

    def replace(
        self,
        *,
        time: Nanoseconds | None = None,
        tags: Mapping[str, str] | None = None,
        fields: Mapping[str, Value] | None = None,
        dimensions: Dimensions | None = None,
    ) -> Point:
        """A copy of the point with some values replaced."""
        return Point(
            self.name,
            self.time if time is None else time,
            self.tags if tags is None else tags,
            self.fields if fields is None else fields,
            self.dimensions if dimensions is None else dimensions,
            self.db,
            self.rp,
        )

    def __repr__(self) -> str:
        return f"Point({self.name!r}, {self.time}, {self.tags!r}, {self.fields!r})"


class Batch:
    """A window of one group's points.

    Attributes:
        tags: the group's tags.
        tmax: the end of the window, ns since 1970 UTC.
        points: points in arrival order, with their full tags.
    """

    __slots__ = ("dimensions", "group", "name", "points", "tags", "tmax")

    def __init__(
        self,
        name: str,
        tags: Mapping[str, str],
        tmax: Nanoseconds,
        points: Sequence[Point],
        dimensions: Dimensions = NO_DIMENSIONS,
        group: str | None = None,
    ) -> None:
        self.name = name
        self.tags = tags
        self.tmax = tmax
        self.points = points
        self.dimensions = dimensions
        self.group = dimensions.group_id(name, tags) if group is None else group

    def with_points(self, points: Sequence[Point]) -> Batch:
        """A batch of the same group and window with other points."""
        return Batch(
            self.name, self.tags, self.tmax, points, self.dimensions, self.group
        )
