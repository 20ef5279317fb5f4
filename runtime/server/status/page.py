"""The markup of the status page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from runtime.alert.types import EventState, Level
from runtime.delivery.messages import Address
from runtime.nodes.environment import ServerInfo
from runtime.server.status.html import (
    Content,
    Element,
    Link,
    Stylesheet,
    document,
    el,
)
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
    number,
    pages,
    span,
    table,
    text,
)
from runtime.units import SECOND, Nanoseconds, rfc3339
from runtime.version import PRODUCT, PRODUCT_VERSION, VERSION

_STYLE = Stylesheet(Path(__file__).with_name("page.css").read_text("utf-8"))
_API = "kapacitor/v1"
# No script, frame or foreign content, nothing kept. The referrer policy leaves browsers
# the `Origin` of the page's own forms.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_STYLE.source}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Page:
    """Makes pages of one server."""

    def __init__(self, info: ServerInfo) -> None:
        """Make pages for a server of that name."""
        self._name = info.hostname

    def overview(self, state: Overview, notice: str = "") -> bytes:
        """The page with everything.

        Args:
            state: data to show.
            notice: result of the last action, or "".
        """
        critical = state.levels.get(Level.CRITICAL, 0)
        title = f"{number(critical)} critical – " if critical else ""
        return self._document(
            f"{title}Alerts on {self._name}",
            state.now,
            _sums(state),
            _troubles(state),
            _topics(state),
            _handlers(state),
            _dead(state, notice),
            _waiting(state),
            _tasks(state),
        )

    def events(
        self, topic: str, events: Part[EventState], now: Nanoseconds, query: Query
    ) -> bytes:
        """The page about one topic."""
        columns: Sequence[Column[EventState]] = (
            Column("Level", lambda each: level(each.level)),
            Column("Event", lambda each: text(each.id), "id"),
            Column("Message", lambda each: text(each.message)),
            Column("Last event", lambda each: moment(each.time, now)),
        )
        parameters = {"of": topic, **_starts(query)}
        body: Content = "This topic has no events."
        if events.rows:
            body = table("Events", columns, events.rows), pages(
                events, "events", parameters
            )
        return self._document(
            f"Events of topic {topic}",
            now,
            _section(
                "events", ("Events of topic ", text(topic)), events.total, body, _back()
            ),
        )

    def confirmation(self, address: Address, dead: int, now: Nanoseconds) -> bytes:
        """The question before all dead deliveries of a handler are sent again."""
        what = count(dead, "dead delivery", "dead deliveries")
        parameters = {"resend": "all", **_address(address)}
        return self._document(
            f"Re-send {what}?",
            now,
            el(
                "section",
                el("h2", f"Re-send {what}?"),
                el(
                    "p",
                    *("They go to handler ", text(address.handler), " of topic "),
                    *(text(address.topic), ", oldest first, behind what is waiting."),
                ),
                el(
                    "div",
                    _button(f"Re-send {what}", parameters),
                    el("a", "Cancel", href=Link("", fragment="handlers")),
                    class_="choice",
                ),
            ),
        )

    def failure(self, problem: str, now: Nanoseconds) -> bytes:
        """The page about a request that cannot be done."""
        return self._document(
            "Not done",
            now,
            el("section", el("h2", "Not done"), el("p", text(problem)), _back()),
        )

    def _document(self, title: str, now: Nanoseconds, *sections: Content) -> bytes:
        header = el(
            "header",
            el("h1", el("a", "Alerts on ", text(self._name), href=Link())),
            el(
                "p",
                f"As of {rfc3339(now // SECOND * SECOND)[11:19]} UTC",
                el("a", "Refresh", href=Link()),
            ),
        )
        footer = el(
            "footer",
            el("span", f"{PRODUCT} {PRODUCT_VERSION}, as Kapacitor {VERSION}"),
            el("a", "Metrics", href=Link("metrics")),
            el("a", "API", href=Link(f"{_API}/openapi.json")),
        )
        return document(title, _STYLE, header, el("main", *sections), footer)


def _notice(notice: str) -> Element | None:
    return el("p", notice, role="status", class_="notice") if notice else None


def _back() -> Element:
    return el("p", el("a", "Back to the overview", href=Link()))


def _sums(state: Overview) -> Element:
    """The numbers to look at first; each leads to its table."""

    def lines() -> Iterator[tuple[str, int, str, str]]:
        """Fragment, number, what is counted and, if it is not 0, its kind."""
        levels = state.levels
        critical, warning = levels.get(Level.CRITICAL, 0), levels.get(Level.WARNING, 0)
        noun = "topic" if critical == 1 else "topics"
        yield "topics", critical, f"{noun} critical", "critical"
        if warning:
            noun = "topic" if warning == 1 else "topics"
            yield "topics", warning, f"{noun} warning", "warning"
        failing = state.failing_handlers
        noun = "handler" if failing == 1 else "handlers"
        yield "handlers", failing, f"{noun} in trouble", "critical"
        noun = "delivery" if state.pending == 1 else "deliveries"
        yield "waiting", state.pending, f"{noun} waiting", "info"
        noun = "delivery" if state.dead == 1 else "deliveries"
        yield "dead", state.dead, f"{noun} dead", "warning"
        failing = state.failing_tasks
        noun = "task" if failing == 1 else "tasks"
        yield "tasks", failing, f"{noun} failing", "critical"

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
            for fragment, size, what, kind in lines()
        ],
        class_="sums",
        aria_label="Summary",
    )


def _section(name: str, title: Content, total: int | None, *body: Content) -> Element:
    size = () if total is None else (" ", el("small", number(total)))
    return el(
        "section",
        el("h2", title, size, id=f"{name}-title"),
        body,
        id=name,
        aria_labelledby=f"{name}-title",
    )


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
    part = state.topics
    body: Content = _empty(
        "No topics yet. A topic appears with the first alert of a task, or when a "
        "handler is defined on it."
    )
    if part.total:
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
        body = (
            table("Topics", columns, part.rows),
            pages(part, "topics", parameters_of(state.query)),
        )
    return _section("topics", "Topics", part.total, body)


def _topic_link(row: TopicRow) -> Element:
    return el("a", text(row.id), href=Link("", {"of": row.id}))


def _counts(row: TopicRow) -> str:
    bad = [f"{number(size)} {str(each).lower()}" for each, size in row.counts.items()]
    return f"{', '.join(bad)} of {number(row.total)}" if bad else number(row.total)


def _handlers(state: Overview) -> Element:
    part = state.handlers
    body: Content = _empty(
        "No handlers yet. To send the alerts of a topic somewhere, describe a handler "
        "in a file and run ",
        el("code", "kapacitor define-topic-handler FILE"),
        ".",
    )
    if part.total:
        columns: Sequence[Column[HandlerRow]] = (
            Column("State", _handler_state),
            Column("Handler", _handler_name, "id"),
            Column("Problem", lambda row: text(row.trouble) if row.trouble else None),
            Column("Delivered", lambda row: number(row.delivered), "number"),
            Column("Waiting", _handler_waiting, "number"),
            Column("Dead", _handler_dead, "number"),
            Column("Action", _resend_all),
        )
        body = (
            table("Handlers", columns, part.rows),
            pages(part, "handlers", parameters_of(state.query)),
        )
    return _section("handlers", "Handlers", part.total, body)


def _handler_state(row: HandlerRow) -> Element:
    if row.trouble:
        return badge("TROUBLE", str(row.level).lower())
    return badge("OK", "ok") if row.is_running else badge("NOT RUNNING", "off")


def _handler_name(row: HandlerRow) -> Content:
    return _place(row.address)


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
    return _deliveries(
        state,
        "dead",
        "Dead deliveries",
        state.dead_rows,
        columns,
        "Nothing was given up.",
        _notice(notice),
    )


def _waiting(state: Overview) -> Element:
    columns: Sequence[Column[DeliveryRow]] = (
        *_delivery_columns(state.now),
        Column("Next attempt", lambda row: _due(row, state.now)),
    )
    return _deliveries(
        state,
        "waiting",
        "Waiting deliveries",
        state.waiting_rows,
        columns,
        "Nothing is waiting.",
    )


def _deliveries(
    state: Overview,
    name: str,
    title: str,
    part: Part[DeliveryRow],
    columns: Sequence[Column[DeliveryRow]],
    none: str,
    notice: Element | None = None,
) -> Element:
    parameters = parameters_of(state.query)
    filter_: Content = None
    if state.query.topic or state.query.handler:
        filter_ = el(
            "p",
            "Only of ",
            _place(Address(state.query.topic or "any", state.query.handler or "any")),
            ". ",
            el("a", "Show all", href=Link("", _starts(state.query), name)),
            class_="filter",
        )
    if not part.rows:
        body: Content = _empty(none), pages(part, name, parameters)
    else:
        body = table(title, columns, part.rows), pages(part, name, parameters)
    return _section(name, title, part.total, notice, filter_, body)


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
        return "when its handler runs"
    return moment(row.due, now) if row.due > now else "now"


def _resend(row: DeliveryRow, query: Query) -> Content:
    if not row.can_resend:
        return el("span", "its handler does not run", class_="quiet")
    parameters = {**parameters_of(query), "resend": row.message.id}
    return _button("Re-send", parameters, f" delivery {row.message.id}")


def _button(label: str, parameters: Mapping[str, str | int], more: str = "") -> Element:
    """A button that changes something.

    Args:
        label: text of the link.
        parameters: parameters of the request, in the query, which keeps ids exactly;
            fields of a form do not.
        more: additional text for screen readers.
    """
    return el(
        "form",
        el("button", label, el("span", more, class_="hidden") if more else None),
        method="post",
        action=Link("", parameters),
    )


def _tasks(state: Overview) -> Element:
    part = state.tasks
    body: Content = _empty(
        "No tasks yet. Define one with ",
        el("code", "kapacitor define ID -tick FILE -dbrp DATABASE.POLICY"),
        " and start it with ",
        el("code", "kapacitor enable ID"),
        ".",
    )
    if part.total:
        columns: Sequence[Column[TaskRow]] = (
            Column("Status", _task_status),
            Column("Task", lambda row: text(row.task.id), "id"),
            Column("Type", lambda row: row.task.type),
            Column("Reads", lambda row: text(_dbrps(row)), "id"),
            Column("Error", _task_error),
        )
        body = (
            table("Tasks", columns, part.rows),
            pages(part, "tasks", parameters_of(state.query)),
        )
    return _section("tasks", "Tasks", part.total, body)


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


def _starts(query: Query) -> dict[str, str | int]:
    return {name: start for name, start in query.starts.items() if start}


def parameters_of(query: Query) -> dict[str, str | int]:
    """The parameters that lead to the page as it is shown."""
    selected = {"topic": query.topic, "handler": query.handler}
    return {**{k: v for k, v in selected.items() if v}, **_starts(query)}
