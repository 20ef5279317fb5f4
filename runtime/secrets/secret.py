"""The one type that holds secrets."""

from __future__ import annotations

import base64
import dataclasses
import json
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from runtime.golang.utf8 import is_valid_utf8, scrub

# Shorter secrets are not searched for in logs: they may be words.
_LOGGED_CHARACTERS = 8
# the community of traps in Kapacitor's own files, a part of paths and addresses
_PUBLIC = frozenset(("kapacitor",))


class _Known:
    """The existing secrets, for finding them in strings of unknown origin."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: weakref.WeakValueDictionary[int, Secret]
        self._secrets = weakref.WeakValueDictionary()
        self._pattern: Any = None
        self._count = 0

    def add(self, secret: Secret) -> None:
        """Register `secret` for as long as it exists."""
        with self._lock:
            self._secrets[id(secret)] = secret
            self._pattern = None

    def hide(self, text: str) -> str:
        """`text` with `***` in place of each known secret."""
        with self._lock:
            if not self._secrets:
                return text
            if not is_valid_utf8(text):
                # the pattern accepts only valid UTF-8
                return redact(text, list(self._secrets.values()))
            if self._pattern is None or len(self._secrets) != self._count:
                secrets = list(self._secrets.values())
                self._pattern = _pattern({each._value for each in secrets})
                self._count = len(secrets)
            found: str = self._pattern.sub("***", text)
        return found


class Secret:
    """A string that is never shown: `str`, `repr` and formatting give `***`.

    Only `reveal()` returns it, so every use of the value can be found by name.
    """

    __slots__ = ("__weakref__", "_value", "reference")

    def __init__(
        self,
        value: str = "",
        *,
        is_known: bool = True,
        reference: Mapping[str, str] | None = None,
    ) -> None:
        """Hold a value.

        Args:
            value: the text.
            is_known: True if logs hide it as long as the secret exists; False for
                temporary values.
            reference: reference to its source, if that is not the configuration itself.
        """
        self.reference = reference
        self._value = value
        is_word = len(value) < _LOGGED_CHARACTERS or value in _PUBLIC
        if is_known and not is_word:
            _KNOWN.add(self)

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret cannot be pickled")


_KNOWN = _Known()


def hidden(text: str) -> str:
    """`text` without any secret that this process knows; safe to log."""
    return _KNOWN.hide(text)


# the default of a field of type Secret
NO_SECRET = Secret()


def secrets_in(value: object) -> Iterator[Secret]:
    """The secrets inside a value: a dataclass, a sequence, a mapping or a secret."""
    if isinstance(value, Secret):
        if value:
            yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from secrets_in(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield from secrets_in(tuple(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from secrets_in(item)


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """`text` with `***` for each secret, also where it is encoded in a usual way."""
    found = {form for secret in secrets for form in _forms(secret.reveal())}
    # the longest first: a form may be part of another
    for form in sorted(found, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def _pattern(values: Iterable[str]) -> Any:
    # the generator reads this module too, and must start without it
    import re2

    found = {form for value in values for form in _forms(value)}
    # the longest first: a form may be part of another
    forms = sorted(filter(is_valid_utf8, found), key=len, reverse=True)
    options = re2.Options()
    options.max_mem = 1 << 28
    return re2.compile("|".join(map(re2.escape, forms)), options)


def _forms(value: str) -> Iterator[str]:
    # hiding shorter ones would hide the text around them
    if len(value) < 3:
        return
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    # strings that are not valid UTF-8 are sent in this form
    text = scrub(value)
    yield text
    yield quote(text)
    yield quote(text, safe="")
    yield quote_plus(text)
    yield base64.b64encode(text.encode()).decode()
