"""The texts of events: id, message and details."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from runtime.alert.types import Level
from runtime.errors import TaskError
from runtime.frames import Value
from runtime.golang.templates import (
    StringMap,
    Struct,
    Template,
    TemplateError,
    Time,
    html,
    text,
)
from runtime.nodes.environment import Environment
from runtime.pipeline.alert import AlertNode
from runtime.units import Duration, Nanoseconds

_DEFAULT = AlertNode()


class Origin(NamedTuple):
    """Where an event comes from: what its id may depend on."""

    name: str
    group: str
    tags: Mapping[str, str]


class Occurrence(NamedTuple):
    """What happened: what message and details may depend on, besides the origin."""

    id: str
    fields: Mapping[str, Value]
    level: Level
    time: Nanoseconds
    duration: Duration


class Templates:
    """The templates of an alert node.

    Those that cannot fail, the defaults, are only rendered when somebody needs them.
    """

    def __init__(
        self, node: AlertNode, environment: Environment, *, has_topic: bool
    ) -> None:
        """Parse what the script says.

        Args:
            node: the node of the script.
            environment: who is alerting.
            has_topic: whether events go to a topic, which needs all texts.

        Raises:
            TaskError: a template does not parse; the text is Go's.
        """
        self._id = _parsed(text, node.id, "id")
        self._message = _parsed(text, node.message, "message")
        self._details = _parsed(html, node.details, "details")
        in_points = bool(node.id_tag or node.id_field)
        default_id = node.id == _DEFAULT.id
        self.needs_message = (
            has_topic
            or bool(node.message_field)
            or node.message != _DEFAULT.message
            or node.details != _DEFAULT.details
        )
        self._needs_details = has_topic or node.details != _DEFAULT.details
        self._needs_id = has_topic or in_points or not default_id or self.needs_message
        self._is_plain = default_id
        info = environment.server_info
        self._server = Struct(
            "kapacitor.serverInfo",
            {
                "Hostname": info.hostname,
                "ClusterID": info.cluster_id,
                "ServerID": info.server_id,
            },
        )
        self._task = environment.task_id

    def id(self, origin: Origin) -> str:
        """The event's id.

        Raises:
            TemplateError: the template fails.
        """
        if not self._needs_id:
            return ""
        if self._is_plain:
            return f"{origin.name}:{origin.group or 'nil'}"
        return self._id.render(Struct("kapacitor.idInfo", self._origin(origin)))

    def texts(self, origin: Origin, occurrence: Occurrence) -> tuple[str, str]:
        """Message and details; "" where nobody needs them.

        Raises:
            TemplateError: a template fails.
        """
        if not self.needs_message:
            return "", ""
        fields = self._origin(origin) | {
            "ID": occurrence.id,
            "Fields": dict(occurrence.fields),
            "Level": str(occurrence.level),
            "Time": Time(occurrence.time),
            "Duration": occurrence.duration,
        }
        message = self._message.render(Struct("kapacitor.messageInfo", fields))
        if not self._needs_details:
            return message, ""
        fields["Message"] = message
        return message, self._details.render(Struct("kapacitor.detailsInfo", fields))

    def _origin(self, origin: Origin) -> dict[str, object]:
        return {
            "Name": origin.name,
            "TaskName": self._task,
            "Group": origin.group or "nil",
            "Tags": StringMap(origin.tags),
            "ServerInfo": self._server,
        }


def _parsed(parse: Callable[[str, str], Template], source: str, name: str) -> Template:
    try:
        return parse(source, name)
    except TemplateError as error:
        raise TaskError(str(error)) from error
