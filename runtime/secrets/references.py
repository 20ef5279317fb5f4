"""References to secrets in a file or in a variable of the environment.

Written in place of a secret: `{ file = "/run/secrets/token" }`, `{ env = "TOKEN" }`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runtime.errors import ConfigError
from runtime.secrets import Secret
from runtime.secrets.texts import check_characters, trimmed

_KINDS = ("file", "env")
_MAX_BYTES = 64 * 1024


class Reference(NamedTuple):
    """A reference to a secret: a file or an environment variable.

    Attributes:
        kind: `file` or `env`.
        name: an absolute path, or the name of a variable.
    """

    kind: str
    name: str


def reference(value: object) -> Reference | None:
    """`value` as a reference; None if it is not one."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    [(kind, name)] = value.items()
    if kind not in _KINDS or not isinstance(name, str):
        return None
    return Reference(kind, name)


def references_in(value: object) -> Iterator[Reference]:
    """All references inside a tree."""
    found = reference(value)
    if found is not None:
        yield found
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from references_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from references_in(each)


def read(found: Reference) -> Secret:
    """The current secret at that place, trimmed as by `secret_texts.trimmed`.

    Raises:
        ConfigError: the secret is missing, or not one line; the error does not show it.
    """
    if found.kind == "env":
        text = os.environ.get(found.name, "")
        problem = "is not set or empty"
    else:
        text, problem = _text(Path(found.name))
    text = trimmed(text)
    what = "variable" if found.kind == "env" else "file"
    if not text:
        raise ConfigError(f"the {what} {found.name} for a secret {problem}")
    try:
        check_characters(text)
    except ConfigError as error:
        raise ConfigError(f"the {what} {found.name} for a secret: {error}") from None
    return Secret(text, reference=dict([found]))


def _text(path: Path) -> tuple[str, str]:
    """The content of a file, or the problem with it."""
    if not path.is_absolute():
        return "", "must be named by its absolute path"
    try:
        # a pipe without a writer would block
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return "", "is not a regular file"
            content = os.read(descriptor, _MAX_BYTES + 1)
        finally:
            os.close(descriptor)
        if len(content) > _MAX_BYTES:
            return "", f"has more than {_MAX_BYTES} bytes"
        return content.decode(), "is empty"
    except UnicodeDecodeError:
        return "", "is not UTF-8 text"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is wrong"
        return "", f"cannot be read: {str(reason).lower()}"


def literal(secret: Secret) -> Any:
    """A secret of a configuration file: a string, or a reference."""
    return secret.reference or secret.reveal()
