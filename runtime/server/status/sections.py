"""Sections of the status page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from runtime.alert.types import EventState, Level
from runtime.delivery.messages import Address
from runtime.server.status.html import Content, Element, Link, el
from runtime.server.status.overview import (
    DeliveryRow,
    HandlerRow,
    Overview,
    Part,
    Query,
    TaskRow,
    TopicRow,
    is_failing,
)
from runtime.server.status.tables import (
    Column,
    badge,
    count,
    level,
    moment,
    noun,
    number,
    pages,
    span,
    table,
    text,
)
from runtime.units import SECOND, Nanoseconds, rfc3339

T = TypeVar("T")


def overview(state: Overview, notice: str) -> Iterator[Content]:
    """The sections of the overview.

    Args:
        state: data to show.
        notice: result of the last action on dead letters, or "".
    """
    yield _sums(state)
    yield _troubles(state)
    yield _topics(state)
    yield _handlers(state)
    yield _dead(state, notice)
    yield _waiting(state)
    yield _tasks(state)


def events(
    topic: str, part: Part[EventState], now: Nanoseconds, query: Query
) -> Element:
    """The events of one topic."""
    columns: Sequence[Column[EventState]] = (
        Column("Level", lambda each: level(each.level)),
        Column("Event", lambda each: text(each.id), "id"),
        Column("Message", lambda each: text(each.message)),
        Column("Last event", lambda each: moment(each.time, now)),
    )
    return _section(
        "events",
        ("Events of topic ", text(topic)),
        part.total,
        _listing(
            "events",
            "Events",
            columns,
            part,
            {"of": topic, **query.starts},
            "This topic has no events.",
        ),
        _back(),
    )


def confirmation(what: str, address: Address) -> Element:
    """The confirmation before all dead deliveries of a handler are sent again."""
    return el(
        "section",
        el("h2", f"{what}?"),
        el(
            "p",
            *("They go to handler ", text(address.handler), " of topic "),
            *(text(address.topic), ", oldest first, after those that are waiting."),
        ),
        el(
            "div",
            _button(what, {"resend": "all", **_address(address)}),
            el("a", "Cancel", href=Link("", fragment="handlers")),
            class_="choice",
        ),
    )


def failure(problem: str) -> Element:
    """The section about a request that failed."""
    return el("section", el("h2", "Request failed"), el("p", text(problem)), _back())


def _back() -> Element:
    """A link back to the overview."""
    return el("p", el("a", "Back to the overview", href=Link()))


def _sums(state: Overview) -> Element:
    """The most important numbers, with links to their tables."""
    return el(
        "ul",
        [
            el(
                "li",
                el(
                    "a",
                    el("strong", number(size)),
                    f" {what}",
                    href=Link(fragment=fragment),
                ),
                class_=kind if size else "none",
            )
            for fragment, size, what, kind in _counted(state)
        ],
        class_="sums",
        aria_label="Summary",
    )


def _counted(state: Overview) -> Iterator[tuple[str, int, str, str]]:
    """Fragment, number, label, and the kind for numbers other than 0."""
    critical = state.levels.get(Level.CRITICAL, 0)
    warning = state.levels.get(Level.WARNING, 0)
    yield "topics", critical, f"{noun(critical, 'topic')} critical", "critical"
    if warning:
        yield "topics", warning, f"{noun(warning, 'topic')} warning", "warning"
    handlers, tasks = state.failing_handlers, state.failing_tasks
    yield "handlers", handlers, f"{noun(handlers, 'handler')} in trouble", "critical"
    waiting = noun(state.pending, "delivery", "deliveries")
    yield "waiting", state.pending, f"{waiting} waiting", "info"
    dead = noun(state.dead, "delivery", "deliveries")
    yield "dead", state.dead, f"{dead} dead", "warning"
    yield "tasks", tasks, f"{noun(tasks, 'task')} failing", "critical"


def _section(name: str, title: Content, total: int | None, *body: Content) -> Element:
    size = () if total is None else (" ", el("small", number(total)))
    return el(
        "section",
        el("h2", title, size, id=f"{name}-title"),
        body,
        id=name,
        aria_labelledby=f"{name}-title",
    )


def _listing(
    name: str,
    label: str,
    columns: Sequence[Column[T]],
    part: Part[T],
    parameters: Mapping[str, str | int],
    none: Content,
) -> Content:
    """A table with links to its other parts.

    Args:
        name: id of the section, and parameter of the table's start.
        label: name of the table for screen readers.
        columns: columns of the table.
        part: rows to show.
        parameters: parameters of the page as it is shown.
        none: text in place of a table without rows.
    """
    links = pages(part, name, parameters)
    if part.rows:
        return table(label, columns, part.rows), links
    # a later part may be empty because rows were deleted meanwhile
    return _empty("No more entries." if part.start else none), links


def _table(
    name: str,
    title: str,
    columns: Sequence[Column[T]],
    part: Part[T],
    query: Query,
    none: Content,
    *above: Content,
) -> Element:
    """A section of the overview that is one table."""
    listing = _listing(name, title, columns, part, query.parameters, none)
    return _section(name, title, part.total, *above, listing)


def _empty(*content: Content) -> Element:
    return el("p", *content, class_="empty")


def _troubles(state: Overview) -> Element | None:
    part = state.troubles
    if not part.rows:
        return None
    columns: Sequence[Column[EventState]] = (
        Column("Level", lambda each: level(each.level)),
        Column("Problem", lambda each: text(each.message)),
        Column("For", lambda each: _since(each, state.now)),
    )
    more = part.total - len(part.rows)
    return _section(
        "trouble",
        "Trouble",
        part.total,
        table("Trouble", columns, part.rows),
        _empty(f"{number(more)} more.") if more else None,
    )


def _since(trouble: EventState, now: Nanoseconds) -> Element:
    """The duration of a failure so far."""
    start = trouble.time - trouble.duration
    full = rfc3339(start // SECOND * SECOND)
    return el("time", span(max(0, now - start)), datetime=full, title=full)


def _topics(state: Overview) -> Element:
    columns: Sequence[Column[TopicRow]] = (
        Column("Level", lambda row: level(row.level)),
        Column("Topic", _topic_link, "id"),
        Column("Events", _counts, "counts"),
        Column(
            "Last message",
            lambda row: text(row.worst.message) if row.worst else None,
        ),
        Column(
            "When",
            lambda row: moment(row.worst.time, state.now) if row.worst else None,
        ),
    )
    none = (
        "No topics yet. A topic appears with the first alert of a task, or when a "
        "handler is defined on it."
    )
    return _table("topics", "Topics", columns, state.topics, state.query, none)


def _topic_link(row: TopicRow) -> Element:
    return el("a", text(row.id), href=Link("", {"of": row.id}))


def _counts(row: TopicRow) -> str:
    bad = [f"{number(size)} {str(each).lower()}" for each, size in row.counts.items()]
    return f"{', '.join(bad)} of {number(row.total)}" if bad else number(row.total)


def _handlers(state: Overview) -> Element:
    columns: Sequence[Column[HandlerRow]] = (
        Column("State", _handler_state),
        Column("Handler", lambda row: _place(row.address), "id"),
        Column("Problem", lambda row: text(row.trouble) if row.trouble else None),
        Column("Delivered", lambda row: number(row.delivered), "number"),
        Column("Waiting", _handler_waiting, "number"),
        Column("Dead", _handler_dead, "number"),
        Column("Action", _resend_all),
    )
    none = (
        "No handlers yet. To send the alerts of a topic somewhere, describe a handler "
        "in a file and run ",
        el("code", "kapacitor define-topic-handler FILE"),
        ".",
    )
    return _table("handlers", "Handlers", columns, state.handlers, state.query, none)


def _handler_state(row: HandlerRow) -> Element:
    if row.trouble:
        return badge("TROUBLE", str(row.level).lower())
    return badge("OK", "ok") if row.is_running else badge("NOT RUNNING", "off")


def _place(address: Address) -> Content:
    of = el("span", " of ", text(address.topic), class_="quiet")
    return text(address.handler), of


def _handler_waiting(row: HandlerRow) -> Content:
    if not row.pending:
        return "0"
    age = f" ({span(int(row.oldest_age_s * SECOND))})" if row.oldest_age_s else ""
    return _filter_link(row, row.pending, "waiting"), age


def _handler_dead(row: HandlerRow) -> Content:
    return _filter_link(row, row.dead, "dead") if row.dead else "0"


def _filter_link(row: HandlerRow, size: int, fragment: str) -> Element:
    return el("a", number(size), href=Link("", _address(row.address), fragment))


def _resend_all(row: HandlerRow) -> Content:
    if not row.dead or not row.is_running:
        return None
    parameters = {"resend": "all", **_address(row.address)}
    name = el("span", " of ", text(row.address.handler), class_="hidden")
    return el("a", "Re-send all…", name, href=Link("", parameters), class_="button")


def _dead(state: Overview, notice: str) -> Element:
    columns: Sequence[Column[DeliveryRow]] = (
        *_delivery_columns(state.now),
        Column("Action", lambda row: _resend(row, state.query)),
    )
    return _table(
        "dead",
        "Dead deliveries",
        columns,
        state.dead_rows,
        state.query,
        "No dead deliveries.",
        el("p", notice, role="status", class_="notice") if notice else None,
        _filter(state.query, "dead"),
    )


def _waiting(state: Overview) -> Element:
    columns: Sequence[Column[DeliveryRow]] = (
        *_delivery_columns(state.now),
        Column("Next attempt", lambda row: _due(row, state.now)),
    )
    return _table(
        "waiting",
        "Waiting deliveries",
        columns,
        state.waiting_rows,
        state.query,
        "No waiting deliveries.",
        _filter(state.query, "waiting"),
    )


def _filter(query: Query, name: str) -> Element | None:
    """The handler whose deliveries a table shows, with a link to all of them."""
    if not (query.topic or query.handler):
        return None
    return el(
        "p",
        "Only those of ",
        _place(Address(query.topic or "any", query.handler or "any")),
        ". ",
        el("a", "Show all", href=Link("", query.starts, name)),
        class_="filter",
    )


def _delivery_columns(now: Nanoseconds) -> tuple[Column[DeliveryRow], ...]:
    return (
        Column("Level", lambda row: level(row.message.event.state.level)),
        Column("Alert", _alert, "alert"),
        Column("Handler", lambda row: _place(row.message.address), "id"),
        Column("Error", _error),
        Column("Created", lambda row: moment(row.created, now)),
    )


def _alert(row: DeliveryRow) -> Element:
    state = row.message.event.state
    return text(state.message or state.id)


def _error(row: DeliveryRow) -> Content:
    attempts = row.message.attempts
    tried = f" ({count(attempts, 'attempt')})" if attempts else None
    return text(row.message.error), el("span", tried, class_="quiet")


def _due(row: DeliveryRow, now: Nanoseconds) -> Content:
    if not row.can_resend:
        return "when its handler is running"
    return moment(row.due, now) if row.due > now else "now"


def _resend(row: DeliveryRow, query: Query) -> Content:
    if not row.can_resend:
        return el("span", "handler not running", class_="quiet")
    parameters = {**query.parameters, "resend": row.message.id}
    return _button("Re-send", parameters, f" delivery {row.message.id}")


def _button(label: str, parameters: Mapping[str, str | int], more: str = "") -> Element:
    """A button that changes something.

    Args:
        label: text of the link.
        parameters: parameters of the request. They are in the query, as fields of a
            form would not keep ids exactly.
        more: additional text for screen readers.
    """
    return el(
        "form",
        el("button", label, el("span", more, class_="hidden") if more else None),
        method="post",
        action=Link("", parameters),
    )


def _tasks(state: Overview) -> Element:
    columns: Sequence[Column[TaskRow]] = (
        Column("Status", _task_status),
        Column("Task", lambda row: text(row.task.id), "id"),
        Column("Type", lambda row: row.task.type),
        Column("Reads", lambda row: text(_dbrps(row)), "id"),
        Column("Error", _task_error),
    )
    none = (
        "No tasks yet. Define one with ",
        el("code", "kapacitor define ID -tick FILE -dbrp DATABASE.POLICY"),
        " and start it with ",
        el("code", "kapacitor enable ID"),
        ".",
    )
    return _table("tasks", "Tasks", columns, state.tasks, state.query, none)


def _task_status(row: TaskRow) -> Element:
    if is_failing(row):
        return badge("FAILING", "critical")
    return badge("RUNNING", "ok") if row.task.enabled else badge("DISABLED", "off")


def _dbrps(row: TaskRow) -> str:
    return ", ".join(f"{db}.{rp}" for db, rp in row.task.dbrps)


def _task_error(row: TaskRow) -> Content:
    stops = f"stopped {count(row.stops, 'time')}" if row.stops else ""
    error = text(row.task.error) if row.task.error else None
    return error, el("span", f" ({stops})", class_="quiet") if stops else None


def _address(address: Address) -> dict[str, str | int]:
    return {"topic": address.topic, "handler": address.handler}
