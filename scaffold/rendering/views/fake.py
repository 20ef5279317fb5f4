"""The view for the template of the fake server."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import NamedTuple

from scaffold.expressions.code import Type
from scaffold.names import camel_case, identifier, snake_case
from scaffold.rendering.views.view import View
from scaffold.spec.model.requests import RequestSpec

_MESSAGE_TYPES = {
    Type.STR: "str",
    Type.INT: "int",
    Type.FLOAT: "float",
    Type.BOOL: "bool",
    Type.DURATION: "int",
    Type.TIME: "int",
    Type.LIST: "list[object]",
    Type.VALUES: "list[object]",
    Type.MAP: "dict[str, str]",
    Type.FIELDS: "dict[str, object]",
}
# names that the body of the message's class uses
_MESSAGE_NAMES = ("bool", "dict", "float", "int", "list", "msgspec", "object", "str")


class MessageField(NamedTuple):
    """A field of a message.

    Attributes:
        name: its name in Python.
        annotation: its type.
        key: its key in the request where that is another, or None.
        is_optional: True if it may be missing.
    """

    name: str
    annotation: str
    key: ast.expr | None
    is_optional: bool


class Message(NamedTuple):
    """A kind of message.

    Attributes:
        name: its class.
        fields: its fields; empty for a source without fields.
        forbids_unknown: True if it has no others.
    """

    name: str
    fields: list[MessageField]
    forbids_unknown: bool

    @property
    def has_optional(self) -> bool:
        """True if a field may be missing."""
        return any(each.is_optional for each in self.fields)


class FakeView(View):
    """The fake server."""

    @cached_property
    def source(self) -> str:
        """The part of the request that holds a message: `json`, `form`, `query` or `text`."""
        kinds = {each.body_kind for each in self.spec.requests}
        if kinds == {"json"} and all(_is_table(each) for each in self.spec.requests):
            return "json"
        if kinds == {"form"}:
            return "form"
        if kinds == {""} and all(each.query for each in self.spec.requests):
            return "query"
        return "text"

    @cached_property
    def messages(self) -> list[Message]:
        """The messages of the requests, each kind once."""
        if self.source == "text":
            return [Message("Message", [], False)]
        found: list[Message] = []
        for each in self.spec.requests:
            fields, is_closed = self._fields(each), self._is_closed(each)
            made = Message(_message_name(each), fields, is_closed)
            if all(made.fields != other.fields for other in found):
                found.append(made)
        names = [each.name for each in found]
        return [
            (
                each._replace(name=f"{each.name}{names[:index].count(each.name) + 1}")
                if names.count(each.name) > 1
                else each
            )
            for index, each in enumerate(found)
        ]

    @property
    def union(self) -> str:
        """The type of a message."""
        return " | ".join(each.name for each in self.messages)

    @property
    def listed(self) -> str:
        """The classes of messages, as arguments."""
        return ", ".join(each.name for each in self.messages)

    def _fields(self, request: RequestSpec) -> list[MessageField]:
        """The fields of the message of a request."""
        names: dict[str, str] = {}
        found = []
        for key, (annotation, is_optional) in self._keys(request).items():
            if is_optional and annotation != "object":
                annotation += " | None"
            name = _field_name(key, names)
            literal = ast.Constant(key) if name != key else None
            found.append(MessageField(name, annotation, literal, is_optional))
        return found

    def _keys(self, request: RequestSpec) -> dict[str, tuple[str, bool]]:
        """By key: the type of its value, and true if it may be missing."""
        if self.source == "query":
            return {
                name: ("str", each.is_optional or each.code.type is not Type.STR)
                for name, each in (request.query or {}).items()
                if not each.is_merged
            }
        assert request.body is not None
        is_form = self.source == "form"
        return {
            # a list repeats its key for each item, so an empty list omits it
            key: (
                ("str", is_optional or type_ is not Type.STR)
                if is_form
                else (_MESSAGE_TYPES.get(type_, "object"), is_optional)
            )
            for key, type_, is_optional in request.body.entries
        }

    def _is_closed(self, request: RequestSpec) -> bool:
        """True if all keys of the message are known."""
        if self.source == "query":
            return not any(each.is_merged for each in (request.query or {}).values())
        return request.body is None or not request.body.is_open

    @property
    def bodied_steps(self) -> ast.expr | None:
        """The names of steps, if their answers need another status than those of deliveries."""
        if self.sample.good_status in range(200, 300) and self.sample.has_good_body:
            return None
        names = [ast.Constant(each.name) for each in self.spec.steps]
        return ast.Tuple([*names]) if names else None

    @property
    def status(self) -> int:
        """The status of its answers if that is not 200, else 0."""
        status = self.sample.good_status
        return status if status != 200 else 0

    @property
    def body(self) -> ast.expr | None:
        """The body that it answers, or None."""
        return ast.Constant(self.sample.accepted) if self.sample.accepted else None


def _message_name(request: RequestSpec) -> str:
    """The class of the messages of a request: `Message`, of a step `LoginMessage`."""
    word = camel_case(request.key)
    return f"{word[:1].upper()}{word[1:]}Message"


def _is_table(request: RequestSpec) -> bool:
    """True if a body is a table of the spec, not a list or the value of an expression."""
    body = request.body
    return body is not None and (bool(body.entries) or body.is_open)


def _field_name(key: str, taken: dict[str, str]) -> str:
    """A name for a field of the message; JSON keys may be anything."""
    name = re.sub("[^a-z0-9]+", "_", snake_case(key)).strip("_")
    if not name or name[0].isdigit():
        name = f"key_{name}".rstrip("_")
    name = identifier(name)
    while name in taken or name in _MESSAGE_NAMES:
        name += "_"
    taken[name] = key
    return name
