"""Tables for phones and screen readers, and the content of their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from runtime.alert.types import Level
from runtime.compute.worker import paced
from runtime.server.status.html import Content, Element, Link, el
from runtime.server.status.overview import Part
from runtime.units import DAY, HOUR, MINUTE, SECOND, Nanoseconds, rfc3339

T = TypeVar("T")

# Maximum length of a text, as a message may have a megabyte.
MAX_CHARS = 300
# Number of rows to create between two pauses.
_TURN = 10
_UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))


class Column(NamedTuple, Generic[T]):
    """One column of a table of `T`.

    Attributes:
        label: heading of the column.
        cell: returns the content of a row's cell.
        kind: `id` for names, `number` for values aligned to the right, or None.
    """

    label: str
    cell: Callable[[T], Content]
    kind: str | None = None


def table(label: str, columns: Sequence[Column[T]], rows: Iterable[T]) -> Element:
    """A table.

    The roles repeat the meaning of the elements, because browsers drop it for elements
    displayed as blocks.

    Args:
        label: name of the table for screen readers.
        columns: columns of `rows`.
        rows: one item for each line.
    """
    head = [
        el(
            "th",
            each.label,
            scope="col",
            role="columnheader",
            class_=each.kind,
        )
        for each in columns
    ]
    return el(
        "table",
        el("thead", el("tr", head, role="row"), role="rowgroup"),
        el(
            "tbody",
            [_line(columns, row) for row in paced(rows, _TURN)],
            role="rowgroup",
        ),
        role="table",
        aria_label=label,
    )


def _line(columns: Sequence[Column[T]], row: T) -> Element:
    cells = [
        el(
            "td",
            each.cell(row),
            role="cell",
            data_label=each.label,
            class_=each.kind,
        )
        for each in columns
    ]
    return el("tr", cells, role="row")


def pages(
    part: Part[T], name: str, parameters: Mapping[str, str | int]
) -> Element | None:
    """Links to the other parts of a table; None if there are none.

    Args:
        part: part that is shown.
        name: name of the table, and of the parameter of its start.
        parameters: parameters of the current page.
    """
    if not part.start and part.following is None:
        return None
    rest = {key: value for key, value in parameters.items() if key != name}
    links: list[Content] = []
    if part.start:
        links.append(el("a", "First", href=Link("", rest, name)))
    if part.following is not None:
        following = {**rest, name: part.following}
        links.append(el("a", "Next", href=Link("", following, name), rel="next"))
    shown = el("span", f"{number(len(part.rows))} of {number(part.total)} shown")
    return el("nav", shown, links, aria_label=f"Pages of {name}")


def text(value: str) -> Element:
    """A user's string, isolated from the direction of its surroundings."""
    short = value if len(value) <= MAX_CHARS else f"{value[:MAX_CHARS]}…"
    return el("bdi", short)


def badge(label: str, kind: str) -> Element:
    """A short highlighted word.

    Args:
        label: the word.
        kind: `critical`, `warning`, `info`, `ok` or `off`.
    """
    return el("span", label, class_=f"badge {kind}")


def level(value: Level) -> Element:
    """The badge of a level."""
    return badge(str(value), str(value).lower())


def number(value: int) -> str:
    """A count: `1,234`."""
    return f"{value:,}"


def count(value: int, singular: str, plural: str = "") -> str:
    """A count with its noun: `1 topic`, `2 topics`."""
    return f"{number(value)} {noun(value, singular, plural)}"


def noun(value: int, singular: str, plural: str = "") -> str:
    """The noun for a count; its plural ends in `s` unless `plural` is given."""
    return singular if value == 1 else plural or f"{singular}s"


def moment(time: Nanoseconds, now: Nanoseconds) -> Element:
    """A time as its distance from `now`, with the full time as tooltip."""
    full = rfc3339(time // SECOND * SECOND)
    distance = span(abs(now - time))
    shown = f"in {distance}" if time > now else f"{distance} ago"
    return el("time", shown, datetime=full, title=full)


def span(duration: Nanoseconds) -> str:
    """A duration in its greatest unit: `5 min`."""
    for size, unit in _UNITS:
        if duration >= size:
            return f"{number(duration // size)} {unit}"
    return "0 s"
