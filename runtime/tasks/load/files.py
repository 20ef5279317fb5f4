"""The files of the load directory."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import KapacitorError, RefusedError
from runtime.golang.json_syntax import syntax_error
from runtime.golang.yaml import from_yaml
from runtime.services.alert.specs import FIELDS, HandlerSpec, decoded_fields
from runtime.suggestions import check_keys
from runtime.tasks.api.bodies import Body

SCRIPTS = (".tick",)
DOCUMENTS = (".yaml", ".yml", ".json")
# Larger files are not definitions. Nor are documents with more values, each of which
# takes 20 µs.
MAX_BYTES = 8 * 1024 * 1024
MOST_VALUES = 25_000

_TASK_KEYS = ("id", "template-id", "dbrps", "vars")


class FileError(KapacitorError):
    """A file of the directory cannot be loaded."""


@dataclass(frozen=True, slots=True)
class File:
    """A file with a definition.

    Attributes:
        path: its location.
        name: path below the load directory: `tasks/cpu.tick`.
    """

    path: Path
    name: str

    @property
    def id(self) -> str:
        """The id of a task or template in it."""
        return self.path.stem

    @property
    def is_script(self) -> bool:
        """True for TICKscript, false for YAML and JSON."""
        return self.path.suffix in SCRIPTS

    def text(self) -> str:
        """The content of the file.

        Raises:
            FileError: the file cannot be read, is not a regular file, too large or not
                UTF-8.
        """
        try:
            # reading a pipe would never end
            if not stat.S_ISREG(self.path.stat().st_mode):
                kind = "a directory" if self.path.is_dir() else "not a regular file"
                raise FileError(f"it is {kind}")
            with self.path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise FileError((error.strerror or str(error)).lower()) from error
        if len(content) > MAX_BYTES:
            raise FileError(f"it has more than {MAX_BYTES} bytes")
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise FileError(f"it is not UTF-8 text: byte {error.start}") from None


def listed(directory: Path, kind: str, suffixes: tuple[str, ...]) -> list[File]:
    """The files of one kind by name, scripts first; none if their folder is missing.

    Raises:
        OSError: the folder cannot be read.
    """
    try:
        found = sorted((directory / kind).iterdir())
    except FileNotFoundError:
        return []
    files = [
        File(path, f"{kind}/{path.name}") for path in found if path.suffix in suffixes
    ]
    return sorted(files, key=lambda each: not each.is_script)


def digest(texts: Sequence[str]) -> str:
    """A digest of the content of files."""
    joined = json.dumps(texts)
    return hashlib.sha256(joined.encode()).hexdigest()


def task_body(file: File, text: str) -> Body:
    """The task that a document defines; its id is the name of the file.

    Raises:
        FileError: it cannot be read, or its values are of wrong types.
    """
    tree = _document(file, text, _TASK_KEYS)
    tree.setdefault("id", file.id)
    if tree["id"] != file.id:
        raise FileError(f"its ID must be that of the file, {file.id}")
    sources = tree.get("dbrps")
    if isinstance(sources, list):
        tree["dbrps"] = [_dbrp(each) for each in sources]
    try:
        return Body.of(json.dumps(tree).encode())
    except RefusedError:
        raise FileError("a value has the wrong type") from None


def handler_spec(file: File, text: str) -> HandlerSpec:
    """The handler that a document defines.

    Raises:
        FileError: it cannot be read, has unknown keys or values of wrong types.
        OptionsError: its id or topic is missing or malformed.
    """
    tree = _document(file, text, tuple(FIELDS))
    try:
        fields = decoded_fields(json.dumps(tree).encode())
    except ValueError as error:
        raise FileError(str(error)) from None
    return HandlerSpec.received(fields)


def _document(file: File, text: str, known: tuple[str, ...]) -> dict[str, Any]:
    """The mapping in a file, with the known keys as they are usually written."""
    try:
        value = _read(file, text)
        if not isinstance(value, dict):
            raise FileError("the file does not contain a mapping")
        check_keys(value, known)
    except RecursionError:
        raise FileError("it is nested too deeply") from None
    except ValueError as error:
        raise FileError(str(error)) from None
    return {key.lower(): each for key, each in value.items()}


def _read(file: File, text: str) -> Any:
    if file.path.suffix != ".json":
        return from_yaml(text, MOST_VALUES)
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(syntax_error(text.lstrip())) from None


def _dbrp(source: object) -> object:
    """`telegraf.autogen` or `"telegraf"."autogen"` in the form of the API.

    Raises:
        FileError: it has another form.
    """
    if not isinstance(source, str):
        return source
    first, rest = _name(source)
    second, end = _name(rest.removeprefix("."))
    if not rest.startswith(".") or end or not first or not second:
        raise FileError(
            f"dbrp {source} is not of the form "
            '"dbname"."rpname" where the quotes are optional'
        )
    return {"db": first, "rp": second}


def _name(text: str) -> tuple[str, str]:
    """The name at the start of `text`, without quotes, and the rest of `text`."""
    if not text.startswith('"'):
        name, dot, rest = text.partition(".")
        return name, dot + rest
    end = 1
    while end < len(text) and text[end] != '"':
        end += 2 if text[end] == "\\" else 1
    return text[1:end].replace('\\"', '"'), text[end + 1 :]
