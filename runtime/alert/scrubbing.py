"""Events with valid UTF-8 in every string."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from runtime.alert.types import Event
from runtime.golang.utf8 import scrub


def scrubbed_event(event: Event) -> Event:
    """`event` with U+FFFD for invalid characters in all its strings."""
    made: Event = _scrubbed(event)
    return made


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {_scrubbed(key): _scrubbed(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_scrubbed(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [each.name for each in dataclasses.fields(value) if each.init]
        changes = {name: _scrubbed(getattr(value, name)) for name in names}
        return dataclasses.replace(value, **changes)
    return value
