"""Handler options of kind `snmptrap`."""

from dataclasses import dataclass

from runtime.alert.templates import Template


@dataclass(frozen=True, slots=True)
class Data:
    """Item of `data-list`."""

    oid: str
    type: str
    value: Template


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        trap_oid: object identifier of the trap.
        data_list: values of the trap, with a type each: c (counter), i (integer), n
            (null), s (string) or t (time ticks).
    """

    trap_oid: str = ""
    data_list: tuple[Data, ...] = ()
