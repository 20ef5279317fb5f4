"""The server's numbers in the format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from runtime.nodes.environment import ServerInfo
from runtime.server.statistics import Snapshot
from runtime.version import VERSION

_COUNTED = {
    "collected": "Points that came to a node.",
    "emitted": "Points that a node gave on.",
    "errors": "Errors of a node.",
}
_OUTCOMES = (
    "delivered",
    "retried",
    "dead",
    "cancelled",
    "discarded",
    "summarized",
    "dropped",
)


def exposition(info: ServerInfo, now: Snapshot, accept: str) -> tuple[bytes, str]:
    """The text for a scraper and its content type.

    Args:
        info: who the server is.
        now: its numbers.
        accept: the header of the request: which formats are understood.
    """
    encoder, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(_Server(info, now))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return encoder(registry), content_type


class _Server(Collector):
    def __init__(self, info: ServerInfo, now: Snapshot) -> None:
        self._info = info
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """All numbers but the process's."""
        yield self._server()
        yield self._tasks()
        yield self._stops()
        yield self._points()
        yield from self._nodes()
        yield from self._topics()
        yield from self._deliveries()
        yield GaugeMetricFamily(
            "kapacitor_store_bytes",
            "What the database holds.",
            value=self._now.store_bytes,
        )

    def _server(self) -> Metric:
        value = {
            "version": VERSION,
            "cluster_id": self._info.cluster_id,
            "server_id": self._info.server_id,
            "host": self._info.hostname,
        }
        return InfoMetricFamily("kapacitor", "Which server this is.", value=value)

    def _tasks(self) -> Metric:
        family = GaugeMetricFamily(
            "kapacitor_tasks", "Tasks by what they are.", labels=["state"]
        )
        family.add_metric(["defined"], self._now.tasks)
        family.add_metric(["enabled"], self._now.enabled)
        family.add_metric(["executing"], self._now.executing)
        return family

    def _stops(self) -> Metric:
        family = CounterMetricFamily(
            "kapacitor_task_stops", "Errors that stopped a task.", labels=["task"]
        )
        for task, count in self._now.stops.items():
            family.add_metric([task], count)
        return family

    def _points(self) -> Metric:
        family = CounterMetricFamily(
            "kapacitor_points_received",
            "Points that clients wrote.",
            labels=["database", "retention_policy", "measurement"],
        )
        for place, count in self._now.ingress:
            family.add_metric(place, count)
        return family

    def _nodes(self) -> Iterator[Metric]:
        labels = ["task", "node"]
        for name in _COUNTED:
            counter = CounterMetricFamily(
                f"kapacitor_node_{name}", _COUNTED[name], labels=labels
            )
            for node in self._now.nodes:
                counter.add_metric(node[:2], node.values[name])
            yield counter
        groups = GaugeMetricFamily(
            "kapacitor_node_groups", "Groups a node holds state of.", labels=labels
        )
        times = GaugeMetricFamily(
            "kapacitor_node_average_seconds",
            "How long a node takes for a point on average.",
            labels=labels,
        )
        for node in self._now.nodes:
            groups.add_metric(node[:2], node.values["working_cardinality"])
            times.add_metric(node[:2], node.values["avg_exec_time_ns"] / 1e9)
        yield groups
        yield times

    def _topics(self) -> Iterator[Metric]:
        collected = CounterMetricFamily(
            "kapacitor_topic_events", "Events a topic collected.", labels=["topic"]
        )
        level = GaugeMetricFamily(
            "kapacitor_topic_level",
            "The worst level of a topic's events: 0 OK, 1 INFO, 2 WARNING, 3 CRITICAL.",
            labels=["topic"],
        )
        for topic in self._now.topics:
            collected.add_metric([topic.topic], topic.collected)
            level.add_metric([topic.topic], topic.level)
        yield collected
        yield level

    def _deliveries(self) -> Iterator[Metric]:
        labels = ["topic", "handler", "task"]
        outcomes = CounterMetricFamily(
            "kapacitor_deliveries",
            "What became of events on their way to handlers.",
            labels=[*labels, "outcome"],
        )
        failures = CounterMetricFamily(
            "kapacitor_delivery_failures",
            "Attempts that failed.",
            labels=[*labels, "reason"],
        )
        pending = GaugeMetricFamily(
            "kapacitor_deliveries_pending", "Events that wait.", labels=labels
        )
        oldest = GaugeMetricFamily(
            "kapacitor_deliveries_oldest_seconds",
            "How long the oldest event that waits has done so.",
            labels=labels,
        )
        for each in self._now.handlers:
            place = [each.topic, each.handler, each.task]
            for outcome in _OUTCOMES:
                outcomes.add_metric([*place, outcome], each.values.get(outcome, 0))
            for reason, count in sorted(each.reasons.items()):
                failures.add_metric([*place, reason], count)
            pending.add_metric(place, each.values.get("pending", 0))
            oldest.add_metric(place, each.values.get("oldest_age_s", 0))
        yield outcomes
        yield failures
        yield pending
        yield oldest
