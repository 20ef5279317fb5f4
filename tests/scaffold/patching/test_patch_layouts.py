"""Registration in a module as the formatters of people leave it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import black
import pytest

from scaffold.layout.style import Style
from scaffold.patching.anchors import (
    Anchor,
    CallArguments,
    DictLiteral,
    ImportBlock,
    ListLiteral,
)
from scaffold.patching.layout import comments
from scaffold.patching.outcomes import AlreadyRegistered, Registered, Unregistered
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from tests.draws import drawn

PATH = PurePosixPath("app/registrations.py")
LAYOUTS = Path(__file__).parent / "layouts"
SOURCE = (LAYOUTS / "as-written.txt").read_text()

ENTRIES: tuple[tuple[Anchor, str, str], ...] = (
    (
        ImportBlock(),
        "app.services.foo.config:FooConfig",
        "from app.services.foo.config import Config as FooConfig",
    ),
    (
        ImportBlock(),
        "app.services.foo.service:FooService",
        "from app.services.foo.service import Service as FooService",
    ),
    (
        ImportBlock(),
        "app.services.foo.property:FooHandler",
        "from app.services.foo.property import FooHandler",
    ),
    (DictLiteral("SECTIONS"), "foo", '"foo": FooConfig,'),
    (DictLiteral("PROPERTIES"), "foo", '"foo": FooHandler,'),
    (ListLiteral("KINDS"), "foo", '"foo",'),
    (CallArguments("HandlerServices"), "foo", "foo=FooService(config.foo, client),"),
)


class Layout(NamedTuple):
    """A formatter, or its result.

    Attributes:
        text: the module.
        style: the project's settings of layout.
        again: formats a module; None: the formatter is not at hand.
    """

    text: str
    style: Style = Style()
    again: Callable[[str], str] | None = None


def by_black(length: int = 88, *, commas: bool = True, quotes: bool = True) -> Layout:
    mode = black.Mode(
        line_length=length, magic_trailing_comma=commas, string_normalization=quotes
    )
    style = Style(length, quotes, commas)

    def again(text: str) -> str:
        return black.format_str(text, mode=mode)

    return Layout(again(SOURCE), style, again)


def ruff(*arguments: str) -> Callable[[str], str]:
    def again(text: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--isolated", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.stdout, done.stderr
        return done.stdout

    return again


def by_ruff(style: Style, *settings: str) -> Layout:
    options = [f"--config={each}" for each in settings]
    again = ruff("format", *options)
    return Layout(again(SOURCE), style, again)


LIVE: dict[str, Callable[[], Layout]] = {
    "black": by_black,
    "black-60": lambda: by_black(60),
    "black-79": lambda: by_black(79),
    "black-120": lambda: by_black(120),
    "black-C": lambda: by_black(commas=False),
    "black-120-C": lambda: by_black(120, commas=False),
    "ruff-single-quotes": lambda: by_ruff(
        Style(normalizes_strings=False), "format.quote-style='single'"
    ),
    "ruff-no-magic-commas": lambda: by_ruff(
        Style(keeps_trailing_commas=False), "format.skip-magic-trailing-comma=true"
    ),
    "ruff-TC": lambda: Layout(
        ruff("check", "--select=TC", "--fix", "--unsafe-fixes", "-q")(SOURCE)
    ),
    "tabs": lambda: Layout(SOURCE.replace("    ", "\t")),
    "two-blanks": lambda: Layout(SOURCE.replace("    ", "  ")),
    "single-quotes": lambda: Layout(SOURCE.replace('"', "'").replace("'''", '"""')),
    "crlf": lambda: Layout(SOURCE.replace("\n", "\r\n")),
    "byte-order-mark": lambda: Layout("\ufeff" + SOURCE),
}
RECORDED = sorted(path.stem for path in LAYOUTS.glob("*.txt"))


