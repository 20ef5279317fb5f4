"""InfluxQL's functions as nodes: `|mean('f')`, `|top(3, 'f')`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runtime.pipeline.node import Edge, Node, link
from runtime.pipeline.properties import internal
from runtime.settings import setting
from runtime.units import Duration


@dataclass(eq=False, slots=True)
class InfluxQLNode(Node):
    """A function over the values of one field.

    Attributes:
        method: the function, `mean`.
        field: the field.
        arguments: further arguments of the call, in order.
        as_name: the result's name.
        use_point_times: results of selectors have the time of the selected point.
    """

    method: str = internal("")
    field: str = internal("")
    arguments: tuple[object, ...] = internal(())
    as_name: str = setting("", tick="as")
    use_point_times: bool = False

    @property
    def kind(self) -> str:
        """The function's name."""
        return self.method


def _function(
    parent: Node, method: str, provides: Edge | None, field: str, *arguments: object
) -> InfluxQLNode:
    node = InfluxQLNode(method, field, arguments, as_name=method)
    return link(node, parent, provides=provides)


def _of_field(method: str, provides: Edge | None) -> Callable[[Node, str], Node]:
    """A function whose only argument is the field."""

    def call(parent: Node, field: str) -> InfluxQLNode:
        return _function(parent, method, provides, field)

    return call


def holt_winters(
    parent: Node, field: str, count: int, season: int, interval: Duration
) -> InfluxQLNode:
    """`|holtWinters('f', 10, 4, 1m)`, and `|holtWintersWithFit()`, named alike."""
    arguments = (count, season, interval)
    return _function(parent, "holtWinters", Edge.BATCH, field, *arguments)


def _ranking(method: str) -> Callable[..., Node]:
    def call(parent: Node, count: int, field: str, *names: str) -> InfluxQLNode:
        return _function(parent, method, Edge.BATCH, field, count, *names)

    return call


def percentile(parent: Node, field: str, percentile: float) -> InfluxQLNode:
    """`|percentile('f', 90.0)`."""
    return _function(parent, "percentile", Edge.STREAM, field, percentile)


def elapsed(parent: Node, field: str, unit: Duration) -> InfluxQLNode:
    """`|elapsed('f', 1s)`."""
    return _function(parent, "elapsed", None, field, unit)


def moving_average(parent: Node, field: str, window: int) -> InfluxQLNode:
    """`|movingAverage('f', 10)`."""
    return _function(parent, "movingAverage", None, field, window)


# A function without an edge of its own emits the kind of data that it receives.
FUNCTIONS: dict[str, Callable[..., Node]] = {
    "count": _of_field("count", Edge.STREAM),
    "distinct": _of_field("distinct", Edge.BATCH),
    "mean": _of_field("mean", Edge.STREAM),
    "median": _of_field("median", Edge.STREAM),
    "mode": _of_field("mode", Edge.STREAM),
    "spread": _of_field("spread", Edge.STREAM),
    "sum": _of_field("sum", Edge.STREAM),
    "first": _of_field("first", Edge.STREAM),
    "last": _of_field("last", Edge.STREAM),
    "min": _of_field("min", Edge.STREAM),
    "max": _of_field("max", Edge.STREAM),
    "stddev": _of_field("stddev", Edge.STREAM),
    "percentile": percentile,
    "top": _ranking("top"),
    "bottom": _ranking("bottom"),
    "difference": _of_field("difference", None),
    "cumulativeSum": _of_field("cumulativeSum", None),
    "elapsed": elapsed,
    "movingAverage": moving_average,
    "holtWinters": holt_winters,
    "holtWintersWithFit": holt_winters,
}
