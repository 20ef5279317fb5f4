"""Tasks and templates as they are stored."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from runtime.tick.variables import Var, Vars, decode, encode
from runtime.units import ZERO_TIME, Nanoseconds

DBRP = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Task:
    """A task.

    Attributes:
        id: its name.
        type: `stream` or `batch`, from the script.
        dbrps: databases that the task reads, as (database, retention policy).
        script: script as sent.
        template_id: id of its template, or "".
        vars: values of the script's variables.
        enabled: True if the task is enabled.
        error: reason why an enabled task does not run, or "".
        created: time of creation, in ns since 1970 UTC, like the other times.
        modified: time of the last change of the definition.
        last_enabled: time at which the task was last enabled.
    """

    id: str
    type: str = "stream"
    dbrps: tuple[DBRP, ...] = ()
    script: str = ""
    template_id: str = ""
    vars: Vars = field(default_factory=dict)
    enabled: bool = False
    error: str = ""
    created: Nanoseconds = ZERO_TIME
    modified: Nanoseconds = ZERO_TIME
    last_enabled: Nanoseconds = ZERO_TIME

    def encode(self) -> bytes:
        """Encode for the store."""
        return _encode(self)

    @classmethod
    def decode(cls, stored: bytes) -> Task:
        """Decode the output of `encode`."""
        tree = json.loads(stored)
        vars_ = _vars(tree.pop("vars"))
        return dataclasses.replace(msgspec.convert(tree, cls), vars=vars_)


@dataclass(frozen=True, slots=True)
class TaskTemplate:
    """A script that tasks share, with variables that each sets.

    Attributes:
        id: its name.
        type: `stream` or `batch`.
        script: script as sent.
        error: reason why the template cannot be used, or "".
        created: ns since 1970 UTC.
        modified: time of the last change.
    """

    id: str
    type: str = "stream"
    script: str = ""
    error: str = ""
    created: Nanoseconds = ZERO_TIME
    modified: Nanoseconds = ZERO_TIME

    def encode(self) -> bytes:
        """Encode for the store."""
        return _encode(self)

    @classmethod
    def decode(cls, stored: bytes) -> TaskTemplate:
        """Decode the output of `encode`."""
        return msgspec.json.decode(stored, type=cls)


def _encode(record: Any) -> bytes:
    tree = {
        each.name: getattr(record, each.name) for each in dataclasses.fields(record)
    }
    if "vars" in tree:
        tree["vars"] = {name: encode(var) for name, var in record.vars.items()}
    return json.dumps(tree).encode()


def _vars(trees: Mapping[str, Any]) -> dict[str, Var]:
    return {name: decode(name, tree) for name, tree in trees.items()}
