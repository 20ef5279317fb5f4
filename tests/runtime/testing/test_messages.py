"""Messages of several kinds."""

import msgspec
import pytest

from runtime.testing.messages import fitting


class Note(msgspec.Struct, forbid_unknown_fields=True):
    note: str


class Alert(msgspec.Struct, forbid_unknown_fields=True):
    alias: str


def test_a_message_is_of_the_first_kind_that_fits() -> None:
    assert fitting({"note": "x"}, Note, Alert) == Note("x")
    assert fitting({"alias": "x"}, Note, Alert) == Alert("x")


def test_a_message_of_no_kind_is_refused_with_the_reasons() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        fitting({"alias": 5}, Note, Alert)
    text = str(caught.value)
    assert "no Note: Object contains unknown field `alias`" in text
    assert "no Alert: Expected `str`, got `int`" in text
