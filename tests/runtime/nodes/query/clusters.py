"""A cluster whose answers a test chooses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.clusters import Clusters
from runtime.services.influxdb.series import Series, field_column


def series(
    name: str,
    tags: Mapping[str, str],
    rows: Sequence[Sequence[Any]],
    *,
    columns: Sequence[str] = ("v",),
    partial: bool = False,
) -> Series:
    """A series of rows of a time and a value for each column."""
    times = np.array([time for time, *_ in rows], dtype=np.int64)
    values = list(zip(*(row[1:] for row in rows), strict=True)) or [()] * len(columns)
    fields = {
        column: field_column(each) for column, each in zip(columns, values, strict=True)
    }
    return Series(name, tags, ("time", *columns), times, fields, partial, len(rows))


class FakeCluster:
    """Answers queries by a function.

    Attributes:
        statements: the received statements, in order.
        answer: returns the series, or an error to raise.
        hangs: True to never answer.
        open: number of queries that have not ended.
    """

    name = "fake"

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.answer: Callable[[str], Sequence[Series | Exception]] = lambda text: ()
        self.hangs = False
        self.open = 0

    async def query(self, statement: str) -> AsyncGenerator[Series, None]:
        """Answer a query."""
        self.statements.append(statement)
        self.open += 1
        try:
            while self.hangs:
                await asyncio.sleep(0.001)
            for each in self.answer(statement):
                if isinstance(each, Exception):
                    raise each
                yield each
        finally:
            self.open -= 1


def clusters(**named: FakeCluster) -> Clusters:
    """Clusters by name; the first is the default one."""
    each = {name: cast(Cluster, cluster) for name, cluster in named.items()}
    return Clusters(each, next(iter(named), ""))
