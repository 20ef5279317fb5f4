"""What alert handlers share on the script's side."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from runtime.pipeline.node import Node
from runtime.pipeline.properties import INTERNAL, Kind
from runtime.settings import camel_case

P = ParamSpec("P")


@dataclass(slots=True)
class AlertHandler:
    """What one handler property of an alert node says.

    A subclass's fields are its properties in TICKscript, `runtime.pipeline.properties`
    tells how.

    Attributes:
        node: the alert node it belongs to.
    """

    node: Node = field(repr=False, compare=False, metadata=INTERNAL)

    @property
    def go_type(self) -> str:
        """Its type as error texts name it."""
        return f"*pipeline.{type(self).__name__}"

    def validate(self) -> None:
        """Check what can only be checked once all properties are set.

        Raises:
            ScriptError: the properties contradict each other.
        """


class _Alert(Protocol):
    """A node that has handlers."""

    handlers: list[AlertHandler]


AlertT = TypeVar("AlertT", bound=_Alert)
HandlerT = TypeVar("HandlerT", bound=AlertHandler)


def handler_property(
    method: Callable[Concatenate[AlertT, P], HandlerT],
) -> Callable[Concatenate[AlertT, P], HandlerT]:
    """Mark a method of the alert node that makes a handler; the node remembers it."""

    @functools.wraps(method)
    def add(node: AlertT, /, *args: P.args, **kwargs: P.kwargs) -> HandlerT:
        handler = method(node, *args, **kwargs)
        node.handlers.append(handler)
        return handler

    vars(add)["tick"] = (camel_case(method.__name__), Kind.HANDLER, None)
    return add


def argument(default: Any) -> Any:
    """A field that only the handler property's own arguments fill."""
    return dataclasses.field(default=default, metadata=INTERNAL)
