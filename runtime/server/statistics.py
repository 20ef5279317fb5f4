"""The server's own statistics: `/debug/vars` and `/metrics`."""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runtime.delivery import Backlog
from runtime.nodes.environment import ServerInfo
from runtime.server.inputs import Inputs
from runtime.services.alert.service import AlertService
from runtime.services.deliveries.statistics import (
    HandlerStatistics,
    delivery_statistics,
    delivery_variables,
)
from runtime.store.database import Store
from runtime.tasks.api.tasks import Tasks
from runtime.tasks.task import Traffic
from runtime.tasks.task_master import TaskMaster
from runtime.version import VERSION


class NodeNumbers(NamedTuple):
    """The counters of a running node."""

    task: str
    node: str
    type: str
    values: Mapping[str, int]


class TopicNumbers(NamedTuple):
    """A topic; its level counts from 0, which is OK."""

    topic: str
    level: int
    collected: int


class Snapshot(NamedTuple):
    """A snapshot of the statistics.

    Attributes:
        tasks: number of tasks.
        enabled: number of enabled tasks.
        executing: number of running tasks.
        ingress: received points, by database, retention policy and measurement.
        nodes: running nodes.
        topics: topics in memory.
        handlers: figures of deliveries by handler.
        store_bytes: size of the data in the database.
        stops: number of times that an error has stopped a task, by its id.
        subscriptions: number of subscriptions, by cluster of InfluxDB.
        udp: counters of UDP listeners, by address.
    """

    tasks: int
    enabled: int
    executing: int
    ingress: tuple[tuple[tuple[str, str, str], int], ...]
    nodes: tuple[NodeNumbers, ...]
    topics: tuple[TopicNumbers, ...]
    handlers: tuple[HandlerStatistics, ...]
    store_bytes: int
    stops: Mapping[str, int]
    subscriptions: Mapping[str, int]
    udp: Mapping[str, Mapping[str, int]]


class Statistics:
    """Reads statistics from any thread, while the compute thread works.

    Each number is correct by itself, but one may be slightly older than the next.
    """

    def __init__(
        self,
        info: ServerInfo,
        tasks: Tasks,
        master: TaskMaster,
        alerts: AlertService,
        backlog: Backlog,
        store: Store,
        inputs: Inputs,
    ) -> None:
        self.info = info
        self._tasks = tasks
        self._master = master
        self._alerts = alerts
        self._backlog = backlog
        self._store = store
        self._inputs = inputs

    def snapshot(self) -> Snapshot:
        """The current statistics."""
        tasks = self._tasks.records.all()
        return Snapshot(
            len(tasks),
            sum(task.enabled for task in tasks),
            len(self._master),
            tuple(self._master.ingress),
            tuple(self._nodes()),
            tuple(
                TopicNumbers(topic.id, int(topic.level), topic.collected)
                for topic in self._alerts.topics
            ),
            tuple(delivery_statistics(self._backlog)),
            self._store.used_bytes(),
            dict(self._tasks.stops),
            self._inputs.influxdb.subscriptions,
            dict(self._inputs.udp()),
        )

    def variables(self) -> dict[str, Any]:
        """The tree of `/debug/vars`."""
        now = self.snapshot()
        return {
            "cluster_id": self.info.cluster_id,
            "cmdline": sys.argv,
            "host": self.info.hostname,
            "kapacitor": {
                **dict(self._entries(now)),
                **delivery_variables(self._backlog),
            },
            "memstats": {"Sys": resident_bytes()},
            "num_enabled_tasks": now.enabled,
            "num_subscriptions": sum(now.subscriptions.values()),
            "num_tasks": now.tasks,
            "platform": "OSS",
            "product": "kapacitor",
            "server_id": self.info.server_id,
            "version": VERSION,
        }

    def _nodes(self) -> Iterator[NodeNumbers]:
        for task in self._master:
            record = self._tasks.records.get(task.id)
            kind = "stream" if record is None else record.type
            for node in task.nodes:
                yield NodeNumbers(task.id, node.name, kind, dict(node.stats()))

    def _edges(self) -> Iterator[tuple[str, Traffic]]:
        for task in self._master:
            for edge in task.edges():
                yield task.id, edge

    def _entries(self, now: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
        """Groups of statistics under arbitrary keys, as in Kapacitor."""
        common = {
            "cluster_id": self.info.cluster_id,
            "host": self.info.hostname,
            "server_id": self.info.server_id,
        }

        def entry(
            name: str, tags: Mapping[str, str], values: Mapping[str, float]
        ) -> tuple[str, dict[str, Any]]:
            key = ":".join((name, *tags.values()))
            tree = {
                "name": name,
                "tags": dict(sorted({**common, **tags}.items())),
                "values": dict(values),
            }
            return key, tree

        counts = {
            "num_enabled_tasks": now.enabled,
            "num_subscriptions": sum(now.subscriptions.values()),
            "num_tasks": now.tasks,
        }
        yield entry("kapacitor", {}, counts)
        yield entry("runtime", {}, process_numbers())
        yield entry("store", {}, {"bytes": now.store_bytes})
        for (database, policy, measurement), count in now.ingress:
            tags = {
                "task_master": "main",
                "database": database,
                "retention_policy": policy,
                "measurement": measurement,
            }
            yield entry("ingress", tags, {"points_received": count})
        for node in now.nodes:
            tags = {
                "task": node.task,
                "node": node.node,
                "type": node.type,
                "kind": node.node.rstrip("0123456789"),
            }
            yield entry("nodes", tags, node.values)
        for task, edge in self._edges():
            tags = {"task": task, "parent": edge.parent, "child": edge.child}
            # every point or batch that is sent is received at once
            counts = {"collected": edge.size, "emitted": edge.size}
            yield entry("edges", {**tags, "type": edge.type}, counts)
        for address, received in now.udp.items():
            yield entry("udp", {"bind": address}, received)
        for topic in now.topics:
            yield entry("topics", {"id": topic.topic}, {"collected": topic.collected})


def process_numbers() -> dict[str, float]:
    """Resources the process uses."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "resident_bytes": resident_bytes(),
        "threads": threading.active_count(),
    }


def resident_bytes() -> int:
    """The memory of the process; 0 if it is unknown."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
