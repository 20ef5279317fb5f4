"""TICKscript property `.snmpTrap()` of alert nodes."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.pipeline.handler import AlertHandler, argument
from runtime.pipeline.properties import Signature
from runtime.services.snmptrap.handler import Data
from runtime.settings import setting


@dataclass(slots=True)
class SnmpTrapHandler(AlertHandler):
    """Options of `.snmpTrap()`.

    Attributes:
        trap_oid: object identifier of the trap.
        data_list: values of the trap, with a type each: c (counter), i (integer), n
            (null), s (string) or t (time ticks).
    """

    call: ClassVar[Signature] = Signature((str,))
    call_fields: ClassVar[tuple[str, ...]] = ("trap_oid",)

    trap_oid: str = argument("")
    data_list: tuple[Data, ...] = setting((), tick="data")
