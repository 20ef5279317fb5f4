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

    A subclass's fields are its properties in TICKscript, `runtime.pipeline.properties`
    tells how.

    Attributes:
        call: the types of the arguments of the call that makes it.
        call_fields: fields that these arguments fill; the last one takes any number of
            further arguments, if the call does.
        node: the alert node it belongs to.
    """

    call: ClassVar[Signature] = Signature()
    call_fields: ClassVar[tuple[str, ...]] = ()

    node: Node = field(repr=False, compare=False, metadata=INTERNAL)

    @classmethod
    def called(cls, node: Node, *arguments: Any) -> Self:
        """The handler that a call with `arguments`, of the types of `call`, makes.

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
    """A field that only the handler property's own arguments fill."""
    return dataclasses.field(default=default, metadata=INTERNAL)
