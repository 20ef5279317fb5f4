"""`sideload`: fields and tags looked up in files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from runtime.errors import TaskError
from runtime.frames import Point, Value
from runtime.golang.numbers import plain
from runtime.golang.templates import GoTemplate, StringMap, TemplateError, text
from runtime.nodes.environment import Environment
from runtime.nodes.pointwise import PointwiseNode
from runtime.pipeline import sideload as pipeline
from runtime.services.sideload.sources import SideloadError

# Number of cached lookups, each for a combination of tags.
_REMEMBERED = 10_000
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_FLOAT = re.compile(
    r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE
)
_GO_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string"}


class _Problem(NamedTuple):
    """An error of the lookup, logged for each point with the same tags."""

    message: str
    reason: str
    details: Mapping[str, str]


class _Looked(NamedTuple):
    """The result of a lookup."""

    fields: Mapping[str, Value]
    tags: Mapping[str, str]
    problems: tuple[_Problem, ...] = ()


class SideloadNode(PointwiseNode):
    """Adds fields and tags from files, or their defaults.

    Source: Kapacitor sideload.go.
    """

    is_grouped = False

    def __init__(self, spec: pipeline.SideloadNode, environment: Environment) -> None:
        super().__init__(spec, environment)
        self._fields: dict[str, Value] = {
            name: value
            for name, value in spec.fields.items()
            if isinstance(value, float | int | str | bool)
        }
        self._tags = spec.tags
        try:
            self._order = [_parsed(each) for each in spec.order]
            self._source = environment.sideload.open(spec.source)
        except (TemplateError, SideloadError) as error:
            raise TaskError(f"{self.name}: {error}") from None
        self._version = self._source.version
        self._known: dict[frozenset[tuple[str, str]], _Looked] = {}

    def apply(self, point: Point, group: str) -> Point | None:
        """The point with the values of its tags."""
        looked = self._looked(point.tags)
        for message, reason, details in looked.problems:
            self.error(message, reason, **details)
        if not looked.fields and not looked.tags:
            return point
        return point.replace(
            fields={**point.fields, **looked.fields},
            tags={**point.tags, **looked.tags},
        )

    def close(self) -> None:
        """Release the source."""
        self.environment.sideload.close(self._source)

    def _looked(self, tags: Mapping[str, str]) -> _Looked:
        # the files have been reloaded
        if self._version != self._source.version:
            self._version = self._source.version
            self._known.clear()
        # all tags, as the tags that a template uses are not known before it runs
        key = frozenset(tags.items())
        found = self._known.get(key)
        if found is None:
            # dropping all at once is cheaper than tracking the use of each
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._look(tags)
        return found

    def _look(self, tags: Mapping[str, str]) -> _Looked:
        order = []
        data = StringMap(dict(tags))
        for template in self._order:
            try:
                order.append(template.render(data))
            except TemplateError as error:
                problem = _Problem(
                    "failed to evaluate order template",
                    str(error),
                    {"order": template.source},
                )
                return _Looked({}, {}, (problem,))
        problems: list[_Problem] = []
        fields = {
            name: self._value(order, name, default, problems)
            for name, default in self._fields.items()
        }
        texts = {
            name: str(self._value(order, name, default, problems))
            for name, default in self._tags.items()
        }
        return _Looked(fields, texts, tuple(problems))

    def _value(
        self, order: list[str], name: str, default: Value, problems: list[_Problem]
    ) -> Value:
        value = self._source.lookup(order, name)
        if value is None:
            return default
        # Go reads all numbers as floats
        if isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        try:
            return converted(value, default)
        except ValueError as error:
            details = {
                "key": name,
                "expected": _go_type(default),
                "got": _go_type(value),
            }
            problems.append(_Problem("failed to load key", str(error), details))
            return default


def _parsed(source: str) -> GoTemplate:
    return text(source, "order")


def converted(value: object, default: Value) -> Value:
    """A document's value as one of the default's type.

    Raises:
        ValueError: it cannot be converted without loss.

    Source: Kapacitor sideload.go, convertType.
    """
    wanted = type(default)
    if isinstance(value, str) and wanted is not str:
        return _from_text(value, wanted)
    if wanted is str and isinstance(value, bool):
        return "true" if value else "false"
    if wanted is str and isinstance(value, float):
        return plain(value)
    # numbers in files are floats; integral ones are accepted for ints
    if wanted is int and isinstance(value, float) and _is_integer(value):
        return int(value)
    if isinstance(value, float | str | bool) and wanted is type(value):
        return value
    raise ValueError(
        f"cannot convert value of type {_go_type(value)} to type {_go_type(default)}"
    )


def _is_integer(value: float) -> bool:
    return value.is_integer() and -(2**63) <= value < 2**63


def _from_text(text: str, wanted: type) -> Value:
    if wanted is bool and text in _TRUE | _FALSE:
        return text in _TRUE
    if wanted is int and _INTEGER.fullmatch(text) and _is_integer(float(text)):
        return int(text)
    if wanted is float and _FLOAT.fullmatch(text):
        return float(text)
    raise ValueError(f"cannot convert string to {_GO_TYPES[wanted]}")


def _go_type(value: object) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return _GO_TYPES[type(value)]
