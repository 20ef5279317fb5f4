"""Definitions of topic handlers by clients, checked and stored."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from runtime.errors import InvalidError, OptionsError
from runtime.golang.json_decode import anything, decode, mapping, string, struct
from runtime.golang.quoting import quote
from runtime.secrets import Secret, mappings
from runtime.secrets.names import HIDDEN, is_placeholder, is_secret_name
from runtime.secrets.urls import hidden_url, is_url_name
from runtime.settings import former_names, key_of
from runtime.store.database import Store
from runtime.store.records import id_fault

_BUCKET = "handler-specs"

FIELDS = {
    "id": string,
    "topic": string,
    "kind": string,
    "options": mapping(anything, "map[string]interface {}"),
    "match": string,
}
_SPEC = struct("alert.HandlerSpec", FIELDS)


class PlaceholderError(InvalidError):
    """An option contains a placeholder without a known secret."""

    def __init__(self, option: str, shown: str = HIDDEN) -> None:
        super().__init__(
            f"option {option} has {shown} in place of a secret that is not stored "
            f"here: "
            "write the secret or, better, move it to the configuration"
        )


@dataclass(frozen=True, slots=True)
class HandlerSpec:
    """A handler of a topic, as it was defined.

    Attributes:
        id: unique on its topic.
        topic: topic that the handler listens to.
        kind: `hipchat`, …
        options: options as sent; None if absent.
        match: lambda expression that selects events; "" for all.
        is_listed: True if only a list of the configuration allowed the handler, which
            is then suspended when its entry is removed.
    """

    id: str
    topic: str
    kind: str
    options: Mapping[str, Any] | None = field(default=None, repr=False)
    match: str = ""
    is_listed: bool = False

    @classmethod
    def received(cls, fields: Mapping[str, Any]) -> HandlerSpec:
        """The spec with these decoded fields, after a check of its names.

        Raises:
            OptionsError: a name is missing or malformed.
        """
        spec = cls(
            id=fields.get("id") or "",
            topic=fields.get("topic") or "",
            kind=fields.get("kind") or "",
            options=fields.get("options"),
            match=fields.get("match") or "",
        )
        spec.validate()
        return spec

    def validate(self) -> None:
        """Check the names.

        Raises:
            OptionsError: a name is missing or malformed.

        Source: Kapacitor services/alert, HandlerSpec.Validate. The text about the topic
            names the handler's id there too.
        """
        problem = ""
        allowed = "must contain only letters, numbers, '-', '.' and '_'."
        if fault := id_fault(self.topic):
            problem = f"handler topic {fault}"
        elif fault := id_fault(self.id):
            problem = f"handler ID {fault}"
        elif not _is_name(self.topic, "-:._"):
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
    """The stored specs, by topic and id."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[HandlerSpec]:
        """Every spec; damaged ones are rejected."""
        return [spec for _, spec in self._store.values.decoded(_BUCKET, _decoded)]

    def reject(self, spec: HandlerSpec, reason: str) -> None:
        """Note that a spec cannot be used."""
        self._store.values.reject(_BUCKET, _key(spec.topic, spec.id), reason)

    def put(self, spec: HandlerSpec) -> None:
        """Store a spec, in place of any spec with the same id."""
        self._store.values.put(
            _BUCKET, _key(spec.topic, spec.id), msgspec.json.encode(spec)
        )

    def delete(self, topic: str, handler: str) -> None:
        """Delete a spec, if it exists."""
        self._store.values.delete(_BUCKET, _key(topic, handler))


def decoded_fields(body: bytes) -> dict[str, Any]:
    """The fields of a spec in JSON, without defaults for missing ones.

    Raises:
        JsonError: the JSON is malformed, or a field has the wrong type.
    """
    return dict(decode(body, _SPEC, {}) or {})


def redacted(options: Mapping[str, Any] | None, typed: object) -> Any:
    """The options with secrets redacted, for the API.

    Args:
        options: options of a spec.
        typed: decoded options; None if no handler runs.
    """
    if options is None:
        return None
    hidden = _secret_keys(typed)
    return {
        key: _shown(key, value) if not _is_secret(key, hidden) else value and HIDDEN
        for key, value in sorted(options.items())
    }


def restored(
    options: Mapping[str, Any] | None, before: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """`options` with secrets of `before` in place of placeholders.

    Raises:
        PlaceholderError: a placeholder stands for an unknown secret.
    """
    known = {key.casefold(): value for key, value in (before or {}).items()}
    found = {
        key: _restored(key, value, known.get(key.casefold()))
        for key, value in (options or {}).items()
    }
    for key, value in found.items():
        if name := _unknown(key, value):
            raise PlaceholderError(name)
    return options and found


def check_secrets(options: Any) -> None:
    """Refuse options with a placeholder for a secret.

    Raises:
        PlaceholderError: a secret is a placeholder.
    """
    for each in dataclasses.fields(options) if _secret_keys(options) else ():
        value = getattr(options, each.name)
        if isinstance(value, Secret) and is_placeholder(value.reveal()):
            raise PlaceholderError(key_of(each), value.reveal())


def _shown(key: str, value: Any) -> Any:
    if isinstance(value, str) and is_url_name(key):
        return hidden_url(value)
    return mappings.hidden(value) if isinstance(value, Mapping) else value


def _restored(key: str, value: Any, before: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(before, Mapping):
        return mappings.restored(value, before)
    if isinstance(value, str) and isinstance(before, str) and is_url_name(key):
        is_hidden = is_placeholder(value) or value == hidden_url(before)
        return before if is_hidden else value
    is_hidden = value == HIDDEN or (is_placeholder(value) and is_secret_name(key))
    return before if before is not None and is_hidden else value


def _unknown(key: str, value: Any) -> str:
    """The first placeholder without a known secret, if there is one."""
    if isinstance(value, Mapping):
        return next((f"{key}.{name}" for name in mappings.unknown(value)), "")
    if not isinstance(value, str):
        return ""
    is_hidden = is_placeholder(value) and is_secret_name(key)
    return key if is_hidden or (HIDDEN in value and is_url_name(key)) else ""


def _is_secret(key: str, hidden: set[str] | None) -> bool:
    # options of handlers that do not run have no types
    if hidden is None:
        return is_secret_name(key)
    return key.casefold() in hidden


def _secret_keys(options: object) -> set[str] | None:
    if not dataclasses.is_dataclass(options):
        return None
    return {
        name.casefold()
        for each in dataclasses.fields(options)
        if isinstance(getattr(options, each.name), Secret)
        for name in (key_of(each), *former_names(each))
    }


def _key(topic: str, handler: str) -> str:
    return f"{topic}/{handler}"


def _decoded(key: str, value: bytes) -> HandlerSpec:
    spec = msgspec.json.decode(value, type=HandlerSpec)
    if _key(spec.topic, spec.id) != key:
        raise OptionsError("it is stored under another ID")
    return spec


def _is_name(text: str, extra: str) -> bool:
    """True if `text` is not empty and has only letters, ASCII digits and `extra`."""
    return bool(text) and all(
        char in extra or char in "0123456789" or unicodedata.category(char)[0] == "L"
        for char in text
    )
