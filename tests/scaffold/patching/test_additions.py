"""Tables that a registration module of an older generator lacks."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.errors import UnreadableFile
from scaffold.patching.additions import added, wiring
from scaffold.patching.anchors import CallArguments, DictLiteral, ListLiteral
from scaffold.patching.place import Place

PATH = PurePosixPath("app/tables.py")
FRESH = '''\
"""Doc."""

import app.z
from app.x import A, B as C
from app.y import D, E

ONE: dict[str, int] = {}
TWO = [
    A,
    C,
]


@D
@app.z.deco
def make():
    return Services(
        a=E,
    )


class Other: ...
'''
ONE = Place(PATH, "one", DictLiteral("ONE"), "key")
TWO = Place(PATH, "two", ListLiteral("TWO"), "key")
CALL = Place(PATH, "call", CallArguments("Services"), "key")
NOWHERE = Place(PATH, "nowhere", DictLiteral("NOWHERE"), "key")
FUNCTION = "\n\n@D\n@app.z.deco\ndef make():\n    return Services(\n        a=E,\n    )"
LIST = "\n\nTWO = [\n    A,\n    C,\n]"


@pytest.mark.parametrize(
    ("before", "missing", "after"),
    [
        ("", [ONE], "\n\n\nONE: dict[str, int] = {}"),
        ("", [TWO], f"from app.x import A, B as C\n{LIST}"),
        (
            '"""Mine."""\n\nx = 1\n\n\n',
            [CALL, ONE],
            '"""Mine."""\n\nimport app.z\nfrom app.y import D, E\n\nx = 1\n'
            f"\n\nONE: dict[str, int] = {{}}\n{FUNCTION}",
        ),
        (
            "import os\nfrom app.x import B as C\n\nx = 1",
            [TWO],
            f"import os\nfrom app.x import B as C\nfrom app.x import A\n\nx = 1\n{LIST}",
        ),
        # names that the module defines itself, in any form, are not imported
        ("class A: ...\ndef C(): ...\n", [TWO], f"class A: ...\ndef C(): ...\n{LIST}"),
        ("A = C = 1\n", [TWO], f"A = C = 1\n{LIST}"),
        ("A: int\nimport C.x\n", [TWO], f"A: int\nimport C.x\n{LIST}"),
        (
            "async def A(): ...\nx.C = 1\n",
            [TWO],
            f"from app.x import B as C\nasync def A(): ...\nx.C = 1\n{LIST}",
        ),
    ],
)  # fmt: skip
def test_a_table_comes_with_its_imports(
    before: str, missing: list[Place], after: str
) -> None:
    made, found = added(PATH, before.encode(), FRESH, [*missing, NOWHERE])
    assert made.decode() == after + "\n"
    assert {*found} == {*missing}
    windows = before.replace("\n", "\r\n")
    if windows.count("\n") > 1:
        made, _ = added(PATH, windows.encode(), FRESH, missing)
        assert made.decode() == f"{after}\n".replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("name", "missing"),
    [("tables.py", [NOWHERE]), ("tables.py", []), ("tables.md", [ONE])],
)
def test_what_no_new_module_has_is_not_added(name: str, missing: list[Place]) -> None:
    data = b"# mine\r\n"
    assert added(PurePosixPath(name), data, FRESH, missing) == (data, [])


def test_what_the_module_binds_otherwise_stays() -> None:
    for mine in ("ONE = f()\n", "import ONE\n", "from x import y as ONE\n"):
        assert added(PATH, mine.encode(), FRESH, [ONE]) == (mine.encode(), [])
    with pytest.raises(UnreadableFile):
        added(PATH, b"x = (\n", FRESH, [ONE])


def test_tables_are_passed_to_the_call_that_combines_them() -> None:
    fresh = (
        "import os\nfrom app.h import KINDS\nfrom app.s import SECTIONS, PARTS\n\n"
        "x = 1\nIT = Integrations(kinds=KINDS, parts=PARTS)\n"
    )
    wires = wiring(PATH, fresh)
    assert [
        (each.argument.place.anchor, each.argument.place.key, each.argument.text)
        for each in wires
    ] == [
        (CallArguments("Integrations"), "kinds", "kinds=KINDS,\n"),
        (CallArguments("Integrations"), "parts", "parts=PARTS,\n"),
    ]
    assert [(each.imported.place.key, each.imported.text) for each in wires] == [
        ("app.h:KINDS", "from app.h import KINDS\n"),
        ("app.s:PARTS", "from app.s import PARTS\n"),
    ]
    places = [(each.argument.place, each.imported.place) for each in wires]
    assert {(one.path, one.place) for one, _ in places} == {(PATH, "table")}
    assert {(one.path, one.place) for _, one in places} == {(PATH, "import")}
