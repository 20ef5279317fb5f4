"""Imports are derived from the names that a module uses."""

from __future__ import annotations

import importlib
import inspect

import pytest

from runtime.services import expressions
from scaffold.flags import Flags
from scaffold.layout.imports import functions, with_imports
from scaffold.rendering.render import importable
from scaffold.spec.parse import from_flags

FOO = from_flags(Flags("foo"))


def imported(body: str, package: str = "runtime") -> list[str]:
    """The import lines that a module with this body gets."""
    known = importable(FOO, package)
    text = with_imports(f'"""Docs."""\n\n\n{body}\n', package, known)
    head = text.partition(f"\n\n\n{body}")[0]
    return [line for line in head.split("\n")[1:] if line]


def test_every_known_name_is_where_it_is_said_to_be() -> None:
    for name, module in {**functions(), **importable(FOO, "runtime")}.items():
        found = importlib.import_module(module or name)
        assert module == "" or hasattr(found, name), name


def test_every_public_function_for_expressions_can_be_used() -> None:
    public = {
        name
        for name, value in vars(expressions).items()
        if inspect.isfunction(value)
        and value.__module__ == expressions.__name__
        and not name.startswith("_")
    }
    assert len(public) > 25
    for name in public:
        assert imported(f"x = {name}(1)") == [
            f"from runtime.services.expressions import {name}"
        ]


def test_names_are_grouped_and_sorted() -> None:
    body = (
        "@dataclass\nclass A(Config, msgspec.Struct):\n    a: Secret = field(NO_SECRET)"
    )
    assert imported(body, "alerts") == [
        "from dataclasses import dataclass, field",
        "import msgspec",
        "from runtime.secrets import NO_SECRET, Secret",
        "from alerts.services.foo.config import Config",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "def replace(a):\n    return replace(a)",
        "def f(text):\n    return text",
        "def f():\n    text = 1\n    return text",
        "x = [text for text in y]",
        "x = lambda text: text",
        "class Config:\n    a = 1",
        "x = y.text.replace(1)",
        "f(text=1)",
        "x = 'text'",
    ],
)
def test_names_of_the_module_s_own_need_no_import(body: str) -> None:
    assert imported(body) == []


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("class A:\n    text: str = ''\n    def f(self):\n        return text(self.text)", "text"),
        ("def f():\n    text = 1\ndef g():\n    return text(1)", "text"),
        ("class LoopbackServer(LoopbackServer):\n    pass", "LoopbackServer"),
        ("x: tuple[Level, ...] = ()", "Level"),
        ("def f(a: Event) -> int: ...", "Event"),
        ("x = f'{text(1)}'", "text"),
    ],
)  # fmt: skip
def test_names_of_elsewhere_are_imported(body: str, name: str) -> None:
    [line] = imported(body)
    assert line.endswith(f"import {name}")


def test_long_imports_get_a_line_for_each_name() -> None:
    body = (
        "x = (at_least, at_most, authorization, contains, entries_of, given, items_of)"
    )
    lines = imported(body)
    assert lines[0] == "from runtime.services.expressions import ("
    assert lines[-1] == ")"
