"""The OpenAPI document of the API, created from its routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from runtime.services.httpd.messages import BASE, PREVIEW, Answer, Request, pretty
from runtime.services.httpd.openapi_operations import (
    BYTES,
    JSON,
    OPERATIONS,
    PARAMETERS,
    Operation,
)
from runtime.services.httpd.openapi_schemas import (
    ANY_OBJECT,
    SCHEMAS,
    Schema,
    list_of,
    ref,
)
from runtime.services.httpd.router import Router

_NAME = re.compile(r"\{([a-z]+)\}")
_BASES = {"v1": BASE, "preview": PREVIEW, "": ""}


def document(router: Router, version: str) -> dict[str, Any]:
    """The document for the routes of `router`."""
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        if pattern_of(each, router):
            item = paths.setdefault(_full(each), {})
            item[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Kapacitor-compatible alert runtime",
            "version": version,
            "license": {"name": "MIT"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "password": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
        # credentials are optional here, as servers may or may not require them
        "security": [{}, {"password": []}, {"token": []}],
    }


def pattern_of(operation: Operation, router: Router) -> str:
    """The pattern of the route that answers an operation; "" if there is none."""
    # an example path: the names themselves serve as values
    path = _NAME.sub(r"\1", _full(operation))
    found = router.find(operation.method, path)
    return "" if found is None else found.path.removesuffix(found.rest)


class OpenAPI:
    """Answers with the document of the current routes."""

    def __init__(self, router: Router, version: str) -> None:
        self._router = router
        self._version = version

    async def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        return pretty(document(self._router, self._version))


def _full(operation: Operation) -> str:
    return _BASES[operation.base] + operation.path


def _operation(each: Operation) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "operationId": _id(each),
        "summary": each.summary,
        "tags": [_tag(each)],
        "responses": {
            str(each.status): _success(each),
            "default": _failure(each),
        },
    }
    if parameters := [*_in_path(each), *_in_query(each)]:
        tree["parameters"] = parameters
    if each.sends == "Lines":
        lines = {"text/plain": {"schema": {"type": "string"}}}
        tree["requestBody"] = {"required": True, "content": lines}
    elif each.sends:
        content = {JSON: {"schema": _schema(each.sends)}}
        tree["requestBody"] = {"required": True, "content": content}
    return tree


def _failure(each: Operation) -> dict[str, Any]:
    if each.sends == "Lines":
        # Kapacitor labels this line of text as JSON
        content: dict[str, Any] = {"type": "string", "description": "Plain text."}
        schema: Schema = {"oneOf": [content, ref("Error")]}
        return {
            "description": "Error. Its body is a line of plain text in spite of the media type, "
            "or an object if the request was refused before its points were read.",
            "content": {JSON: {"schema": schema}},
        }
    return {
        "description": "Error.",
        "content": {JSON: {"schema": ref("Error")}},
    }


def _success(each: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Success."}
    if each.gives:
        answer["content"] = {each.media: {"schema": _schema(each.gives)}}
    elif each.media != JSON:
        text: Schema = {"type": "string"}
        if each.media == BYTES:
            text["format"] = "binary"
        answer["content"] = {each.media: {"schema": text}}
    return answer


def _schema(name: str) -> Schema:
    if name == "AnyObject":
        return ANY_OBJECT
    if name == "Routes":
        methods = list_of({"type": "string"})
        return {"type": "object", "additionalProperties": methods}
    return ref(name)


def _in_path(each: Operation) -> Iterator[dict[str, Any]]:
    for name in _NAME.findall(each.path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
        }


def _in_query(each: Operation) -> Iterator[dict[str, Any]]:
    for name in each.query:
        kind, description = PARAMETERS[name]
        schema = list_of({"type": "string"}) if kind == "array" else {"type": kind}
        yield {
            "name": name,
            "in": "query",
            "description": description,
            "schema": schema,
        }


def _id(each: Operation) -> str:
    words = re.findall(r"[a-z]+", each.path)
    name = "".join(word.capitalize() for word in words)
    # the same path may exist below several bases
    where = {"v1": "", "preview": "Preview", "": "Root"}[each.base]
    return each.method.lower() + where + name


def _tag(each: Operation) -> str:
    first = each.path.removeprefix("/").partition("/")[0]
    known = {"alerts", "config", "deliveries", "recordings", "replays", "service-tests"}
    known |= {"storage", "tasks", "templates", "users"}
    return first if first in known else "server"
