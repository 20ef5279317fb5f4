"""A function of expressions costs one entry and one function of the runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from runtime.services import expressions
from scaffold import places
from scaffold.expressions import functions
from scaffold.expressions.functions import FUNCTIONS, Function
from scaffold.layout import imports
from scaffold.rendering.render import render
from scaffold.spec.parse import parse

SPEC = """\
[handler]
name = "quoll"
[config]
url = {{}}
[[request]]
url = "${{config.url}}"
[request.json]
value = {!r}
"""
# arguments for each function
ARGUMENTS = {
    "duration": "event.duration",
    "first": "['a', 'b']",
    "get": "event.tags, 'a', 'b'",
    "join": "['a', 'b'], ','",
    "matches": "event.id, '^a'",
    "nonempty": "['a', '']",
    "replace": "event.id, 'a', 'b'",
    "rfc3339": "event.time, 3",
    "seconds": "event.duration",
    "truncate": "event.id, 3",
    "unix": "event.time",
    "unix_ms": "event.time",
}
TWO = ("endswith", "hmac_sha256", "hmac_sha256_hex", "pick", "startswith")


def called(name: str) -> str:
    """A call of a function, as specs write it."""
    usual = "event.id, event.message" if name in TWO else "event.id"
    return f"${{{name}({ARGUMENTS.get(name, usual)})}}"


def created(value: str) -> dict[str, str]:
    """The generated files of a handler that sends a value, by name."""
    spec = parse(SPEC.format(value), "quoll.toml")
    return {
        file.path.name: render(file.template, spec)
        for file in places.files(spec.names, "runtime")
    }


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_imported_where_it_is_called(name: str) -> None:
    files = created(called(name))
    compile(files["service.py"], "service.py", "exec")
    assert '"value":' in files["test_requests.txt"]


@pytest.fixture
def sha1(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A new function: one entry, and one function of the runtime."""

    def sha1(text: str) -> str:
        return hashlib.sha1(text.encode()).hexdigest()

    sha1.__module__ = expressions.__name__
    monkeypatch.setattr(expressions, "sha1", sha1, raising=False)
    entry = Function("sha1(text)", 1, 1, functions._of_text("sha1"), "its SHA-1")
    monkeypatch.setitem(FUNCTIONS, "sha1", entry)
    imports.functions.cache_clear()
    yield
    imports.functions.cache_clear()


@pytest.mark.usefixtures("sha1")
def test_a_new_function_is_imported_and_recorded() -> None:
    files = created("${sha1('abc')}")
    line = "from runtime.services.expressions import error_text, sha1\n"
    assert line in files["service.py"]
    assert hashlib.sha1(b"abc").hexdigest() in files["test_requests.txt"]
