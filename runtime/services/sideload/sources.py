"""Directories of values, read once and shared between nodes.

Source: Kapacitor services/sideload/service.go.
"""

from __future__ import annotations

import json
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runtime.errors import KapacitorError
from runtime.golang.quoting import quote
from runtime.golang.yaml import from_yaml

MAX_FILES = 10_000
MAX_BYTES = 16 * 1024 * 1024
_DOCUMENTS = (".yaml", ".yml", ".json")

Values = Mapping[str, Mapping[str, Any]]


class SideloadError(KapacitorError):
    """A source of values cannot be used."""


class Source:
    """The values of one directory. For the compute thread only.

    Attributes:
        directory: absolute path of the directory.
        version: increases when the values are replaced.
    """

    def __init__(self, directory: str, values: Values) -> None:
        self.directory = directory
        self.version = 0
        self._values = values

    def lookup(self, order: Sequence[str], key: str) -> Any:
        """The value of `key` in the first file of `order` that has it, or None."""
        key = posixpath.normpath(key)
        for name in order:
            values = self._values.get(name, {})
            if key in values:
                return values[key]
        return None

    def replace(self, values: Values) -> None:
        """Use `values` for lookups."""
        self._values = values
        self.version += 1


class Sources:
    """The sources in use. For the compute thread only."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}
        self._users: dict[str, int] = {}

    def open(self, source: str) -> Source:
        """The source of a URL; it is read unless another node uses it.

        Raises:
            SideloadError: the URL is not supported, or a file cannot be read.
        """
        directory = directory_of(source)
        found = self._sources.get(directory)
        if found is None:
            found = self._sources[directory] = Source(directory, read(directory))
        self._users[directory] = self._users.get(directory, 0) + 1
        return found

    def close(self, source: Source) -> None:
        """Drop a source when its last node closes it."""
        self._users[source.directory] -= 1
        if not self._users[source.directory]:
            del self._users[source.directory], self._sources[source.directory]

    @property
    def directories(self) -> list[str]:
        """The directories in use, sorted."""
        return sorted(self._sources)

    def replace(self, read: Mapping[str, Values]) -> None:
        """Apply new values of directories that are still used."""
        for directory, values in read.items():
            if directory in self._sources:
                self._sources[directory].replace(values)


def directory_of(source: str) -> str:
    """The directory of a source URL.

    Raises:
        SideloadError: it is not an absolute `file://` URL.
    """
    parts = urlsplit(source)
    if parts.scheme in ("http", "https") or not parts.scheme:
        raise SideloadError(
            f"sideload source {quote(source)} is not supported: this server reads "
            "sideload values from directories only, such as file:///etc/values"
        )
    if parts.scheme != "file":
        raise SideloadError(
            f"unsupported source scheme {quote(parts.scheme)}, "
            "must be 'file', 'http', or 'https'"
        )
    path = unquote(parts.path)
    if not path.startswith("/"):
        raise SideloadError(f"sideload source path must be absolute {quote(path)}")
    # posixpath keeps two leading slashes, Go's Clean does not
    return "/" + posixpath.normpath(path).lstrip("/")


def read(directory: str) -> dict[str, dict[str, Any]]:
    """The values of all files below a directory, by path relative to it.

    Hidden files are left out: `..data` of Kubernetes, for instance.

    Raises:
        SideloadError: a file cannot be read, or there are too many.
    """
    found: dict[str, dict[str, Any]] = {}
    size = 0
    try:
        for path in _files(directory):
            text = _text(path)
            size += len(text)
            if len(found) >= MAX_FILES or size > MAX_BYTES:
                raise SideloadError(
                    f"it contains more than {MAX_FILES} files or {MAX_BYTES} bytes"
                )
            found[os.path.relpath(path, directory)] = _values(path, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _failure(directory, f"open {error.filename}: {reason}") from error
    except SideloadError as error:
        raise _failure(directory, str(error)) from None
    return found


def _failure(directory: str, reason: str) -> SideloadError:
    return SideloadError(
        "failed to update sideload cache for source file "
        f"{quote(directory)}: {reason}"
    )


def _files(directory: str) -> Iterator[str]:
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry.path


def _text(path: str) -> bytes:
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise SideloadError(f"{quote(path)} is not a regular file")
    with Path(path).open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _values(path: str, content: bytes) -> dict[str, Any]:
    suffix = posixpath.splitext(path)[1]
    if suffix not in _DOCUMENTS:
        return {}
    kind = "json" if suffix == ".json" else "yaml"
    try:
        text = content.decode()
        # Go reads all numbers as floats
        values = (
            json.loads(text, parse_int=float) if kind == "json" else from_yaml(text)
        )
        if values is not None and not isinstance(values, dict):
            raise ValueError("the file is not a mapping of keys to values")
    except (ValueError, RecursionError) as error:
        reason = f"failed to unmarshal {kind} values {quote(path)}: {error}"
        raise SideloadError(reason) from None
    return values or {}
