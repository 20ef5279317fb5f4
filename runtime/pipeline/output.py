"""Nodes that show data or send it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from runtime.pipeline.node import Node, link, require
from runtime.pipeline.properties import TEN_SECONDS, ZERO, internal, property_method
from runtime.units import Duration


@dataclass(eq=False, slots=True)
class LogNode(Node):
    """`|log()`: writes points and batches to the log.

    Attributes:
        level: log level: INFO, ERROR, DEBUG.
        prefix: prefix of every entry.
    """

    call: ClassVar[str] = "log"

    level: str = "INFO"
    prefix: str = ""


@dataclass(eq=False, slots=True)
class HTTPOutNode(Node):
    """`|httpOut()`: shows the newest point or batch of each group over HTTP."""

    call: ClassVar[str] = "httpOut"

    endpoint: str = internal("")

    @property
    def kind(self) -> str:
        """The name with underscores; the call has none."""
        return "http_out"


@dataclass(eq=False, slots=True)
class HTTPPostNode(Node):
    """`|httpPost()`: posts points and batches.

    Attributes:
        urls: URL to post to; at most one.
        endpoints: name of a configured endpoint, instead of a URL; at most one.
        headers: headers of the request.
        capture_response: log the response of the endpoint if the request fails.
        code_field: name of the field for the response's status.
        timeout: time limit of a request; 0 for none.
    """

    call: ClassVar[str] = "httpPost"

    urls: tuple[str, ...] = internal(())
    endpoints: tuple[str, ...] = internal(())
    headers: dict[str, str] = field(default_factory=dict, metadata={"tick": "header"})
    capture_response: bool = False
    code_field: str = ""
    timeout: Duration = ZERO

    @property
    def kind(self) -> str:
        """The name with underscores; the call has none."""
        return "http_post"

    @property_method("endpoint")
    def add_endpoint(self, name: str) -> None:
        """Post to a configured endpoint."""
        self.endpoints = (*self.endpoints, name)

    def validate(self) -> None:
        """Check that there is exactly one target."""
        require(
            len(self.urls) <= 1,
            f"httpPost expects 0 or 1 arguments, got {len(self.urls)}",
        )
        require(
            len(self.endpoints) <= 1,
            f"httpPost expects 0 or 1 endpoints, got {len(self.endpoints)}",
        )
        require(bool(self.urls or self.endpoints), "must provide url or endpoint")
        require(
            not (self.urls and self.endpoints),
            "only one endpoint and url may be specified",
        )
        check_headers(list(self.headers))


@dataclass(eq=False, slots=True)
class InfluxDBOutNode(Node):
    """`|influxDBOut()`: writes to InfluxDB.

    Attributes:
        cluster: name of a configured cluster; "" for the default one.
        database: database; "" for that of the points.
        retention_policy: retention policy; "" for that of the points.
        measurement: measurement; "" for that of the points.
        write_consistency: servers that must confirm: `any`, `one`, `quorum`, `all`.
        precision: unit of the written times; "" for ns.
        buffer: number of points that are written at once.
        flush_interval: maximum time that points wait for further ones.
        tags: tags of every point.
        create: create the database when the task starts.
    """

    call: ClassVar[str] = "influxDBOut"
    is_sink: ClassVar[bool] = True

    cluster: str = ""
    database: str = ""
    retention_policy: str = ""
    measurement: str = ""
    write_consistency: str = ""
    precision: str = ""
    buffer: int = 1000
    flush_interval: Duration = TEN_SECONDS
    tags: dict[str, str] = field(default_factory=dict, metadata={"tick": "tag"})
    create: bool = False

    @property
    def kind(self) -> str:
        """The name with underscores; the call has none."""
        return "influxdb_out"


@dataclass(eq=False, slots=True)
class KapacitorLoopbackNode(Node):
    """`|kapacitorLoopback()`: writes points back into this server."""

    call: ClassVar[str] = "kapacitorLoopback"
    is_sink: ClassVar[bool] = True

    database: str = ""
    retention_policy: str = ""
    measurement: str = ""
    tags: dict[str, str] = field(default_factory=dict, metadata={"tick": "tag"})

    @property
    def kind(self) -> str:
        """The name with underscores; the call has none."""
        return "kapacitor_loopback"

    def validate(self) -> None:
        """Check that there is a target."""
        require(self.database != "", "must specify a database")
        require(self.retention_policy != "", "must specify a retention policy")


def check_headers(names: Sequence[str]) -> None:
    """Check the headers of a request.

    Raises:
        ScriptError: a script cannot set one of them.
    """
    for name in names:
        require(name.lower() != "authenticate", "cannot set 'authenticate' header")


def log(parent: Node) -> LogNode:
    """`|log()`."""
    return link(LogNode(), parent)


def http_out(parent: Node, endpoint: str) -> HTTPOutNode:
    """`|httpOut('name')`."""
    return link(HTTPOutNode(endpoint), parent)


def http_post(parent: Node, *urls: str) -> HTTPPostNode:
    """`|httpPost('http://…')`."""
    return link(HTTPPostNode(urls), parent)


def influx_db_out(parent: Node) -> InfluxDBOutNode:
    """`|influxDBOut()`."""
    return link(InfluxDBOutNode(), parent)


def kapacitor_loopback(parent: Node) -> KapacitorLoopbackNode:
    """`|kapacitorLoopback()`."""
    return link(KapacitorLoopbackNode(), parent)
