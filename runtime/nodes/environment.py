"""The environment of a running task."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from runtime.alert.inhibition import Inhibitors
from runtime.alert.types import Event, EventState, Level
from runtime.frames import Point
from runtime.integration import NO_SERVICES, HandlerServices
from runtime.nodes.budget import Budget
from runtime.nodes.http_out_results import HTTPOutputs
from runtime.nodes.post_queue import PostQueues, Step
from runtime.nodes.query_loops import QueryLoops
from runtime.nodes.timers import Timers
from runtime.outbound.dialing import Dialer
from runtime.services.alert.subscriptions import Subscription
from runtime.services.influxdb.clusters import NO_CLUSTERS, Clusters
from runtime.services.sideload.sources import Sources
from runtime.units import Clock


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The server's identity in templates.

    Attributes:
        hostname: the configured host name.
        cluster_id: a UUID of the cluster that survives restarts.
        server_id: a UUID of this server that survives restarts.
    """

    hostname: str = "localhost"
    cluster_id: str = ""
    server_id: str = ""


class EventTopics(Protocol):
    """The interface of topics to alert nodes."""

    @property
    def inhibitors(self) -> Inhibitors:
        """The inhibitors of all tasks."""

    def collect(self, event: Event) -> None:
        """Record an event in its topic, and notify the topic's handlers."""

    def event_state(self, topic: str, event_id: str) -> EventState | None:
        """The last state of an event id on a topic."""

    def level(self, topic: str) -> Level:
        """The highest level of a topic's events; OK for an unknown topic."""

    def update_event(self, topic: str, state: EventState) -> None:
        """Record a state without notifying handlers."""

    def open_anonymous_topic(
        self, topic: str, handlers: Mapping[str, Subscription], *, task: str
    ) -> None:
        """Open a topic that a node owns, with its stored events.

        Args:
            topic: its id.
            handlers: handlers by a name that stays the same after a restart.
            task: the node's task.
        """

    def close_topic(self, topic: str) -> None:
        """Close a topic that a node owns; its state is kept."""


@dataclass(slots=True)
class Environment:
    """The parts of the server that a task's nodes use.

    Attributes:
        task_id: the task.
        clock: wall clock, in ns since 1970 UTC.
        services: services that deliver alerts.
        topics: the alert service.
        server_info: identity of the server.
        http_out: results of `httpOut` nodes.
        task_master_id: `main`, or the id of a replay.
        dbrps: databases that the task reads, as (database, retention policy).
        write_points: takes points that a task writes back; tasks receive them after the
            present write.
        posts: queue of the posts of `httpPost` nodes.
        dialer: opens connections of handlers without a service.
        sideload: the values that `sideload` nodes look up.
        influxdb: the clusters that points are read from and written to.
        queries: query loops of batch tasks; None if the task does not query, as in a
            replay.
        note_query: takes a node's name and the error of its last query, or "".
        resume: runs a step of the task, after work outside of it.
        pause: runs writes to other tasks, during long work at the start of the task.
        budget: memory and time that the task has taken.
        timers: timers that call nodes.
    """

    task_id: str
    clock: Clock = time.time_ns
    services: HandlerServices = NO_SERVICES
    topics: EventTopics | None = None
    server_info: ServerInfo = field(default_factory=ServerInfo)
    http_out: HTTPOutputs = field(default_factory=HTTPOutputs)
    task_master_id: str = "main"
    dbrps: Sequence[tuple[str, str]] = ()
    write_points: Callable[[Sequence[Point]], None] | None = None
    posts: PostQueues = field(default_factory=PostQueues)
    dialer: Dialer = field(default_factory=Dialer)
    sideload: Sources = field(default_factory=Sources)
    influxdb: Clusters = NO_CLUSTERS
    queries: QueryLoops | None = None
    note_query: Callable[[str, str], None] = field(default=lambda node, failure: None)
    resume: Callable[[Step], None] = field(default=lambda step: step())
    pause: Callable[[], None] = field(default=lambda: None)
    budget: Budget = field(default_factory=Budget)
    timers: Timers = field(init=False)

    def __post_init__(self) -> None:
        """Create timers, which a task master replaces by its own."""
        self.timers = Timers(self.clock)
