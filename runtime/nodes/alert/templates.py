"""The strings of events: id, message and details.

A string that cannot be rendered is replaced by its error, so that no alert is lost.
Kapacitor stops the task.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from runtime.alert.types import Level
from runtime.errors import TaskError
from runtime.frames import Value
from runtime.golang.json import encode, number, quote
from runtime.golang.templates import (
    GoTemplate,
    StringMap,
    Struct,
    TemplateError,
    Time,
    html,
    text,
)
from runtime.golang.templates.escaping import html as escaped
from runtime.nodes.environment import Environment
from runtime.pipeline.alert import AlertNode
from runtime.units import Duration, Nanoseconds, rfc3339

_DEFAULT = AlertNode()
# Maximum length of an id; longer ones are cut.
_LONGEST_ID = 4096
_LONGEST_NOTE = 500

Report = Callable[[str, object], None]


class Origin(NamedTuple):
    """The origin of an event: all values that its ID may depend on."""

    name: str
    group: str
    tags: Mapping[str, str]


class Occurrence(NamedTuple):
    """The values that message and details may depend on, besides the origin."""

    id: str
    fields: Mapping[str, Value]
    level: Level
    time: Nanoseconds
    duration: Duration


class AlertTemplates:
    """The templates of an alert node.

    The default templates cannot fail, and are only rendered when they are needed.

    Attributes:
        needs_message: True if events need a message.
        may_lack_id: True if an ID may fail to render or be empty, which is reported.
    """

    def __init__(
        self,
        node: AlertNode,
        environment: Environment,
        *,
        has_topic: bool,
        report: Report,
    ) -> None:
        """Parse the templates of the script.

        Args:
            node: the node of the script.
            environment: environment of the task.
            has_topic: True if events are sent to a topic, which requires all texts.
            report: called with message and error for texts that cannot be rendered.

        Raises:
            TaskError: a template does not parse; the text is Go's.
        """
        self._report = report
        self._id = _parsed(text, node.id, "id")
        self._message = _parsed(text, node.message, "message")
        self._details = _parsed(html, node.details, "details")
        in_points = bool(node.id_tag or node.id_field)
        default_id = node.id == _DEFAULT.id
        # a text is needed if it is shown, or if it can fail, which has to be reported;
        # default texts cannot fail
        self.needs_message = (
            has_topic
            or bool(node.message_field)
            or node.message != _DEFAULT.message
            or node.details != _DEFAULT.details
        )
        self._needs_details = has_topic or node.details != _DEFAULT.details
        self._needs_id = has_topic or in_points or not default_id or self.needs_message
        self._is_plain = default_id
        self.may_lack_id = not default_id and not _is_certain(self._id)
        self._has_plain_message = node.message == _DEFAULT.message
        self._has_plain_details = node.details == _DEFAULT.details
        info = environment.server_info
        self._server = Struct(
            "kapacitor.serverInfo",
            {
                "Hostname": info.hostname,
                "ClusterID": info.cluster_id,
                "ServerID": info.server_id,
            },
        )
        self._server_json = encode(self._server.fields).decode()
        self._task = environment.task_id
        self._task_json = quote(self._task)

    def id(self, origin: Origin) -> str:
        """The event's id, shortened if it is too long; "" only if it is not needed."""
        if not self._needs_id:
            return ""
        default = f"{origin.name}:{origin.group or 'nil'}"
        if self._is_plain:
            return _shortened(default)
        info = self._origin(origin)
        made, _ = self._rendered(self._id, info, default)
        # an empty id would merge the alerts of all groups
        if not made:
            self._report("the id of an event is empty", f"{default} is used")
        return _shortened(made or default)

    def texts(self, origin: Origin, occurrence: Occurrence) -> tuple[str, str]:
        """Message and details; "" if they are not needed."""
        if not self.needs_message:
            return "", ""
        message = f"{occurrence.id} is {occurrence.level}"
        if not self._has_plain_message:
            info = self._info(origin, occurrence)
            message, note = self._rendered(self._message, info, message)
            # the note explains in the message itself why it is the default
            message += note
        if not self._needs_details:
            return message, ""
        if self._has_plain_details:
            return message, self._plain_details(origin, occurrence, message)
        info = Struct(
            "kapacitor.detailsInfo",
            {"Message": message},
            self._info(origin, occurrence),
        )
        details, note = self._rendered(self._details, info, escaped(message))
        return message, details + escaped(note)

    def _rendered(
        self, template: GoTemplate, info: Struct, otherwise: str
    ) -> tuple[str, str]:
        """The text and "", or `otherwise` and a note with the error."""
        try:
            return template.render(info), ""
        except TemplateError as error:
            self._report("failed to render a text of an event", error)
            return otherwise, f" ({str(error)[:_LONGEST_NOTE]})"

    def _plain_details(
        self, origin: Origin, occurrence: Occurrence, message: str
    ) -> str:
        """Render the default template without the template engine.

        It is rendered for most events, and the engine would take most of their time.
        """
        # in Go's order and form; a test compares them with the template
        fields = _object(occurrence.fields)
        text = (
            f'{{"Name":{quote(origin.name)},"TaskName":{self._task_json},'
            f'"Group":{quote(origin.group or "nil")},"Tags":{_object(origin.tags)},'
            f'"ServerInfo":{self._server_json},"ID":{quote(occurrence.id)},'
            f'"Fields":{fields},"Level":"{occurrence.level}",'
            f'"Time":"{rfc3339(occurrence.time)}",'
            f'"Duration":{int(occurrence.duration)},"Message":{quote(message)}}}\n'
        )
        # JSON has already escaped the other special characters of HTML
        return text.replace('"', "&#34;").replace("'", "&#39;").replace("+", "&#43;")

    def _info(self, origin: Origin, occurrence: Occurrence) -> Struct:
        return Struct(
            "kapacitor.messageInfo",
            {
                "ID": occurrence.id,
                "Fields": dict(occurrence.fields),
                "Level": str(occurrence.level),
                "Time": Time(occurrence.time),
                "Duration": occurrence.duration,
            },
            self._origin(origin),
        )

    def _origin(self, origin: Origin) -> Struct:
        return Struct(
            "kapacitor.idInfo",
            {
                "Name": origin.name,
                "TaskName": self._task,
                "Group": origin.group or "nil",
                "Tags": StringMap(origin.tags),
                "ServerInfo": self._server,
            },
        )


def _is_certain(id_template: GoTemplate) -> bool:
    """True if the ID is never empty and never fails to render."""
    printed = id_template.fields
    # task names and groups are never empty; names of measurements may be
    return printed is not None and (
        not printed.isdisjoint(("TaskName", "Group"))
        and printed <= {"Name", "TaskName", "Group"}
    )


def _shortened(event_id: str) -> str:
    """`event_id`, or its start and a hash if it is too long."""
    if len(event_id) <= _LONGEST_ID:
        return event_id
    # without the hash, two ids with the same start would be one alert
    digest = hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{event_id[: _LONGEST_ID - len(digest) - 1]}~{digest}"


def _object(values: Mapping[str, Value]) -> str:
    members = (f"{quote(name)}:{_json(values[name])}" for name in sorted(values))
    return "{" + ",".join(members) + "}"


def _json(value: Value) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(int(value))


# cached, as most templates of tasks are the defaults
@functools.lru_cache(maxsize=256)
def _parsed(
    parse: Callable[[str, str], GoTemplate], source: str, name: str
) -> GoTemplate:
    try:
        return parse(source, name)
    except TemplateError as error:
        raise TaskError(str(error)) from error
