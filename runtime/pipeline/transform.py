"""Nodes that select, change or regroup points."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from runtime.errors import ScriptError
from runtime.pipeline.node import Edge, Node, link, require
from runtime.pipeline.properties import (
    INTERNAL,
    ONE_SECOND,
    ZERO,
    check_defaults,
    internal,
    property_method,
    switch,
)
from runtime.pipeline.source import Dimension, check_dimensions
from runtime.settings import setting
from runtime.tick import ast
from runtime.units import Duration


@dataclass(eq=False, slots=True)
class WhereNode(Node):
    """`|where()`: passes points for which the predicate holds."""

    call: ClassVar[str] = "where"

    predicate: ast.LambdaNode | None = field(default=None, metadata=INTERNAL)


@dataclass(eq=False, slots=True)
class GroupByNode(Node):
    """`|groupBy()`: regroups points.

    Attributes:
        dimensions: names of tags, or one `*`.
        exclude: tags that `*` leaves out.
        by_measurement: the measurement is part of the group.
    """

    call: ClassVar[str] = "groupBy"

    dimensions: tuple[Dimension, ...] = internal(())
    exclude: tuple[str, ...] = ()
    by_measurement: bool = False

    @property
    def kind(self) -> str:
        """Lower case, unlike the call."""
        return "groupby"

    def validate(self) -> None:
        """Check the dimensions."""
        check_dimensions(self.dimensions, self.exclude)


@dataclass(eq=False, slots=True)
class WindowNode(Node):
    """`|window()`: cuts a stream into batches.

    Attributes:
        period: the length of a window in time.
        every: interval of the windows; 0 for a window with every point.
        align: windows are sent at multiples of `every`.
        fill_period: send the first window only after a complete period.
        period_count: the length of a window in points.
        every_count: number of points between windows.
    """

    call: ClassVar[str] = "window"

    period: Duration = ZERO
    every: Duration = ZERO
    align: bool = False
    fill_period: bool = False
    period_count: int = 0
    every_count: int = 0

    def validate(self) -> None:
        """Check that time and count are not mixed."""
        by_count = self.period_count != 0
        require(
            self.period >= 0 and self.every >= 0,
            "period and every of a window cannot be negative",
        )
        require(
            self.period_count >= 0,
            "periodCount of a window cannot be negative",
        )
        require(
            not by_count or self.period == 0,
            "cannot specify both period and periodCount",
        )
        require(
            not by_count or not self.align,
            "can only align windows based off time, not count",
        )
        require(
            not by_count or self.every_count > 0,
            "everyCount must be greater than zero",
        )


@dataclass(eq=False, slots=True)
class EvalNode(Node):
    """`|eval()`: computes fields and tags.

    Attributes:
        lambdas: the expressions, in order.
        as_names: a name for each result.
        tag_names: names of the results that become tags.
        keep: fields to keep; None for the results only, empty for all.
    """

    call: ClassVar[str] = "eval"

    lambdas: tuple[ast.LambdaNode, ...] = internal(())
    as_names: tuple[str, ...] = setting((), tick="as")
    tag_names: tuple[str, ...] = setting((), tick="tags")
    keep: tuple[str, ...] | None = internal(None)

    @property_method("keep")
    def set_keep(self, *fields: str) -> None:
        """Keep these fields; without names, all."""
        self.keep = fields

    def validate(self) -> None:
        """Check that each expression has a name."""
        names, count = self.as_names, len(self.lambdas)
        require(
            len(names) == count,
            "must specify same number of expressions and .as() names:"
            f" got {len(names)} as names, and {count} expressions.",
        )
        for tag in self.tag_names:
            require(
                tag in names,
                f'invalid tag name "{tag}", name is not present is .as() names',
            )


@dataclass(eq=False, slots=True)
class DefaultNode(Node):
    """`|default()`: values for fields and tags that are absent."""

    call: ClassVar[str] = "default"

    fields: dict[str, object] = field(default_factory=dict, metadata={"tick": "field"})
    tags: dict[str, str] = field(default_factory=dict, metadata={"tick": "tag"})

    def validate(self) -> None:
        """Check that fields can hold the values."""
        check_defaults(self.fields)


@dataclass(eq=False, slots=True)
class DeleteNode(Node):
    """`|delete()`: drops fields and tags."""

    call: ClassVar[str] = "delete"

    fields: tuple[str, ...] = internal(())
    tags: tuple[str, ...] = internal(())

    @property_method("field")
    def add_field(self, name: str) -> None:
        """Drop a field."""
        self.fields = (*self.fields, name)

    @property_method("tag")
    def add_tag(self, name: str) -> None:
        """Drop a tag."""
        self.tags = (*self.tags, name)


@dataclass(eq=False, slots=True)
class DerivativeNode(Node):
    """`|derivative()`: the rate of change of a field.

    Attributes:
        field: the field.
        as_name: the result's name.
        unit: the rate is per this time.
        non_negative: drop negative rates.
    """

    call: ClassVar[str] = "derivative"

    field: str = internal("")
    as_name: str = setting("", tick="as")
    unit: Duration = ONE_SECOND
    non_negative: bool = False


@dataclass(eq=False, slots=True)
class StateDurationNode(Node):
    """`|stateDuration()`: the time for which a predicate has held."""

    call: ClassVar[str] = "stateDuration"

    predicate: ast.LambdaNode | None = field(default=None, metadata=INTERNAL)
    as_name: str = setting("state_duration", tick="as")
    unit: Duration = ONE_SECOND

    @property
    def kind(self) -> str:
        """The name with underscores; the call has none."""
        return "state_duration"


@dataclass(eq=False, slots=True)
class StateCountNode(Node):
    """`|stateCount()`: the number of points for which a predicate has held."""

    call: ClassVar[str] = "stateCount"

    predicate: ast.LambdaNode | None = field(default=None, metadata=INTERNAL)
    as_name: str = setting("state_count", tick="as")

    @property
    def kind(self) -> str:
        """The name with underscores; the call has none."""
        return "state_count"


@dataclass(eq=False, slots=True)
class ChangeDetectNode(Node):
    """`|changeDetect()`: passes points in which one of the fields has changed."""

    call: ClassVar[str] = "changeDetect"

    fields: tuple[str, ...] = internal(())


@dataclass(eq=False, slots=True)
class BarrierNode(Node):
    """`|barrier()`: makes the nodes below emit the data that they hold.

    Attributes:
        idle: time without data after which a barrier is sent; 0 if `period` is set.
        period: interval of the barriers; 0 if `idle` is set.
        delete: delete the state of the group as well.
    """

    call: ClassVar[str] = "barrier"

    idle: Duration = ZERO
    period: Duration = ZERO
    delete: bool = switch()

    def validate(self) -> None:
        """Check that either idle or period is set."""
        require(
            self.idle == 0 or self.period == 0, "cannot specify both idle and period"
        )
        require(self.period != 0 or self.idle > 0, "idle must be greater than zero")
        require(self.idle != 0 or self.period > 0, "period must be greater than zero")


@dataclass(eq=False, slots=True)
class ShiftNode(Node):
    """`|shift()`: adds a duration to times."""

    call: ClassVar[str] = "shift"

    shift: Duration = field(default=ZERO, metadata=INTERNAL)


@dataclass(eq=False, slots=True)
class SampleNode(Node):
    """`|sample()`: every nth point, or points at multiples of a duration."""

    call: ClassVar[str] = "sample"

    rate: int | Duration = field(default=0, metadata=INTERNAL)


@dataclass(eq=False, slots=True)
class FlattenNode(Node):
    """`|flatten()`: merges the points of one time into one.

    Attributes:
        on: the tags whose values become part of the fields' names.
        delimiter: string between the parts.
        tolerance: times are rounded to multiples of it.
        drop_original_field_name: fields are named by the tags only.
    """

    call: ClassVar[str] = "flatten"

    on: tuple[str, ...] = ()
    delimiter: str = "."
    tolerance: Duration = ZERO
    drop_original_field_name: bool = internal(False)

    @property_method("dropOriginalFieldName")
    def set_drop_original_field_name(self, *drop: bool) -> None:
        """Name fields by the tags only, unless the argument is FALSE."""
        self.drop_original_field_name = drop[0] if drop else True


@dataclass(eq=False, slots=True)
class TrickleNode(Node):
    """`|trickle()`: turns batches back into a stream."""

    call: ClassVar[str] = "trickle"


def where(parent: Node, predicate: ast.LambdaNode) -> WhereNode:
    """`|where(lambda: …)`."""
    return link(WhereNode(predicate), parent)


def group_by(parent: Node, *dimensions: object) -> GroupByNode:
    """`|groupBy('host')`."""
    return link(GroupByNode(dimensions), parent)


def window(parent: Node) -> WindowNode:
    """`|window()`."""
    require(parent.provides is Edge.STREAM, "cannot Window batch edge")
    return link(WindowNode(), parent, provides=Edge.BATCH)


def eval_(parent: Node, *lambdas: ast.LambdaNode) -> EvalNode:
    """`|eval(lambda: …)`."""
    return link(EvalNode(lambdas), parent)


def default(parent: Node) -> DefaultNode:
    """`|default()`."""
    return link(DefaultNode(), parent)


def delete(parent: Node) -> DeleteNode:
    """`|delete()`."""
    return link(DeleteNode(), parent)


def derivative(parent: Node, field: str) -> DerivativeNode:
    """`|derivative('f')`."""
    return link(DerivativeNode(field, as_name=field), parent)


def state_duration(parent: Node, predicate: ast.LambdaNode) -> StateDurationNode:
    """`|stateDuration(lambda: …)`."""
    return link(StateDurationNode(predicate), parent)


def state_count(parent: Node, predicate: ast.LambdaNode) -> StateCountNode:
    """`|stateCount(lambda: …)`."""
    return link(StateCountNode(predicate), parent)


def change_detect(parent: Node, *fields: str) -> ChangeDetectNode:
    """`|changeDetect('f')`."""
    return link(ChangeDetectNode(fields), parent)


def barrier(parent: Node) -> BarrierNode:
    """`|barrier()`."""
    return link(BarrierNode(), parent)


def shift(parent: Node, by: Duration) -> ShiftNode:
    """`|shift(5m)`."""
    return link(ShiftNode(by), parent)


def sample(parent: Node, rate: object) -> SampleNode:
    """`|sample(3)` or `|sample(10s)`."""
    if type(rate) not in (int, Duration):
        raise ScriptError("must pass int64 or duration to new sample node")
    assert isinstance(rate, int)
    return link(SampleNode(rate), parent)


def flatten(parent: Node) -> FlattenNode:
    """`|flatten()`."""
    return link(FlattenNode(), parent)


def trickle(parent: Node) -> TrickleNode:
    """`|trickle()`."""
    require(parent.provides is Edge.BATCH, "cannot Trickle stream edge")
    return link(TrickleNode(), parent, provides=Edge.STREAM)
