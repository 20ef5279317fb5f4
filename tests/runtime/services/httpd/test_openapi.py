"""The OpenAPI document against the routes of a whole server."""

import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.server.config.sections import AuthConfig
from runtime.services.httpd.messages import BASE
from runtime.services.httpd.openapi import pattern_of
from runtime.services.httpd.openapi_operations import (
    OPERATIONS,
    PARAMETERS,
    Operation,
)
from runtime.version import VERSION

# Routes that only answer `Not Found`, as clients expect.
NOTHING = frozenset(
    (
        *((method, "/tasks/") for method in ("POST", "PUT")),
        *((method, "/templates/") for method in ("POST", "PUT")),
        *((m, "/alerts/topics") for m in ("POST", "PUT", "PATCH", "DELETE")),
    )
)
METHODS = {"get", "head", "post", "put", "patch", "delete"}


@pytest.fixture
def api(config: Any, start_api: Any) -> Any:
    """A server with all that can be switched on."""
    config.auth = dataclasses.replace(AuthConfig(), enabled=True, bcrypt_cost=4)
    return start_api(config)


@pytest.fixture
def document(api: Any) -> Any:
    return api.json("GET", "/openapi.json")


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_every_route_is_described(api: Any) -> None:
    router = api.server.http.router
    described = {(each.method, pattern_of(each, router)) for each in OPERATIONS}
    described |= {(method, BASE + path) for method, path in NOTHING}
    routes = router.routes().items()
    every = {(method, pattern) for pattern, methods in routes for method in methods}
    assert len(every) > 50
    assert every <= described


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each[:2])
def test_every_description_has_a_route(api: Any, operation: Operation) -> None:
    assert pattern_of(operation, api.server.http.router)


@pytest.mark.parametrize(("method", "path"), sorted(NOTHING))
def test_what_is_left_out_answers_nothing(api: Any, method: str, path: str) -> None:
    rest = "x" if path.endswith("/") else ""
    assert api.ask(method, path + rest, "{}") == (404, "Not Found")


def test_the_document_is_whole(document: Any) -> None:
    assert document["openapi"].startswith("3.0.")
    assert document["info"]["version"] == VERSION
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(document):
        assert method in METHODS
        assert operation["responses"]
        said = {
            each["name"]
            for each in operation.get("parameters", ())
            if each["in"] == "path"
        }
        assert said == set(re.findall(r"\{(\w+)\}", path))


def test_every_reference_leads_somewhere(document: Any) -> None:
    schemas = document["components"]["schemas"]
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert used == set(schemas)


def test_every_parameter_is_used() -> None:
    assert {name for each in OPERATIONS for name in each.query} == set(PARAMETERS)


def test_users_are_left_out_where_there_are_none(config: Any, start_api: Any) -> None:
    document = start_api(config).json("GET", "/openapi.json")
    assert "/kapacitor/v1/users" not in document["paths"]
    assert "/kapacitor/v1/tasks/{id}" in document["paths"]


def test_what_a_task_and_a_topic_show_is_what_is_described(
    api: Any, document: Any
) -> None:
    schemas = document["components"]["schemas"]
    task = {
        "id": "cpu",
        "type": "stream",
        "dbrps": [{"db": "d", "rp": "r"}],
        "script": "stream|from()|alert().crit(lambda: TRUE).topic('t')",
        "status": "enabled",
    }
    shown = api.json("POST", "/tasks", task)
    assert set(shown) <= set(schemas["Task"]["properties"])
    handler = {"id": "h", "kind": "log", "options": {"path": "/tmp/x"}}
    made = api.json("POST", "/alerts/topics/t/handlers", handler)
    assert set(made) == set(schemas["Handler"]["properties"])
    topic = api.json("GET", "/alerts/topics/t")
    assert set(topic) == set(schemas["Topic"]["properties"])
    template = {"id": "t", "type": "stream", "script": "stream|from()"}
    made = api.json("POST", "/templates", template)
    assert set(made) == set(schemas["Template"]["properties"])
    user = {"name": "bob", "password": "x"}
    made = api.json("POST", "/users", user)
    assert set(made) == set(schemas["User"]["properties"])
