"""The server's metrics in the format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from runtime.nodes.environment import ServerInfo
from runtime.server.statistics import Snapshot
from runtime.version import PRODUCT, PRODUCT_VERSION, VERSION

_COUNTED = {
    "collected": "Points or batches received by a node.",
    "emitted": "Points or batches emitted by a node, summed over its children.",
    "errors": "Errors in a node.",
}
_OUT = {"points_written": "written"}
_OUTCOMES = (
    "delivered",
    "retried",
    "dead",
    "cancelled",
    "discarded",
    "dropped",
)


def exposition(info: ServerInfo, now: Snapshot, accept: str) -> tuple[bytes, str]:
    """The response for a scraper, and its content type.

    Args:
        info: identity and versions of the server.
        now: current figures.
        accept: `Accept` header of the request, which selects the format.
    """
    encoder, content_type = choose_encoder(accept)
    server = _Server(info, now)
    registry = CollectorRegistry()
    registry.register(_Fixed([server.identity(), server.product()]))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    parts = [table.encoded(encoder) for table in server.tables()]
    # last, as its output may contain the end mark
    return b"".join((*parts, encoder(registry))), content_type


class _Fixed(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """The families."""
        return self._families


class _Table:
    """A family with labels and up to tens of thousands of samples.

    For each sample the library's own encoder would take some 20 µs.
    """

    def __init__(
        self,
        family: type[CounterMetricFamily | GaugeMetricFamily],
        name: str,
        documentation: str,
        labels: Sequence[str],
    ) -> None:
        self._family = family(name, documentation, labels=labels)
        is_counter = family is CounterMetricFamily
        # in the order of their names, as the library has them
        self._order = sorted(range(len(labels)), key=labels.__getitem__)
        shown = ",".join(f'{labels[each]}="%s"' for each in self._order)
        self._line = f"{name}{'_total' * is_counter}{{{shown}}} %s\n"
        self._lines: list[str] = []

    def add_metric(self, values: Sequence[str], number: float) -> None:
        """Add a sample with the values of its labels, in order."""
        shown = [_escaped(values[each]) for each in self._order]
        self._lines.append(self._line % (*shown, _number(number)))

    def encoded(self, encoder: Callable[[Collector], bytes]) -> bytes:
        """The encoded family, without the end mark."""
        head = encoder(_Fixed([self._family])).removesuffix(b"# EOF\n")
        return head + "".join(self._lines).encode()


def _counter(name: str, documentation: str, labels: Sequence[str]) -> _Table:
    return _Table(CounterMetricFamily, name, documentation, labels)


def _gauge(name: str, documentation: str, labels: Sequence[str]) -> _Table:
    return _Table(GaugeMetricFamily, name, documentation, labels)


def _number(value: float) -> str:
    if isinstance(value, int) and 0 <= value < 1_000_000:
        return f"{value}.0"
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return text


def _escaped(value: str) -> str:
    if value.isalnum():
        return value
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


class _Server:
    def __init__(self, info: ServerInfo, now: Snapshot) -> None:
        self._info = info
        self._now = now

    def tables(self) -> Iterator[_Table]:
        """All metrics except those of the process."""
        yield self._tasks()
        yield self._stops()
        yield self._points()
        yield from self._nodes()
        yield from self._points_out()
        yield from self._topics()
        yield from self._deliveries()
        if self._now.subscriptions:
            yield self._subscriptions()
        if self._now.udp:
            yield self._udp()
        bytes = _gauge(
            "kapacitor_store_bytes", "Size of the database content in bytes.", ()
        )
        bytes.add_metric((), self._now.store_bytes)
        yield bytes

    def product(self) -> Metric:
        """Version of this program."""
        value = {"name": PRODUCT, "version": PRODUCT_VERSION}
        return InfoMetricFamily(
            "kapacitor_product", "Version of this program.", value=value
        )

    def identity(self) -> Metric:
        """Identity of the server."""
        value = {
            "version": VERSION,
            "cluster_id": self._info.cluster_id,
            "server_id": self._info.server_id,
            "host": self._info.hostname,
        }
        return InfoMetricFamily("kapacitor", "Identity of the server.", value=value)

    def _tasks(self) -> _Table:
        family = _gauge(
            "kapacitor_tasks", "Number of tasks by state.", labels=["state"]
        )
        family.add_metric(["defined"], self._now.tasks)
        family.add_metric(["enabled"], self._now.enabled)
        family.add_metric(["executing"], self._now.executing)
        return family

    def _stops(self) -> _Table:
        family = _counter(
            "kapacitor_task_stops", "Errors that stopped a task.", labels=["task"]
        )
        for task, count in self._now.stops.items():
            family.add_metric([task], count)
        return family

    def _points(self) -> _Table:
        family = _counter(
            "kapacitor_points_received",
            "Points received in writes of clients.",
            labels=["database", "retention_policy", "measurement"],
        )
        for destination, count in self._now.ingress:
            family.add_metric(destination, count)
        return family

    def _nodes(self) -> Iterator[_Table]:
        labels = ["task", "node"]
        for name in _COUNTED:
            counter = _counter(f"kapacitor_node_{name}", _COUNTED[name], labels=labels)
            for node in self._now.nodes:
                counter.add_metric(node[:2], node.values[name])
            yield counter
        groups = _gauge(
            "kapacitor_node_groups",
            "Groups for which a node keeps state.",
            labels=labels,
        )
        times = _gauge(
            "kapacitor_node_average_seconds",
            "Average time that a node takes per point.",
            labels=labels,
        )
        for node in self._now.nodes:
            groups.add_metric(node[:2], node.values["working_cardinality"])
            times.add_metric(node[:2], node.values["avg_exec_time_ns"] / 1e9)
        yield groups
        yield times

    def _points_out(self) -> Iterator[_Table]:
        labels = ["task", "node"]
        outcomes = _counter(
            "kapacitor_points_out",
            "Points of influxDBOut nodes, written or lost for a reason.",
            labels=[*labels, "outcome"],
        )
        waiting = _gauge(
            "kapacitor_points_out_waiting",
            "Points of influxDBOut nodes that wait to be written.",
            labels=labels,
        )
        for node in self._now.nodes:
            if "points_waiting" not in node.values:
                continue
            waiting.add_metric(node[:2], node.values["points_waiting"])
            for name, count in sorted(node.values.items()):
                outcome = _OUT.get(name, name.removeprefix("points_lost_"))
                if outcome != name:
                    outcomes.add_metric([*node[:2], outcome], count)
        yield outcomes
        yield waiting

    def _subscriptions(self) -> _Table:
        family = _gauge(
            "kapacitor_subscriptions",
            "Subscriptions of a cluster of InfluxDB to this server.",
            labels=["cluster"],
        )
        for cluster, count in self._now.subscriptions.items():
            family.add_metric([cluster], count)
        return family

    def _udp(self) -> _Table:
        family = _counter(
            "kapacitor_udp",
            "Points, bytes and lost packets of UDP listeners.",
            labels=["address", "count"],
        )
        for address, counts in self._now.udp.items():
            for name, count in counts.items():
                family.add_metric([address, name], count)
        return family

    def _topics(self) -> Iterator[_Table]:
        collected = _counter(
            "kapacitor_topic_events", "Events collected by a topic.", labels=["topic"]
        )
        level = _gauge(
            "kapacitor_topic_level",
            "Highest level among the events of a topic: 0 OK, 1 INFO, 2 WARNING, 3 CRITICAL.",
            labels=["topic"],
        )
        for topic in self._now.topics:
            collected.add_metric([topic.topic], topic.collected)
            level.add_metric([topic.topic], topic.level)
        yield collected
        yield level

    def _deliveries(self) -> Iterator[_Table]:
        labels = ["topic", "handler", "task"]
        outcomes = _counter(
            "kapacitor_deliveries",
            "Deliveries to handlers by outcome.",
            labels=[*labels, "outcome"],
        )
        failures = _counter(
            "kapacitor_delivery_failures",
            "Failed delivery attempts by reason.",
            labels=[*labels, "reason"],
        )
        pending = _gauge(
            "kapacitor_deliveries_pending", "Pending deliveries.", labels=labels
        )
        oldest = _gauge(
            "kapacitor_deliveries_oldest_seconds",
            "Age of the oldest pending delivery.",
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
