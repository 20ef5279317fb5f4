"""The part of the service's view for the service test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from scaffold.rendering.views.fields import Field, declared, has_docs
from scaffold.rendering.views.view import Pair, View
from scaffold.spec.model.cases import TestField

_STATE = ("id", "message", "details", "time", "level")
# parts of an event that have another name in prose
_PARTS = {
    "id": "ID of the event",
    "task": "name of the task",
    "name": "name of the measurement",
    "group": "group of the points",
    "tags": "tags of the points",
}
_WHOLE = (*_STATE, "topic", "data")


class Fed(NamedTuple):
    """A part of an event or a handler, and the option of the test that gives it."""

    name: str
    option: str


@dataclass(frozen=True)
class TestFieldView(Field):
    """An option of the service test.

    Attributes:
        feeds: its target: `event.message`, `opt.room`.
        option_doc: the meaning of the handler's option that it sets, or "".
    """

    __test__ = False  # not a test for pytest

    feeds: str = ""
    option_doc: str = ""

    @property
    def has_text(self) -> bool:
        """True if it has a description."""
        return bool(self.doc or self.option_doc or self.part)

    @property
    def part(self) -> str:
        """The part of the event that it sets, or ""."""
        table, _, key = self.feeds.partition(".")
        return _PARTS.get(key, f"{key} of the event") if table == "event" else ""


class ServiceTestView(View):
    """The service test of a handler."""

    @cached_property
    def test_fields(self) -> list[TestFieldView]:
        """The fields of `TestOptions`."""
        return [
            TestFieldView(
                **vars(declared(each)), feeds=each.feeds, option_doc=self._meaning(each)
            )
            for each in self.spec.test
        ]

    @property
    def has_test_docs(self) -> bool:
        """True if one of them has a description."""
        return has_docs(self.test_fields)

    def _meaning(self, field: TestField) -> str:
        """The meaning of the handler's option that a test's option sets."""
        for option in self.spec.options:
            if field.feeds == f"opt.{option.key}" and option.doc:
                return option.doc.partition(";")[0].rstrip(".") + "."
        return ""

    @property
    def test_defaults(self) -> list[Pair]:
        """The options of the test that have a computed default."""
        return [Pair(each.name, each.code.node) for each in self.spec.test if each.code]

    @cached_property
    def fed(self) -> dict[str, str]:
        """The test's options for the event's state, topic and whole data, by that part."""
        found = dict(self._parts)
        return {part: found.get(part, "") for part in _WHOLE}

    @property
    def _parts(self) -> Iterator[tuple[str, str]]:
        for field in self.spec.test:
            table, _, key = field.feeds.partition(".")
            if table != "opt":
                yield key, field.name

    @property
    def test_data(self) -> list[Fed]:
        """The options of the test that set the event's data."""
        return [
            Fed("task_name" if part == "task" else part, option)
            for part, option in self._parts
            if part not in _WHOLE
        ]

    @property
    def test_level(self) -> str:
        """The level of the test's event if no option sets it; "" if any level will do."""
        level = self.sample.test_level
        return level.name if level is not None else ""

    @property
    def test_handler(self) -> list[Fed]:
        """The options of the test that set the handler's."""
        names = {option.key: option.name for option in self.spec.options}
        return [
            Fed(names[field.feeds.removeprefix("opt.")], field.name)
            for field in self.spec.test
            if field.feeds.startswith("opt.")
        ]
