"""The files of the load directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runtime.golang.json_decode import (
    anything,
    decode,
    mapping,
    string,
    struct,
)
from runtime.golang.json_syntax import syntax_error
from runtime.golang.yaml import from_yaml
from runtime.services.alert.specs import HandlerSpec
from runtime.services.httpd.messages import RefusedError
from runtime.services.task_store.bodies import Body

SCRIPTS = (".tick",)
DOCUMENTS = (".yaml", ".yml", ".json")

_SPEC = struct(
    "alert.HandlerSpec",
    {
        "id": string,
        "topic": string,
        "kind": string,
        "options": mapping(anything, "map[string]interface {}"),
        "match": string,
    },
)


def files(directory: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files of a directory with one of the suffixes, by name; none if it is missing.

    Raises:
        OSError: the directory cannot be read.
    """
    try:
        found = sorted(directory.iterdir())
    except FileNotFoundError:
        return
    for path in found:
        if path.suffix in suffixes and path.is_file():
            yield path


def script_body(path: Path) -> Body:
    """What a script says of the task or template that is called like its file.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    return Body(id=path.stem, script=path.read_text(encoding="utf-8"))


def task_body(path: Path) -> Body:
    """What a document says of the templated task that is called like its file.

    Raises:
        OSError, ValueError: it cannot be read, or its values are of wrong types.
    """
    tree = _document(path)
    sources = tree.get("dbrps")
    if isinstance(sources, list):
        tree["dbrps"] = [_dbrp(each) for each in sources]
    known = {key: tree[key] for key in ("template-id", "dbrps", "vars") if key in tree}
    try:
        return Body.of(json.dumps({**known, "id": path.stem}).encode())
    except RefusedError:
        raise ValueError("a value is of a wrong type") from None


def handler_spec(path: Path) -> HandlerSpec:
    """What a document says of a handler.

    Raises:
        OSError, ValueError: it cannot be read, or its values are of wrong types.
        OptionsError: it is named wrongly, or not at all.
    """
    fields = decode(json.dumps(_document(path)).encode(), _SPEC, {}) or {}
    spec = HandlerSpec(
        id=fields.get("id", ""),
        topic=fields.get("topic", ""),
        kind=fields.get("kind", ""),
        options=fields.get("options"),
        match=fields.get("match", ""),
    )
    spec.validate()
    return spec


def _document(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        try:
            value = json.loads(text)
        except ValueError:
            raise ValueError(syntax_error(text.lstrip())) from None
    else:
        value = from_yaml(text)
    if not isinstance(value, dict):
        raise ValueError("the file holds no mapping")
    return value


def _dbrp(source: object) -> object:
    """`telegraf.autogen` or `"telegraf"."autogen"` as the API has it.

    Raises:
        ValueError: it has another form.
    """
    if not isinstance(source, str):
        return source
    first, rest = _name(source)
    second, end = _name(rest.removeprefix("."))
    if not rest.startswith(".") or end or not first or not second:
        raise ValueError(
            f"dbrp {source} is not of the form "
            '"dbname"."rpname" where the quotes are optional'
        )
    return {"db": first, "rp": second}


def _name(text: str) -> tuple[str, str]:
    """The name at the start of `text`, without quotes, and what follows it."""
    if not text.startswith('"'):
        name, dot, rest = text.partition(".")
        return name, dot + rest
    end = 1
    while end < len(text) and text[end] != '"':
        end += 2 if text[end] == "\\" else 1
    return text[1:end].replace('\\"', '"'), text[end + 1 :]
