"""The bodies of requests for tasks and templates."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.errors import InvalidError, ScriptError
from runtime.golang.json_decode import (
    JsonError,
    decode,
    one_of,
    sequence,
    string,
    struct,
)
from runtime.golang.quoting import quote
from runtime.store.records import id_fault
from runtime.tasks.api.records import DBRP
from runtime.tasks.api.vars import read_vars, vars_of
from runtime.tick.variables import Var

# letters of any script, but ASCII digits
_ID = re.compile(r"(?:[-._0-9]|[^\W\d_])+")


# Every dbrp costs time with each write to it.
MAX_DBRPS = 1000


_DBRP = struct("client.DBRP", {"db": string, "rp": string})
_BODY = struct(
    "client.CreateTaskOptions",
    {
        "id": string,
        "template-id": string,
        "type": one_of(("stream", "batch"), "TaskType"),
        "dbrps": sequence(_DBRP, "[]client.DBRP"),
        "script": string,
        "status": one_of(("enabled", "disabled"), "TaskStatus"),
        "vars": read_vars,
    },
)


@dataclass(frozen=True, slots=True)
class Body:
    """A request's definition of a task or template; empty fields were not sent.

    Attributes:
        id: its name.
        template_id: the template of a task.
        dbrps: databases and retention policies of the task.
        script: its script.
        status: `enabled`, `disabled` or "".
        vars: variables as sent, not checked.
    """

    id: str = ""
    template_id: str = ""
    dbrps: tuple[DBRP, ...] = ()
    script: str = ""
    status: str = ""
    vars: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, body: bytes) -> Body:
        """Decode a body.

        Raises:
            RefusedError: it is not JSON of the right shape.
        """
        try:
            found = decode(body, _BODY, {})
        except JsonError:
            raise InvalidError("invalid JSON") from None
        dbrps = [each or {} for each in found.get("dbrps", ())]
        if len(dbrps) > MAX_DBRPS:
            raise InvalidError(f"a task has at most {MAX_DBRPS} dbrps")
        return cls(
            found.get("id", ""),
            found.get("template-id", ""),
            tuple((each.get("db", ""), each.get("rp", "")) for each in dbrps),
            found.get("script", ""),
            found.get("status", ""),
            found.get("vars"),
        )

    @property
    def defines(self) -> bool:
        """True if it has more than an id and a status."""
        return bool(self.template_id or self.dbrps or self.script or self.vars)

    def variables(self) -> dict[str, Var]:
        """The variables it sets.

        Raises:
            RefusedError: a value is not of its type.
        """
        try:
            return vars_of(self.vars or {})
        except ScriptError as error:
            raise InvalidError(str(error)) from None


def checked_id(id: str, what: str) -> str:
    """`id`, or a new one if it is empty.

    Args:
        id: the name of a task or template.
        what: `task`, `template`, `recording` or `replay`.

    Raises:
        RefusedError: the id is too long, or contains characters that ids must not have.
    """
    id = id or str(uuid.uuid4())
    if fault := id_fault(id):
        raise InvalidError(f"{what} ID {fault}")
    if not _ID.fullmatch(id):
        raise InvalidError(
            f"{what} ID must contain only letters, numbers, '-', '.' and '_'. "
            f"{quote(id)}"
        )
    return id
