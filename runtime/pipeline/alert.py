"""The alert node, and the properties of handlers that need no service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self, TypeVar

from runtime.errors import ScriptError
from runtime.pipeline.handler import AlertHandler, argument
from runtime.pipeline.node import Node, link, require
from runtime.pipeline.output import check_headers
from runtime.pipeline.properties import (
    INTERNAL,
    ZERO,
    Signature,
    internal,
    property_method,
)
from runtime.settings import setting
from runtime.tick.ast import LambdaNode
from runtime.units import Duration

HandlerT = TypeVar("HandlerT", bound=AlertHandler)


@dataclass(eq=False, slots=True)
class AlertNode(Node):
    """`|alert()`: determines levels and sends events.

    The handlers of its pipeline are properties as well.

    Attributes:
        category: category of the alert, by which other alerts can inhibit it.
        topic: topic of its events, in addition to the node's own.
        id: template of the event's id.
        message: template of the message.
        details: HTML template of the details.
        info: condition for INFO.
        warn: condition for WARNING.
        crit: condition for CRITICAL.
        info_reset: condition for leaving INFO downwards.
        warn_reset: condition for leaving WARNING downwards.
        crit_reset: condition for leaving CRITICAL downwards.
        use_flapping: suppress events while the level flaps.
        flap_low: share of changes below which flapping ends.
        flap_high: share of changes above which flapping begins.
        history: number of levels that flapping considers.
        level_tag: tag for the level; the other tags and fields are named alike.
        all: a batch has a level only if all its points have it.
        no_recoveries: send no OK events.
        inhibitors: categories with the tags by which they are inhibited.
        state_changes_only: send events only when the level changes.
        state_changes_only_duration: time after which an unchanged level is sent again; 0
            for never.
        handlers: handlers in the order of the script.
    """

    call: ClassVar[str] = "alert"

    category: str = ""
    topic: str = ""
    id: str = "{{ .Name }}:{{ .Group }}"
    message: str = "{{ .ID }} is {{ .Level }}"
    details: str = "{{ json . }}"
    info: LambdaNode | None = None
    warn: LambdaNode | None = None
    crit: LambdaNode | None = None
    info_reset: LambdaNode | None = None
    warn_reset: LambdaNode | None = None
    crit_reset: LambdaNode | None = None
    use_flapping: bool = internal(False)
    flap_low: float = internal(0.0)
    flap_high: float = internal(0.0)
    history: int = 21
    level_tag: str = ""
    level_field: str = ""
    message_field: str = ""
    duration_field: str = ""
    id_tag: str = ""
    id_field: str = ""
    all: bool = False
    no_recoveries: bool = False
    inhibitors: tuple[tuple[str, tuple[str, ...]], ...] = internal(())
    state_changes_only: bool = internal(False)
    state_changes_only_duration: Duration = field(default=ZERO, metadata=INTERNAL)
    handlers: list[AlertHandler] = field(default_factory=list, metadata=INTERNAL)

    def handlers_of(self, kind: type[HandlerT]) -> list[HandlerT]:
        """The handlers of one class, in the order of the script."""
        return [handler for handler in self.handlers if isinstance(handler, kind)]

    def validate(self) -> None:
        """Check every handler."""
        for handler in self.handlers:
            handler.validate()

    @property_method("flapping")
    def set_flapping(self, low: float, high: float) -> None:
        """Suppress events while the level changes more often than this."""
        self.use_flapping = True
        self.flap_low, self.flap_high = low, high

    @property_method("inhibit")
    def add_inhibitor(self, category: str, *tags: str) -> None:
        """Inhibit alerts of a category with the same values of these tags."""
        self.inhibitors = (*self.inhibitors, (category, tags))

    @property_method("stateChangesOnly")
    def set_state_changes_only(self, *max_interval: Duration) -> None:
        """Send only changes of the level; repeat the same level after the interval."""
        self.state_changes_only = True
        if len(max_interval) == 1:
            self.state_changes_only_duration = max_interval[0]


@dataclass(frozen=True, slots=True)
class AlertNodeData:
    """An alert node as the target of a chain after a property that is a method.

    Its error texts in Kapacitor have another type name than those of the node.
    """

    node: AlertNode

    @property
    def go_type(self) -> str:
        """Its type as error texts name it."""
        return "*pipeline.AlertNodeData"


def alert(parent: Node) -> AlertNode:
    """`|alert()`."""
    return link(AlertNode(), parent)


@dataclass(slots=True)
class PostHandler(AlertHandler):
    """The properties of `.post()`.

    Attributes:
        url: template of the URL.
        endpoint: the name of a configured endpoint.
        headers: headers of the request.
        capture_response: log the response of the endpoint if the request fails.
        timeout: time limit of a request; 0 for the client's own limit.
        skip_ssl_verification: accept any certificate.
    """

    call: ClassVar[Signature] = Signature(rest=str)

    url: str = setting("", tick="uRL")
    endpoint: str = ""
    headers: dict[str, str] = field(default_factory=dict, metadata={"tick": "header"})
    capture_response: bool = False
    timeout: Duration = ZERO
    skip_ssl_verification: bool = setting(False, tick="skipSSLVerification")

    @classmethod
    def called(cls, node: Node, *arguments: str) -> Self:
        """Post to a URL, or to the endpoint that is named later."""
        count = len(arguments)
        require(count <= 1, f"post expects 0 or 1 arguments, got {count}")
        return cls(node, url="".join(arguments))

    def validate(self) -> None:
        """Check the headers."""
        try:
            check_headers(list(self.headers))
        except ScriptError as error:
            raise ScriptError(f"invalid post: {error}") from error


@dataclass(slots=True)
class TcpHandler(AlertHandler):
    """The properties of `.tcp()`.

    Attributes:
        address: host and port.
    """

    call: ClassVar[Signature] = Signature((str,))
    call_fields: ClassVar[tuple[str, ...]] = ("address",)

    address: str = ""


@dataclass(slots=True)
class ExecHandler(AlertHandler):
    """The properties of `.exec()`.

    Attributes:
        command: the program and its arguments.
    """

    call: ClassVar[Signature] = Signature((str,), rest=str)
    call_fields: ClassVar[tuple[str, ...]] = ("command",)

    command: tuple[str, ...] = argument(())

    @classmethod
    def called(cls, node: Node, *arguments: str) -> Self:
        """Run a program with its arguments."""
        return cls(node, command=arguments)


@dataclass(slots=True)
class LogHandler(AlertHandler):
    """The properties of `.log()`.

    Attributes:
        file_path: the file, an absolute path.
        mode: the file's permissions; 0 means the default.
    """

    call: ClassVar[Signature] = Signature((str,))
    call_fields: ClassVar[tuple[str, ...]] = ("file_path",)

    file_path: str = ""
    mode: int = 0