def layout_of(name: str) -> Layout:
    if name in LIVE:
        return LIVE[name]()
    return Layout((LAYOUTS / f"{name}.txt").read_text())


def wanted(*, is_known: bool = False, is_gone: bool = False) -> list[Registration]:
    return [
        Registration(
            Place(PATH, str(number), anchor, key),
            "" if is_gone else text,
            text.rstrip("\n") + "\n" if is_known else None,
        )
        for number, (anchor, key, text) in enumerate(ENTRIES)
    ]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules that the registrations import."""

    class Handler:
        def __init__(self, node: object = None) -> None:
            self.node = node

    names = ("Bar", "Company", "Department", "Zoo", "Exec", "Log", "Alert")
    classes = {f"{name}Handler": type(name, (Handler,), {}) for name in names}
    modules: dict[str, dict[str, object]] = {
        "app": {},
        "app.alert": {**classes, "HANDLERS": {"more": 1}, "handler_property": property},
        "app.services": {},
    }
    for name in ("bar", "foo", "zoo"):
        modules[f"app.services.{name}"] = {}
        modules[f"app.services.{name}.config"] = {"Config": type(name, (), {})}
        service = type(name, (), {"__init__": lambda self, *given: None})
        modules[f"app.services.{name}.service"] = {"Service": service}
    modules["app.services.foo.property"] = {"FooHandler": Handler}
    for name, values in modules.items():
        module = ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "app.registrations", ModuleType("x"))


def run(data: bytes) -> dict[str, Any]:
    scope: dict[str, Any] = {"__name__": "app.registrations"}
    exec(compile(data, "registrations.py", "exec"), scope)
    return scope


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("name", drawn([*LIVE, *RECORDED], 14))
def test_a_handler_is_registered_in_any_layout(name: str) -> None:
    layout = layout_of(name)
    data = layout.text.encode()
    before = run(data)

    patched, outcomes = register(PATH, data, wanted(), layout.style)
    assert {type(each) for each in outcomes} == {Registered}
    scope = run(patched)
    assert set(scope["SECTIONS"]) == {*before["SECTIONS"], "foo"}
    assert set(scope["PROPERTIES"]) == {*before["PROPERTIES"], "foo"}
    assert scope["KINDS"] == {*before["KINDS"], "foo"}
    scope["HandlerServices"] = SimpleNamespace
    config = type("Config", (), dict.fromkeys(("bar", "foo", "zoo")))
    assert scope["services"](config, None).foo is not None
    if layout.again:
        assert layout.again(patched.decode()) == patched.decode()

    same, outcomes = register(PATH, patched, wanted(is_known=True), layout.style)
    assert same == patched
    assert {type(each) for each in outcomes} == {AlreadyRegistered}

    gone = wanted(is_known=True, is_gone=True)
    back, outcomes = register(PATH, patched, gone, layout.style)
    assert {type(each) for each in outcomes} == {Unregistered}
    assert_untouched(back.decode(), layout.text)


def assert_untouched(text: str, before: str) -> None:
    """Every byte is as it was, but in a statement that had to be opened."""
    assert comments(text) == comments(before)
    trees = [ast.parse(each.removeprefix("\ufeff")) for each in (text, before)]
    assert ast.dump(trees[0]) == ast.dump(trees[1])
    for now, then in zip(trees[0].body, trees[1].body, strict=True):
        lines = text.splitlines()[now.lineno - 1 : now.end_lineno]
        if "".join(lines) != "".join(
            before.splitlines()[then.lineno - 1 : then.end_lineno]
        ):
            assert len(lines) > 2, f"{lines[0]} was not opened"


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_layout_is_of_the_same_module(name: str) -> None:
    text = (LAYOUTS / f"{name}.txt").read_text()
    trees = [
        [
            ast.dump(node)
            for node in ast.parse(each).body
            if not isinstance(node, ast.ImportFrom)
        ]
        for each in (text, SOURCE)
    ]
    assert trees[0] == trees[1]
