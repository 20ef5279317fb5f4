"""A patch that would change more than its entry is detected before it is written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import libcst
import pytest

from scaffold.errors import PlanError
from scaffold.patching import brackets, nodes
from scaffold.patching.anchors import Anchor, DictLiteral, ImportBlock
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from scaffold.patching.source import Edit

PATH = PurePosixPath("app/some.py")
DICT = b'K = {\n    "foo": 1,  # beside\n    # above\n    "zoo": 2,\n}\n'
NODES = b'K = {"foo": 1,  # beside\n    # above\n    "zoo": 2,\n}\n'
"""The same in a layout that takes more than new lines."""


def put(data: bytes, anchor: Anchor, text: str) -> bytes:
    return register(PATH, data, [Registration(Place(PATH, "x", anchor, "goo"), text)])[
        0
    ]


def without_another_entry(inside: brackets.Contents) -> brackets.Contents:
    return brackets.removed(inside, 0, is_tuple=False)


def with_another_value(inside: brackets.Contents) -> brackets.Contents:
    first = inside.nodes[0].with_changes(value=libcst.Integer("7"))
    return inside._replace(nodes=(first, *inside.nodes[1:]))


def without_comments(inside: brackets.Contents) -> brackets.Contents:
    return brackets.exploded(brackets.collapsed(inside), "    ", "")


def with_a_moved_comment(inside: brackets.Contents) -> brackets.Contents:
    first, second, *others = inside.gaps
    return inside._replace(gaps=(second, first, *others))


@pytest.mark.parametrize(
    "spoil",
    [
        without_another_entry,
        with_another_value,
        without_comments,
        with_a_moved_comment,
    ],
)
def test_brackets_in_which_something_else_changes(
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[brackets.Contents], brackets.Contents],
) -> None:
    inserted = brackets.inserted

    def spoilt(*given: Any, **named: Any) -> brackets.Contents:
        return spoil(inserted(*given, **named))

    assert b'"goo": 3' in put(NODES, DictLiteral("K"), '"goo": 3,')
    monkeypatch.setattr(brackets, "inserted", spoilt)
    with pytest.raises(
        PlanError, match=r"some\.py:1: cannot be patched without changing other text$"
    ):
        put(NODES, DictLiteral("K"), '"goo": 3,')


@pytest.mark.parametrize("text", ['"zoo": 3,', '"goo": 3, "hoo": 4,', '"goo": (,', "x"])
@pytest.mark.parametrize("data", [DICT, NODES])
def test_a_fragment_that_is_not_the_one_entry(text: str, data: bytes) -> None:
    with pytest.raises(PlanError):
        put(data, DictLiteral("K"), text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "from p.a import goo\nx = 1",
            "is not one statement: from p.a import goo\nx = 1",
        ),
        ("from p.a import (", "is not a statement: "),
    ],
)
def test_an_import_that_is_not_one_statement(text: str, told: str) -> None:
    place = Place(PATH, "x", ImportBlock(), "p.a:goo")
    with pytest.raises(PlanError) as caught:
        register(PATH, b"x = 1\n", [Registration(place, text)])
    assert str(caught.value).startswith(f"{PATH}: {told}")


def test_a_file_that_would_not_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> Edit:
        return Edit(0, 0, "return\n")

    monkeypatch.setattr(nodes, "insert", broken)
    with pytest.raises(PlanError, match="would not compile"):
        put(NODES, DictLiteral("K"), '"goo": 3,')


def test_reading_imports_neither_libcst_nor_black() -> None:
    code = f"""
import sys
from pathlib import PurePosixPath
from scaffold.patching.anchors import DictLiteral
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
path = PurePosixPath("app/some.py")
place = Place(path, "x", DictLiteral("K"), "zoo")
asked = Registration(place, '"zoo": 2,', '"zoo":  (2),\\n')
data = {DICT!r}
assert register(path, data, [asked])[0] == data
heavy = {{"libcst", "black", "jinja2"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
