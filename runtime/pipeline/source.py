"""Sources of data: streams, queries, statistics of other nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from runtime.errors import ScriptError
from runtime.pipeline.node import Edge, Node, Pipeline, link, require
from runtime.pipeline.properties import (
    INTERNAL,
    ZERO,
    go_type,
    internal,
    property_method,
)
from runtime.tick import ast
from runtime.units import Duration

Dimension = object  # a tag's name, `ast.StarNode`, or `time(…)` in a query


@dataclass(eq=False, slots=True)
class StreamNode(Node):
    """`stream`: every point written to the task's databases."""

    call: ClassVar[str] = "stream"


@dataclass(eq=False, slots=True)
class BatchNode(Node):
    """`batch`: the results of queries."""

    call: ClassVar[str] = "batch"


@dataclass(eq=False, slots=True)
class FromNode(Node):
    """`|from()`: selects points of a stream.

    Attributes:
        database: database of the points; "" for any.
        retention_policy: their retention policy; "" for any.
        measurement: their measurement; "" for any.
        where: predicates; all must hold.
        dimensions: names of tags, or one `*`.
        group_by_measurement: the measurement is part of the group.
        truncate: times are floored to multiples of it; 0 leaves them unchanged.
        round: times are rounded to multiples of it; 0 leaves them unchanged.
    """

    call: ClassVar[str] = "from"

    database: str = ""
    retention_policy: str = ""
    measurement: str = ""
    where: tuple[ast.LambdaNode, ...] = internal(())
    dimensions: tuple[Dimension, ...] = internal(())
    group_by_measurement: bool = False
    truncate: Duration = ZERO
    round: Duration = ZERO

    @property_method("where")
    def add_where(self, predicate: ast.LambdaNode) -> None:
        """Keep only points for which `predicate` and all earlier ones hold."""
        self.where = (*self.where, predicate)

    @property_method("groupBy")
    def set_dimensions(self, *tags: object) -> None:
        """Group by these tags."""
        self.dimensions = tags

    def validate(self) -> None:
        """Check the dimensions."""
        check_dimensions(self.dimensions)


@dataclass(eq=False, slots=True)
class QueryNode(Node):
    """`|query()`: runs an InfluxQL query periodically.

    Attributes:
        query: InfluxQL without time bounds.
        period: time range of the query.
        every: interval of the query; 0 if `cron` is set.
        cron: schedule of the query, instead of an interval.
        align: times are multiples of `every`.
        offset: time between the end of the period and now.
        dimensions: names of tags, one `*`, `time(…)`.
        align_group: groups by time start at the period's start.
        group_by_measurement: the measurement is part of the group.
        fill: value for empty intervals: a word or a number.
        cluster: name of the InfluxDB cluster.
    """

    call: ClassVar[str] = "query"

    query: str = internal("")
    period: Duration = ZERO
    every: Duration = ZERO
    cron: str = ""
    align: bool = False
    offset: Duration = ZERO
    dimensions: tuple[Dimension, ...] = internal(())
    align_group: bool = False
    group_by_measurement: bool = False
    fill: object = None
    cluster: str = ""

    @property_method("groupBy")
    def set_dimensions(self, *tags: object) -> None:
        """Group by these tags and times."""
        self.dimensions = tags


@dataclass(eq=False, slots=True)
class QueryFluxNode(Node):
    """`|queryFlux()`: accepted, but not run."""

    call: ClassVar[str] = "queryFlux"
    unsupported: ClassVar[str] = (
        "Flux queries are not supported by this server: use |query() with InfluxQL"
    )

    query: str = internal("")
    period: Duration = ZERO
    every: Duration = ZERO
    cron: str = ""
    align: bool = False
    offset: Duration = ZERO
    cluster: str = ""
    org: str = ""
    org_id: str = field(default="", metadata={"tick": "orgID"})


@dataclass(eq=False, slots=True)
class StatsNode(Node):
    """`|stats()`: the number of points that another node has emitted.

    Attributes:
        interval: interval of the statistics.
        align: times are multiples of the interval.
        source: node of the statistics; not a parent, as no data comes from it.
    """

    call: ClassVar[str] = "stats"

    interval: Duration = field(default=ZERO, metadata=INTERNAL)
    align: bool = False
    source: Node | None = field(default=None, repr=False, metadata=INTERNAL)


@dataclass(eq=False, slots=True)
class NoOpNode(Node):
    """Receives the output of a node without children, so that it can be counted."""

    call: ClassVar[str] = "noop"


def from_(parent: Node) -> FromNode:
    """`|from()`."""
    return link(FromNode(), parent)


def query(parent: Node, text: str) -> QueryNode:
    """`|query('SELECT …')`."""
    return link(QueryNode(text), parent)


def query_flux(parent: Node, text: str) -> QueryFluxNode:
    """`|queryFlux('…')`."""
    return link(QueryFluxNode(text), parent)


def stats(parent: Node, interval: Duration) -> StatsNode:
    """`|stats(10s)`."""
    node = StatsNode(interval, source=parent)
    owner = parent.pipeline
    if owner is not None:
        owner.add(node)
    if not parent.children:
        link(NoOpNode(), parent)
    return node


def check_dimensions(
    dimensions: Sequence[Dimension], excluded: Sequence[str] = ()
) -> None:
    """Check the dimensions of a node.

    Raises:
        ScriptError: a dimension is not a name, or `*` and names are mixed.
    """
    star = False
    for dimension in dimensions:
        if isinstance(dimension, ast.StarNode):
            star = True
        elif not isinstance(dimension, str):
            raise ScriptError(f"invalid dimension object of type {go_type(dimension)}")
        else:
            require(dimension != "", "dimensions cannot not be the empty string")
    require(
        not star or len(dimensions) == 1,
        "cannot group by both '*' and named dimensions.",
    )
    require(star or not excluded, "exclude requires '*'")


def new_pipeline(edge: Edge) -> Pipeline:
    """A pipeline with its source only."""
    pipeline = Pipeline()
    source: Node = StreamNode() if edge is Edge.STREAM else BatchNode()
    source.provides = edge
    pipeline.add(source)
    return pipeline
