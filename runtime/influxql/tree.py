"""The syntax tree of a `SELECT` statement; `str` of a node is its InfluxQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from runtime.golang.numbers import plain
from runtime.influxql.spelling import (
    PRECEDENCE,
    identifier,
    quoted_string,
)
from runtime.units import Nanoseconds, influx_duration, rfc3339


@dataclass(frozen=True, slots=True)
class Variable:
    """A field, a tag or `time`; `kind` is a cast: `float`, `tag`, or "" without one."""

    name: str
    kind: str = ""

    def __str__(self) -> str:
        return identifier(self.name) + (f"::{self.kind}" if self.kind else "")


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*`; `kind` is `field`, `tag`, or "" for both."""

    kind: str = ""

    def __str__(self) -> str:
        return f"*::{self.kind}" if self.kind else "*"


@dataclass(frozen=True, slots=True)
class Integer:
    """An int64, or a uint64 beyond it."""

    value: int

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Number:
    """A float64."""

    value: float

    def __str__(self) -> str:
        # Kapacitor always rounds to three decimals, so that 0.0001 becomes 0
        rounded = f"{self.value:.3f}"
        exact = rounded if float(rounded) == self.value else plain(self.value)
        return exact if "." in exact else f"{exact}.0"


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration in nanoseconds."""

    value: Nanoseconds

    def __str__(self) -> str:
        return influx_duration(self.value)


@dataclass(frozen=True, slots=True)
class String:
    """A string literal."""

    value: str

    def __str__(self) -> str:
        return quoted_string(self.value)


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""

    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression; slashes in `pattern` are plain."""

    pattern: str

    def __str__(self) -> str:
        return "/" + self.pattern.replace("/", r"\/") + "/"


@dataclass(frozen=True, slots=True)
class Distinct:
    """`DISTINCT name`, without parentheses."""

    name: str

    def __str__(self) -> str:
        return f"DISTINCT {identifier(self.name)}"


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; the name is in lower case."""

    name: str
    arguments: tuple[Expression, ...] = ()

    def __str__(self) -> str:
        # `distinct` is the one keyword that may be called
        name = self.name if self.name == "distinct" else identifier(self.name)
        return f"{name}({_listed(self.arguments)})"


@dataclass(frozen=True, slots=True)
class Paren:
    """An expression in parentheses."""

    inner: Expression

    def __str__(self) -> str:
        return f"({self.inner})"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and their operator, as `spelling.PRECEDENCE` spells it."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        # without recursion: long conditions are nested deeply on the left
        parts: list[str] = []
        node: Expression = self
        while isinstance(node, Binary):
            parts.append(f" {node.operator} {node.right}")
            node = node.left
        parts.append(str(node))
        return "".join(reversed(parts))


Expression: TypeAlias = (
    Variable
    | Wildcard
    | Integer
    | Number
    | Duration
    | String
    | Boolean
    | Regex
    | Distinct
    | Call
    | Paren
    | Binary
)


@dataclass(frozen=True, slots=True)
class Field:
    """A selected expression with its alias."""

    expression: Expression
    alias: str = ""

    def __str__(self) -> str:
        alias = f" AS {identifier(self.alias)}" if self.alias else ""
        return f"{self.expression}{alias}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A source or a target: a name or regular expression, database, retention policy."""

    name: str = ""
    database: str = ""
    retention_policy: str = ""
    regex: Regex | None = None

    def __str__(self) -> str:
        return self._place() + (str(self.regex) if self.regex else self._named())

    def as_target(self) -> str:
        """The measurement after `INTO`; `:MEASUREMENT` is the name of each source."""
        place = self._place()
        return f"{place}{self._named() if self.name or not place else ':MEASUREMENT'}"

    def _place(self) -> str:
        database = f"{identifier(self.database)}." if self.database else ""
        policy = identifier(self.retention_policy) if self.retention_policy else ""
        return f"{database}{policy}." if database or policy else ""

    def _named(self) -> str:
        return identifier(self.name)


@dataclass(frozen=True, slots=True)
class Subquery:
    """A statement as a source."""

    select: Select

    def __str__(self) -> str:
        return f"({self.select})"


class TimeDimension(NamedTuple):
    """`time(length, offset)` of a `GROUP BY`, in nanoseconds."""

    length: Nanoseconds
    offset: Nanoseconds = 0

    def aligned(self, start: Nanoseconds) -> TimeDimension:
        """The dimension whose groups begin at `start`: `alignGroup` of a query node."""
        # with the sign of `start`, as in Go
        rest = abs(start) % self.length if self.length else 0
        return self._replace(offset=rest if start >= 0 else -rest)


