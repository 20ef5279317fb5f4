"""The content of the status page: a snapshot, with the worst items first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from runtime.alert.topics import Topic
from runtime.alert.types import EventState, Level
from runtime.compute.worker import paced
from runtime.delivery import Backlog
from runtime.delivery.messages import Address, Message, exactly
from runtime.services.alert.service import AlertService
from runtime.services.deliveries.health import TOPIC, described, name_of
from runtime.services.deliveries.statistics import (
    HandlerStatistics,
    delivery_statistics,
)
from runtime.services.httpd.listing import natural
from runtime.services.httpd.messages import Request
from runtime.tasks.api.records import Task
from runtime.tasks.api.tasks import Tasks
from runtime.units import Clock, Nanoseconds

T = TypeVar("T")
RowT = TypeVar("RowT")

# Number of topics to read between two pauses.
_TURN = 500
# Rows of each table.
ROWS = 50
# Parameters with the starts of tables; those of deliveries are ids.
STARTS = ("topics", "events", "handlers", "tasks", "dead", "waiting")


@dataclass(frozen=True, slots=True)
class Query:
    """The requested part of the page.

    Attributes:
        topic: deliveries of this topic's handlers only, or "".
        handler: deliveries of handlers of this id only, or "".
        starts: number of rows to skip, by table; for deliveries the id to begin after.
            Tables that start at their first row are left out.
    """

    topic: str = ""
    handler: str = ""
    starts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request) -> Query:
        """The query of a request.

        Raises:
            RefusedError: a start is not a number.
        """
        starts = {
            name: start for name in STARTS if (start := natural(request, name, 0))
        }
        return cls(request.parameter("topic"), request.parameter("handler"), starts)

    @property
    def parameters(self) -> Mapping[str, str | int]:
        """The parameters of the current page."""
        selected = {"topic": self.topic, "handler": self.handler}
        return {**{name: id for name, id in selected.items() if id}, **self.starts}


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """The rows of a table on one page.

    Attributes:
        rows: rows to show.
        total: number of rows of the whole table.
        start: start of the rows, as in `Query.starts`.
        following: start of the next part, or None.
    """

    rows: Sequence[T] = ()
    total: int = 0
    start: int = 0
    following: int | None = None


class TopicRow(NamedTuple):
    """A topic.

    Attributes:
        id: name of the topic.
        level: the highest of its events.
        counts: number of events by level, except OK.
        total: number of all events.
        worst: newest event of the topic's level, unless that is OK.
    """

    id: str
    level: Level
    counts: Mapping[Level, int]
    total: int
    worst: EventState | None


class HandlerRow(NamedTuple):
    """A handler and its deliveries.

    Attributes:
        address: topic and id.
        is_running: False for a handler that is deleted or disabled.
        trouble: reason why it does not deliver, or "".
        level: level of that trouble.
        delivered: number of events delivered since the start.
        pending: number of pending events.
        oldest_age_s: age of the oldest pending event in memory, in seconds.
        dead: number of dead letters.
    """

    address: Address
    is_running: bool
    trouble: str
    level: Level
    delivered: int
    pending: int
    oldest_age_s: float
    dead: int


class DeliveryRow(NamedTuple):
    """A delivery; its times are ns since 1970 UTC."""

    message: Message
    created: Nanoseconds
    due: Nanoseconds
    can_resend: bool


class TaskRow(NamedTuple):
    """A task and its state."""

    task: Task
    is_executing: bool
    stops: int


@dataclass(frozen=True, slots=True)
class Overview:
    """A snapshot of the server's state.

    Attributes:
        now: ns since 1970 UTC.
        query: requested rows.
        levels: number of topics by level.
        troubles: lasting problems, except those of handlers.
        topics: topics, worst first.
        handlers: handlers, those in trouble first.
        failing_handlers: number of handlers in trouble.
        pending: number of pending deliveries.
        dead: number of dead letters.
        waiting_rows: pending deliveries, oldest first.
        dead_rows: dead letters, oldest first.
        tasks: tasks, enabled ones that do not run first.
        failing_tasks: number of enabled tasks that do not run.
    """

    now: Nanoseconds
    query: Query
    levels: Mapping[Level, int]
    troubles: Part[EventState]
    topics: Part[TopicRow]
    handlers: Part[HandlerRow]
    failing_handlers: int
    pending: int
    dead: int
    waiting_rows: Part[DeliveryRow]
    dead_rows: Part[DeliveryRow]
    tasks: Part[TaskRow]
    failing_tasks: int


class Overviews:
    """Creates overviews on any thread, while the compute thread works.

    Each number is correct by itself, but one may be slightly older than the next.
    """

    def __init__(
        self, tasks: Tasks, alerts: AlertService, backlog: Backlog, clock: Clock
    ) -> None:
        self._tasks = tasks
        self._alerts = alerts
        self._backlog = backlog
        self._clock = clock

    def of(self, query: Query) -> Overview:
        """The current state.

        Raises:
            StoreError: the database cannot be read.
        """
        levels = [(each.level, each) for each in paced(self._alerts.topics, _TURN)]
        levels.sort(key=lambda pair: (-pair[0], pair[1].id))
        handlers = self._handlers()
        tasks = self._task_rows()
        return Overview(
            self._clock(),
            query,
            Counter(level for level, _ in levels),
            self._troubles(handlers),
            _part(levels, query, "topics", lambda pair: _topic_row(pair[1])),
            _part(handlers, query, "handlers", lambda row: row),
            sum(bool(row.trouble) for row in handlers),
            self._backlog.pending,
            sum(row.dead for row in handlers),
            self._deliveries(
                "pending", query, "waiting", _sum(handlers, query, "pending")
            ),
            self._deliveries("dead", query, "dead", _sum(handlers, query, "dead")),
            _part(tasks, query, "tasks", lambda row: row),
            sum(map(is_failing, tasks)),
        )

    def events(self, topic: str, query: Query) -> Part[EventState] | None:
        """The events of a topic, worst first and then newest; None without topic."""
        found = self._alerts.topics.get(topic)
        if found is None:
            return None
        states = [*found.events.values()]
        states.sort(key=lambda state: (-state.level, -state.time))
        return _part(states, query, "events", lambda state: state)

    def now(self) -> Nanoseconds:
        """The time of day, ns since 1970 UTC."""
        return self._clock()

    def dead(self, address: Address) -> int:
        """Number of dead letters of a handler."""
        return self._backlog.outbox.lookup.dead().get(address, 0)

    def _troubles(self, handlers: Iterable[HandlerRow]) -> Part[EventState]:
        """Lasting problems, except those in the rows of handlers."""
        topic = self._alerts.topics.get(TOPIC)
        names = {name_of(row.address) for row in handlers}
        states = [
            state
            for state in (() if topic is None else topic.at_least(Level.WARNING))
            if state.id not in names
        ]
        states.sort(key=lambda state: (-state.level, -state.time))
        return Part(states[:ROWS], len(states))

    def _handlers(self) -> list[HandlerRow]:
        dead = self._backlog.outbox.lookup.dead()
        known = {
            Address(each.topic, each.handler): each
            for each in delivery_statistics(self._backlog)
            # the sum for deleted handlers has no address
            if each.topic or each.handler
        }
        rows = [
            self._handler_row(address, known.get(address), dead.get(address, 0))
            for address in {**known, **dead}
        ]
        rows.sort(key=lambda row: (-row.level, not row.trouble, row.address))
        return rows

    def _handler_row(
        self, address: Address, numbers: HandlerStatistics | None, dead: int
    ) -> HandlerRow:
        numbers = numbers or HandlerStatistics(*address)
        state = self._alerts.event_state(TOPIC, name_of(address))
        level, trouble = Level.OK, ""
        if state is not None and state.level >= Level.WARNING:
            level = state.level
            trouble = state.message.removeprefix(f"{described(address)} ")
        elif numbers.trouble:
            level, trouble = Level.WARNING, f"paused: {numbers.trouble}"
        return HandlerRow(
            address,
            self._backlog.queues.has_handler(address),
            trouble,
            level,
            int(numbers.values.get("delivered", 0)),
            int(numbers.values.get("pending", 0)),
            numbers.values.get("oldest_age_s", 0.0),
            dead,
        )

    def _deliveries(
        self, state: str, query: Query, name: str, total: int
    ) -> Part[DeliveryRow]:
        start = query.starts.get(name, 0)
        messages = self._backlog.outbox.lookup.messages(
            state,
            topic=exactly(query.topic),
            handler=exactly(query.handler),
            after=start,
            # one more, to see if more follow
            limit=ROWS + 1,
        )
        shown = self._backlog.timeline.shown
        rows = [
            DeliveryRow(
                each,
                shown(each.created),
                self._backlog.next_attempt(each),
                self._backlog.queues.has_handler(each.address),
            )
            for each in messages[:ROWS]
        ]
        following = rows[-1].message.id if len(messages) > ROWS else None
        return Part(rows, max(total, len(rows)), start, following)

    def _task_rows(self) -> list[TaskRow]:
        running, stops = self._tasks.master, self._tasks.stops
        rows = [
            TaskRow(task, running.get(task.id) is not None, stops.get(task.id, 0))
            for task in self._tasks.records.all()
        ]
        rows.sort(key=lambda row: (not is_failing(row), not row.task.enabled))
        return rows


def is_failing(row: TaskRow) -> bool:
    """True if an enabled task does not run."""
    # a failing query does not stop a batch task
    return row.task.enabled and not (row.is_executing and not row.task.error)


def _topic_row(topic: Topic) -> TopicRow:
    level = topic.level
    counts = {
        each: count
        for each in (Level.CRITICAL, Level.WARNING, Level.INFO)
        if (count := topic.count(each))
    }
    states = topic.at_least(level) if level > Level.OK else []
    worst = max(states, key=lambda state: state.time, default=None)
    return TopicRow(topic.id, level, counts, len(topic.events), worst)


def _part(
    items: Sequence[T], query: Query, name: str, row: Callable[[T], RowT]
) -> Part[RowT]:
    start = query.starts.get(name, 0)
    end = start + ROWS
    following = end if end < len(items) else None
    return Part([*map(row, items[start:end])], len(items), start, following)


def _sum(rows: Iterable[HandlerRow], query: Query, name: str) -> int:
    """The sum of a counter over the selected handlers."""
    return sum(
        getattr(row, name)
        for row in rows
        if query.topic in ("", row.address.topic)
        and query.handler in ("", row.address.handler)
    )
