"""Go templates over an event, in options and settings of handlers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from runtime.alert.types import TEMPLATE_NAMES, Event, Row
from runtime.golang.templates import StringMap, Struct, TemplateError, Time, text
from runtime.trouble import complain
from runtime.units import Duration

_log = logging.getLogger("kapacitor.templates")

_PARTS: Mapping[str, Callable[[Event], object]] = {
    "ID": lambda event: event.state.id,
    "Message": lambda event: event.state.message,
    "Level": lambda event: str(event.state.level),
    "Time": lambda event: Time(event.state.time),
    "Duration": lambda event: Duration(event.state.duration),
    "Details": lambda event: event.state.details,
    "Name": lambda event: event.data.name,
    "TaskName": lambda event: event.data.task_name,
    "Group": lambda event: event.data.group,
    "Tags": lambda event: StringMap(event.data.tags),
    "Fields": lambda event: dict(event.data.fields),
    "Category": lambda event: event.data.category,
    "PreviousLevel": lambda event: str(event.previous_level),
    "Recoverable": lambda event: event.data.recoverable,
    "Data": lambda event: result(event.data.result),
    "Result": lambda event: result(event.data.result),
}


class Template:
    """A Go template over an event.

    The constructor parses it. It is true if it is not empty, and equal to templates with
    the same source.

    Attributes:
        source: its text.
    """

    __slots__ = ("_parsed", "source")

    def __init__(self, source: str = "", *, name: str = "template") -> None:
        """Parse a template.

        Args:
            source: its text.
            name: its name in error texts.

        Raises:
            TemplateError: it does not parse; the text is Go's.
        """
        self.source = source
        self._parsed = text(source, name) if "{{" in source else None

    def render(self, event: Event, names: Sequence[str] = TEMPLATE_NAMES) -> str:
        """The text for an event; "" and an error in the log if it fails.

        Args:
            event: the event.
            names: the names that the template may use.
        """
        if self._parsed is None:
            return self.source
        try:
            return self.execute(data(event, names))
        # a text that fails must not lose the alert
        except TemplateError as error:
            where = {"topic": event.topic, "event": event.state.id, "err": str(error)}
            complain(_log, "failed to render a template: it counts as empty", where)
            return ""

    def execute(self, values: Struct) -> str:
        """The text for the parts of an event, as `data` gives them.

        Raises:
            TemplateError: it fails; the text is Go's.
        """
        return self.source if self._parsed is None else self._parsed.render(values)

    def __bool__(self) -> bool:
        return bool(self.source)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.source == other.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Template({self.source!r})"


# the default of a field of type Template
NO_TEMPLATE = Template()


def data(event: Event, names: Sequence[str] = TEMPLATE_NAMES) -> Struct:
    """The event for a template that may use `names`."""
    parts = {name: _PARTS[name](event) for name in names}
    return Struct("alert.TemplateData", parts)


def render_all(
    templates: Sequence[Template],
    event: Event,
    names: Sequence[str] = TEMPLATE_NAMES,
) -> list[str]:
    """The texts of a list for an event, without those that are empty or fail."""
    texts = (each.render(event, names) for each in templates)
    return [each for each in texts if each]


def render_values(
    templates: Mapping[str, Template],
    event: Event,
    names: Sequence[str] = TEMPLATE_NAMES,
) -> dict[str, str]:
    """The texts of a map for an event; "" for those that fail."""
    return {key: each.render(event, names) for key, each in templates.items()}


def result(rows: Sequence[Row]) -> Struct:
    """The rows behind an event for templates.

    Source: Kapacitor models.Result.
    """
    return Struct("models.Result", {"Series": [_row(row) for row in rows]})


def _row(row: Row) -> Struct:
    values = [[Time(int(time or 0)), *rest] for time, *rest in row.values]
    return Struct(
        "models.Row",
        {
            "Name": row.name,
            "Tags": StringMap(row.tags),
            "Columns": list(row.columns),
            "Values": values,
        },
    )
