"""Entries as they are found in files: their keys, their texts, the comments beside them."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.patching.anchors import (
    Anchor,
    CallArguments,
    DictLiteral,
    ImportBlock,
    ListLiteral,
    MarkdownList,
    TomlSections,
)
from scaffold.patching.place import Place, Registration
from scaffold.patching.reading import (
    beside,
    entries_of,
    find,
    is_same,
    keys_of,
    read,
    span,
)

K = DictLiteral("K")
L = ListLiteral("K")
PYTHON = PurePosixPath("p/some.py")


def read_all(source: str, anchor: Anchor, key: str = "") -> dict[str, str | None]:
    """The entries of a place by their keys, which must be those of `keys_of`."""
    path = PurePosixPath("p/some.md") if isinstance(anchor, MarkdownList) else PYTHON
    place = Place(path, "x", anchor, key)
    found = entries_of(path, source.encode(), place)
    assert [*dict.fromkeys(keys_of(path, source.encode(), place))] == [*found]
    return found


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('K = {"a": 1, "b": (2)}\n', {"a": '"a": 1,\n', "b": '"b": (2),\n'}),
        ('if x: y\nif x:\n  z\nK = {\n  "a": f(\n    1,\n  ),\n}\n', {"a": '"a": f(\n    1,\n),\n'}),
        ('if x:\n\ty\nK = {\n\t"a": [\n\t\t1\n\t],\n}\n', {"a": '"a": [\n    1\n],\n'}),
        (
            'if x:\r\n  K = {\r\n    "a": [\r\n      1\r\n    ]\r\n  }\r\n',
            {"a": '"a": [\n    1\n],\n'},
        ),
        ('K = {"a": 1, "b": 2, "a": 3}\n', {"a": None, "b": '"b": 2,\n'}),
        ("K = {1: 2, **m, x: 3}\n", {}),
        ('K = {\n    "a": (  # )\n        1  # (\n    )\n    , "b": 2}\n',
         {"a": '"a": (  # )\n    1  # (\n),\n', "b": '"b": 2,\n'}),
        # everything that adds entries
        ('M = {"b": 2}\nK = {"a": 1, **M}\n', {"a": '"a": 1,\n', "b": '"b": 2,\n'}),
        ('K = {"a": 1, **{"b": 2}}\n', {"a": '"a": 1,\n', "b": '"b": 2,\n'}),
        ('K = {"a": 1} | {"b": 2}\n', {"a": '"a": 1,\n', "b": '"b": 2,\n'}),
        ("K = dict(a=1, **dict(b=2))\n", {"a": "a=1,\n"}),
        ('K = Proxy({"a": 1})\n', {"a": '"a": 1,\n'}),
        ('K = x = {"a": 1}\n', {"a": '"a": 1,\n'}),
        ('m.K: T = {"a": 1}\n', {"a": '"a": 1,\n'}),
        ('K: T\nK = {"a": 1}\n', {"a": '"a": 1,\n'}),
        ('K = {}\nK["a"] = 1\n"about a"\n"more"\n', {"a": 'K["a"] = 1\n"about a"\n'}),
        ('K = {}\nK["a"] = x["b"] = 1\nL["c"] = 1\n', {"a": 'K["a"] = x["b"] = 1\n'}),
        ('K = {}\nif x:\n  K["a"] = [\n    1]\n', {"a": 'K["a"] = [\n    1]\n'}),
        ('K = {}\nK |= {"a": 1}\nL |= {"b": 1}\n', {"a": '"a": 1,\n'}),
        ("K = {}\nK.update(a=1)\nL.update(b=1)\nK.pop(c=1)\n", {"a": "a=1,\n"}),
        ('K = {}\nK.update({"a": 1})\nupdate(b=1)\n', {"a": '"a": 1,\n'}),
        ('try:\n  K = {"a": 1}\nfinally:\n  pass\n', {"a": '"a": 1,\n'}),
        ('try:\n  pass\nfinally:\n  K = {"a": 1}\n', {"a": '"a": 1,\n'}),
        ('try:\n  pass\nexcept E:\n  K = {"a": 1}\n', {"a": '"a": 1,\n'}),
        ('if x:\n  pass\nelse:\n  K = {"a": 1}\n', {"a": '"a": 1,\n'}),
        ('match x:\n  case 1:\n    K = {"a": 1}\n', {"a": '"a": 1,\n'}),
        ('def f():\n  K = {"a": 1}\nclass A:\n  K = {"b": 1}\n', {}),
        ('async def f():\n  K = {"a": 1}\n', {}),
        ("x = 1\n", {}),
    ],
)  # fmt: skip
def test_entries_of_a_dict(source: str, texts: dict[str, str | None]) -> None:
    assert read_all(source, K) == texts


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('K = ["a", "b", 1]\n', {"a": '"a",\n', "b": '"b",\n'}),
        ('K = frozenset(("a",)) | {"b"}\n', {"a": '"a",\n', "b": '"b",\n'}),
        ('M = ["b"]\nK = ["a", *M]\n', {"a": '"a",\n', "b": '"b",\n'}),
        ('K = ["a", *("b",)]\n', {"a": '"a",\n', "b": '"b",\n'}),
        ('K = []\nK.append("a")\nK.add(1)\n', {"a": 'K.append("a")\n'}),
        ('K = []\nK.extend(["a"])\n', {"a": '"a",\n'}),
        ('K = []\nK += ["a"]\n', {"a": '"a",\n'}),
    ],
)
def test_entries_of_a_list(source: str, texts: dict[str, str | None]) -> None:
    assert read_all(source, L) == texts


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("f(x, a=1)\n", {"a": "a=1,\n"}),
        ("x = m.f(*y, a=1, **z)\n", {"a": "a=1,\n"}),
        ('M = {"b": 2}\nf(a=1, **M)\n', {"a": "a=1,\n", "b": '"b": 2,\n'}),
        ("class A:\n  def g():\n    f(\n      a=[\n        1],\n    )\n",
         {"a": "a=[\n    1],\n"}),
        ("f(a=1)(b=2)\ng(f, c=3)\n", {"a": "a=1,\n"}),
        ("f(a=1)\nf(b=2)\n", {"a": "a=1,\n", "b": "b=2,\n"}),
        ("fg(a=1)\n", {}),
        ("@f(a=1)\ndef g(): ...\n", {"a": "a=1,\n"}),
    ],
)  # fmt: skip
def test_entries_of_a_call(source: str, texts: dict[str, str | None]) -> None:
    assert read_all(source, CallArguments("f")) == texts


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("from p.a import A\n", {"p.a:A": "from p.a import A\n"}),
        (
            "from p.a import A as B, C\n",
            {"p.a:B": "from p.a import A as B\n", "p.a:C": "from p.a import C\n"},
        ),
        ("from .a import A\n", {"p.a:A": "from p.a import A\n"}),
        ("from . import A\n", {"p:A": "from p import A\n"}),
        ("from .. import A\n", {}),
        ("import p.a, p.b as c\n", {"p.a:p": "p.a,\n", "p.b:c": "p.b as c,\n"}),
        ("from q import A\nimport os\n", {}),
        ("if x:\n  from p import A\nelse:\n  from p import A\n", {"p:A": None}),
        ("def f():\n  from p import A\n", {}),
    ],
)  # fmt: skip
def test_entries_of_an_import_block(source: str, texts: dict[str, str | None]) -> None:
    assert read_all(source, ImportBlock(), "p:nothing") == texts


def test_entries_of_documents() -> None:
    pages = "# P\n\n- a\n  - [B](x/b.md)\n    more\n  * [C](x/c.md)\n- [D](y/d.md)\n"
    assert read_all(pages, MarkdownList(), "x/z.md") == {
        "x/b.md": "- [B](x/b.md)\n  more\n",
        "x/c.md": "* [C](x/c.md)\n",
    }
    tables = b"[a]\r\nx = [\r\n  1]\r\n[a.b]\r\n\r\n# of c\r\n[c]\r\n"
    place = Place(PurePosixPath("a.toml"), "x", TomlSections(), "")
    assert entries_of(place.path, tables, place) == {
        "a": "[a]\nx = [\n  1]\n[a.b]\n",
        "c": "# of c\n[c]\n",
    }


@pytest.mark.parametrize(
    ("source", "comment"),
    [
        ('K = {\n    "a": 1,  # x\n}\n', "# x"),
        ('K = {\n    "a": 1  # x  \n    ,\n}\n', "# x"),
        ('K = {\n    "a": 1,\n}\n', ""),
        ('K = {\n    "a": "#",\n}\n', ""),
        ('K = {\n    "a": (1),  # x\n}\n', "# x"),
        ('K = {\n    "b": 1, "a": 1,  # x\n}\n', ""),
        ('K = {\n    "a": 1, "b": 1,  # x\n}\n', ""),
        ('K = {"a": 1  # x\n}\n', ""),
        ('K = {}\nK["a"] = 1  # x\n', "# x"),
    ],
)
def test_the_comment_beside_an_entry(source: str, comment: str) -> None:
    read_source = read(PYTHON, source.encode())
    slot = find(read_source, Registration(Place(PYTHON, "x", K, "a"), ""))
    [entry] = slot.named("a")
    assert beside(read_source, entry) == comment
    start, stop = span(read_source, entry)
    assert read_source.text[start:stop].startswith(('"a"', "K["))


@pytest.mark.parametrize(
    ("anchor", "text", "other", "expected"),
    [
        (K, '"a": 1,', "'a' : (1)", True),
        (K, '"a": 1,', '"a": 2,', False),
        (K, '"a": 1,', '"a": 1,  # x', False),
        (K, '"a": [1, 2],', '"a": [\n    1,\n    2,\n],\n', True),
        (K, '"a": 1,', '"a": (', False),
        (K, '"a": 1,', None, False),
        (K, "", "", True),
        (K, "", "\n", False),
        (K, '"a": 1,', "", False),
        (ImportBlock(), "from p import A", "from p import (A)\n", True),
        (ImportBlock(), "from p import A", "from p import B\n", False),
        (MarkdownList(), "* a\n  b\n", "\n * a  \nb", True),
        (MarkdownList(), "* a\n  b\n", "* a\n  c\n", False),
        (MarkdownList(), "* a\n", "* a\n  b\n", False),
    ],
)
def test_another_layout_is_the_same_entry(
    anchor: Anchor, text: str, other: str | None, expected: bool
) -> None:
    asked = Registration(Place(PYTHON, "x", anchor, "a"), text)
    assert is_same(asked, text, other) is expected
    if other is not None:
        assert is_same(asked, other, text) is expected
