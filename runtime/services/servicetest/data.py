"""The data of a service test's event, from a single option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.alert.types import EventData
from runtime.errors import DeliveryError
from runtime.golang.quoting import quote


def event_data(option: Mapping[str, Any]) -> EventData:
    """Event data from `{"Name": "cpu", "TaskName": "t", "Tags": {"host": "a"}, …}`.

    The other keys are `Category`, `Group`, `Fields` and `Recoverable`. Keys match in
    any case; unknown keys are ignored, as in Kapacitor's JSON.

    Raises:
        DeliveryError: a value has the wrong type.
    """
    given = {key.casefold(): value for key, value in option.items()}

    def part(key: str, empty: Any) -> Any:
        value = given.get(key.casefold())
        if value is None:
            return empty
        if not isinstance(value, type(empty)):
            raise DeliveryError(f"invalid {key} in the data of the event")
        return value

    tags = part("Tags", {})
    for key, value in tags.items():
        if not isinstance(value, str):
            raise DeliveryError(f"the tag {quote(key)} is not a string")
    return EventData(
        name=part("Name", ""),
        task_name=part("TaskName", ""),
        category=part("Category", ""),
        group=part("Group", ""),
        tags=tags,
        fields=part("Fields", {}),
        recoverable=part("Recoverable", False),
    )
