"""Imports by which a module has a name, in any form."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.patching.imports import ImportBlock, imports, uses
from scaffold.patching.outcomes import AlreadyRegistered, NameTaken, Registered
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from scaffold.patching.source import Source

PATH = PurePosixPath("src/p/q/some.py")
KEY = "p.a.b:FooB"
TEXT = "from p.a.b import B as FooB\n"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (TEXT, 1),
        ("from p.a.b import X as FooB\n", 1),
        ("from p.a.b import *\n", 1),
        ("from p.a.b import B\n", 1),
        ("from p.a.b import FooB as x\n", 1),
        ("from p.a import b\n", 1),
        ("from p import a as x\n", 1),
        ("import p.a.b\n", 1),
        ("import p.a as x\n", 1),
        ("import os, p\n", 1),
        ("from ..a import b\n", 1),
        ("from .. import a\n", 1),
        ("from ..a.b import *\n", 1),
        ("if x:\n    from p.a import b\n", 2),
        # an alias
        ("from p.a import b\nx = 1\nFooB = b.B\n", 3),
        ("from p.a import b\nif x:\n    FooB: T = b.B\n", 3),
        ("from p.a.b import *\nFooB()\n", 1),
    ],
)
def test_what_leads_to_a_name_makes_its_import_needless(source: str, line: int) -> None:
    asked = Registration(Place(PATH, "x", ImportBlock(), KEY), TEXT)
    patched, [outcome] = register(PATH, source.encode(), [asked])
    assert isinstance(outcome, AlreadyRegistered)
    assert (patched, outcome.line) == (source.encode(), line)


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("from p.a.b import C\n", Registered),
        ("from p.a.bb import B\n", Registered),
        ("from p.a import bb\n", Registered),
        ("from p.a.b.c import *\n", Registered),
        ("from p.a import *\n", Registered),
        ("import p.ab\n", Registered),
        ("import q.p.a.b\n", Registered),
        ("from .a import b\n", Registered),
        ("from . import a\n", Registered),
        ("from ..b import a\n", Registered),
        ("FooB = 1\n", NameTaken),
        ("if x:\n    FooB = 1\n", Registered),
        ("async def FooB(): ...\n", NameTaken),
        # the name itself is used
        ("from p.a import b\nx: 'list[FooB]'\n", Registered),
        ("from p.a import b\nFooB\n", Registered),
    ],
)
def test_what_leads_elsewhere_does_not(source: str, made: type) -> None:
    asked = Registration(Place(PATH, "x", ImportBlock(), KEY), TEXT)
    _, [outcome] = register(PATH, source.encode(), [asked])
    assert type(outcome) is made


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from x import a, b as c\n", [("x", "a", "a", 0), ("x", "b", "c", 1)]),
        ("import x.y, z as a\n", [("x.y", "", "x", 0), ("z", "", "a", 1)]),
        ("from . import a\n", [("p.q", "a", "a", 0)]),
        ("from .x import a\n", [("p.q.x", "a", "a", 0)]),
        ("from ..x.y import *\n", [("p.x.y", "*", "*", 0)]),
        ("from ... import a\n", [("", "a", "a", 0)]),
        ("def f():\n    import a\n", []),
    ],
)
def test_names_have_absolute_modules(
    source: str, found: list[tuple[str, str, str, int]]
) -> None:
    read = Source(PATH, source.encode())
    for _ in range(2):
        names = imports(read, "p")
        assert [(e.module, e.name, e.bound, e.number) for e in names] == found
    # of another package's file all folders count
    other = imports(Source(PATH, b"from . import a\n"), "other")
    assert other[0].module == "src.p.q"


@pytest.mark.parametrize(
    ("source", "expected"),
    [("FooB()\n", True), ("x.FooB\nfrom p.a.b import FooB\n'FooB'\n", False)],
)
def test_a_name_that_is_used(source: str, expected: bool) -> None:
    assert uses(PATH, source.encode(), KEY) is expected
