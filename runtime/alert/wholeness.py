"""Events whose texts have UTF-8."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from runtime.alert.types import Event
from runtime.golang.utf8 import whole


def whole_event(event: Event) -> Event:
    """`event` with U+FFFD for what is no character, in all its texts."""
    made: Event = _whole(event)
    return made


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, Mapping):
        return {_whole(key): _whole(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_whole(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [each.name for each in dataclasses.fields(value) if each.init]
        changes = {name: _whole(getattr(value, name)) for name in names}
        return dataclasses.replace(value, **changes)
    return value
