"""Base of the alert handlers in scripts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from runtime.pipeline.node import Node
from runtime.pipeline.properties import INTERNAL, OptionOwner, Signature


@dataclass(slots=True)
class AlertHandler(OptionOwner):
    """One handler of an alert node, as the script defines it.

    The fields of a subclass are its properties in TICKscript, by the rules of
    `runtime.pipeline.properties`.

    Attributes:
        call: types of the arguments of the call that creates the handler.
        call_fields: fields for these arguments; if the call takes any number of further
            arguments, the last field holds these.
        node: alert node of the handler.
    """

    call: ClassVar[Signature] = Signature()
    call_fields: ClassVar[tuple[str, ...]] = ()

    node: Node = field(repr=False, compare=False, metadata=INTERNAL)

    @classmethod
    def called(cls, node: Node, *arguments: Any) -> Self:
        """Create a handler from the arguments of a call, which have the types of `call`.

        Raises:
            ScriptError: the arguments are wrong.
        """
        count = len(cls.call.fixed)
        given: list[object] = [*arguments[:count]]
        if cls.call.rest is not None:
            given.append(arguments[count:])
        return cls(node, **dict(zip(cls.call_fields, given, strict=False)))

    @property
    def go_type(self) -> str:
        """Its type as error texts name it."""
        return f"*pipeline.{type(self).__name__}"

    def validate(self) -> None:
        """Check the properties together, once all are set.

        Raises:
            ScriptError: the properties contradict each other.
        """


def argument(default: Any) -> Any:
    """A field that only an argument of the handler's call can set."""
    return dataclasses.field(default=default, metadata=INTERNAL)
