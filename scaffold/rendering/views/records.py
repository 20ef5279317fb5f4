"""Classes of records, as templates see them."""

from __future__ import annotations

from typing import NamedTuple

from scaffold.rendering.views.fields import Field, recorded
from scaffold.spec.model.settings import Record


class RecordView(NamedTuple):
    """The class of the records in a list.

    Attributes:
        class_name: its name.
        key: the setting or option that holds them.
        fields: its fields.
    """

    class_name: str
    key: str
    fields: list[Field]

    @classmethod
    def of(cls, record: Record) -> RecordView:
        """The view of a record."""
        return cls(record.class_name, record.key, [recorded(x) for x in record.fields])
