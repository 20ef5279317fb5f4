"""The data of the event of a service test."""

from typing import Any

import pytest

from runtime.alert.types import EventData
from runtime.errors import DeliveryError
from runtime.services.servicetest.data import event_data


def test_all_data_come_from_one_option() -> None:
    option = {
        "Name": "cpu",
        "taskname": "t",
        "Category": "system",
        "Group": "host=a",
        "Tags": {"host": "a"},
        "Fields": {"usage": 0.5},
        "RECOVERABLE": True,
        "Result": {"series": None},
    }
    assert event_data(option) == EventData(
        "cpu", "t", "system", "host=a", {"host": "a"}, {"usage": 0.5}
    )
    assert event_data({"Name": None}) == EventData(recoverable=False)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"Name": 5}, "invalid Name in the data of the event"),
        ({"tags": ["host"]}, "invalid Tags in the data of the event"),
        ({"Recoverable": "yes"}, "invalid Recoverable in the data of the event"),
        ({"Tags": {"host": 1}}, 'the tag "host" is not a string'),
    ],
)
def test_data_of_the_wrong_type_are_refused(option: dict[str, Any], text: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        event_data(option)
    assert str(caught.value) == text