Dimension: TypeAlias = str | TimeDimension | Wildcard


@dataclass(frozen=True, slots=True)
class Select:
    """A statement.

    Attributes:
        target: the measurement after `INTO`.
        dimensions: expressions after `GROUP BY`.
        fill: the argument of `fill()`: `none`, `linear`, `previous`, a number, or None
            for `null`, the default.
        ascending: the direction of `ORDER BY`, or None without one.
        sort_field: `time`, or "" where only a direction was written.
        limit: number of points of each series, 0 for all.
        series_limit: number of series, 0 for all.
        zone: the argument of `tz()`.
    """

    fields: tuple[Field, ...]
    sources: tuple[Measurement | Subquery, ...]
    target: Measurement | None = None
    condition: Expression | None = None
    dimensions: tuple[Expression, ...] = ()
    fill: str | int | float | None = None
    ascending: bool | None = None
    sort_field: str = ""
    limit: int = 0
    offset: int = 0
    series_limit: int = 0
    series_offset: int = 0
    zone: str = ""

    def __str__(self) -> str:
        return " ".join(self._clauses())

    def _clauses(self) -> Iterator[str]:
        yield f"SELECT {_listed(self.fields)}"
        if self.target is not None:
            yield f"INTO {self.target.as_target()}"
        yield f"FROM {_listed(self.sources)}"
        if self.condition is not None:
            yield "WHERE"
            yield str(self.condition)
        if self.dimensions:
            yield f"GROUP BY {_listed(self.dimensions)}"
        if self.fill is not None:
            yield f"fill({_filling(self.fill)})"
        if self.ascending is not None:
            direction = "ASC" if self.ascending else "DESC"
            yield " ".join(filter(None, ("ORDER BY", self.sort_field, direction)))
        for word, count in (
            ("LIMIT", self.limit),
            ("OFFSET", self.offset),
            ("SLIMIT", self.series_limit),
            ("SOFFSET", self.series_offset),
        ):
            if count:
                yield f"{word} {count}"
        if self.zone:
            yield f"TZ({quoted_string(self.zone)})"

    def with_times(self, start: Nanoseconds, stop: Nanoseconds) -> Select:
        """Add the condition that points are from `start` on and before `stop`."""
        bounds = (
            Binary(">=", Variable("time"), String(rfc3339(start))),
            Binary("<", Variable("time"), String(rfc3339(stop))),
        )
        condition = self.condition
        if condition is not None and _binds_loosely(condition):
            # Kapacitor adds no brackets: its bounds of `a OR b` apply to `b` alone
            condition = Paren(condition)
        for bound in bounds:
            condition = bound if condition is None else Binary("AND", condition, bound)
        return dataclasses.replace(self, condition=condition)

    def with_group_by(self, dimensions: Iterable[Dimension]) -> Select:
        """The statement grouped by `dimensions` only: names of tags, `time()`, `*`.

        Raises:
            ValueError: there is more than one `time()`; the text is Kapacitor's.
        """
        made = tuple(map(_dimension, dimensions))
        if sum(isinstance(dimension, Call) for dimension in made) > 1:
            raise ValueError("groupBy cannot have more than one time dimension")
        return dataclasses.replace(self, dimensions=made)

    def with_fill(self, fill: str | int | float) -> Select:
        """The statement with `fill(…)`: `null`, `none`, `previous`, `linear`, a number.

        Raises:
            ValueError: `fill` is another word; the text is Kapacitor's.
        """
        if isinstance(fill, str) and fill not in FILLS:
            raise ValueError(f"unexpected fill option {fill}")
        return dataclasses.replace(self, fill=None if fill == "null" else fill)

    def measurements(self) -> Iterator[Measurement]:
        """All measurements that are read, those of subqueries included."""
        for source in self.sources:
            if isinstance(source, Subquery):
                yield from source.select.measurements()
            else:
                yield source


FILLS = ("null", "none", "previous", "linear")


def _listed(nodes: Sequence[object]) -> str:
    return ", ".join(map(str, nodes))


def _filling(fill: str | int | float) -> str:
    # as short as Kapacitor's, if the number is still the same when read back
    if isinstance(fill, float) and abs(fill) < 2**53:
        return plain(fill)
    return str(Number(fill)) if isinstance(fill, float) else str(fill)


def _binds_loosely(condition: Expression) -> bool:
    return (
        isinstance(condition, Binary)
        and PRECEDENCE[condition.operator] < PRECEDENCE["AND"]
    )


def _dimension(dimension: Dimension) -> Expression:
    if isinstance(dimension, TimeDimension):
        return Call("time", tuple(map(Duration, dimension)))
    return Variable(dimension) if isinstance(dimension, str) else dimension
