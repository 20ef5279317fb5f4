"""What a client says about a handler of a topic, checked and stored."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from runtime import secret_names
from runtime.alert.types import Handler
from runtime.errors import OptionsError, StoreError
from runtime.golang.quoting import quote
from runtime.secret_names import HIDDEN, is_secret_name
from runtime.secrets import Secret
from runtime.settings import key_of
from runtime.store import Store

_BUCKET = "handler-specs"


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """A handler of a topic, as it was defined.

    Attributes:
        id: unique on its topic.
        topic: whose events it gets.
        kind: `hipchat`, …
        options: as sent; None if none were.
        match: lambda expression that decides about each event; "" takes all.
    """

    id: str
    topic: str
    kind: str
    options: Mapping[str, Any] | None = field(default=None, repr=False)
    match: str = ""

    def validate(self) -> None:
        """Check the names.

        Raises:
            OptionsError: one is missing or malformed.

        Source: Kapacitor services/alert, HandlerSpec.Validate. The text about the topic
            names the handler's id there too.
        """
        problem = ""
        allowed = "must contain only letters, numbers, '-', '.' and '_'."
        if not _is_name(self.topic, "-:._"):
            problem = f"handler topic {allowed} {quote(self.id)}"
        elif not _is_name(self.id, "-._"):
            problem = f"handler ID {allowed} {quote(self.id)}"
        elif not self.kind:
            problem = "handler Kind must not be empty"
        if problem:
            raise OptionsError(f"invalid handler spec: {problem}")

    @property
    def tree(self) -> dict[str, Any]:
        """The fields in the order of Kapacitor's JSON; the options are not redacted."""
        return {
            "id": self.id,
            "topic": self.topic,
            "kind": self.kind,
            "options": self.options,
            "match": self.match,
        }


class HandlerSpecs:
    """The stored specs, each known by topic and id."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[HandlerSpec]:
        """Every spec.

        Raises:
            StoreError: one is damaged.
        """
        return [_decoded(key, value) for key, value in self._store.items(_BUCKET)]

    def put(self, spec: HandlerSpec) -> None:
        """Store a spec in the place of the one of that id."""
        self._store.put(_BUCKET, _key(spec.topic, spec.id), msgspec.json.encode(spec))

    def delete(self, topic: str, handler: str) -> None:
        """Forget a spec, if there is one."""
        self._store.delete(_BUCKET, _key(topic, handler))


def redacted(options: Mapping[str, Any] | None, handler: Handler | None) -> Any:
    """The options without secrets: what the API shows.

    Args:
        options: of a spec.
        handler: made from them, whose options have types; None where it does not run.
    """
    if options is None:
        return None
    hidden = _secret_keys(handler)
    return {
        key: _shown(value) if not _is_secret(key, hidden) else value and HIDDEN
        for key, value in sorted(options.items())
    }


def restored(
    options: Mapping[str, Any] | None, before: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """`options` with the secrets of `before` where a client sent back what hides them."""
    if options is None or not before:
        return options
    return {
        key: _restored(value, before.get(key)) if key in before else value
        for key, value in options.items()
    }


def _shown(value: Any) -> Any:
    return secret_names.hidden(value) if isinstance(value, Mapping) else value


def _restored(value: Any, before: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(before, Mapping):
        return secret_names.restored(value, before)
    return before if value == HIDDEN else value


def _is_secret(key: str, hidden: set[str] | None) -> bool:
    # options of handlers that do not run have no types
    if hidden is None:
        return is_secret_name(key)
    return key.casefold() in hidden


def _secret_keys(handler: Handler | None) -> set[str] | None:
    options = getattr(handler, "options", None)
    fields = getattr(options, "__dataclass_fields__", None)
    if fields is None:
        return None
    return {
        key_of(each).casefold()
        for each in fields.values()
        if isinstance(getattr(options, each.name), Secret)
    }


def _key(topic: str, handler: str) -> str:
    return f"{topic}/{handler}"


def _decoded(key: str, value: bytes) -> HandlerSpec:
    try:
        return msgspec.json.decode(value, type=HandlerSpec)
    except msgspec.MsgspecError as error:
        raise StoreError(f"stored handler {key} is damaged: {error}") from error


def _is_name(text: str, extra: str) -> bool:
    """Whether `text` has only letters, ASCII digits and `extra`, and any of them."""
    return bool(text) and all(
        char in extra or char in "0123456789" or unicodedata.category(char)[0] == "L"
        for char in text
    )
