"""Removing an entry is the inverse of adding it, in any layout."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath
from typing import NamedTuple

import libcst
from hypothesis import given
from hypothesis import strategies as st

from scaffold.layout.style import Style
from scaffold.patching.anchors import (
    Anchor,
    CallArguments,
    DictLiteral,
    ImportBlock,
    ListLiteral,
)
from scaffold.patching.outcomes import Registered, Unregistered
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration

PATH = PurePosixPath("app/some.py")
WIDE = Style(line_length=1000)


class Kind(NamedTuple):
    """A kind of brackets: its anchor, what surrounds them, and an entry."""

    anchor: Anchor
    head: str
    tail: str
    entry: str


KINDS = {
    "dict": Kind(DictLiteral("K"), "K = {", "}", '"{}": 1'),
    "annotated": Kind(DictLiteral("K"), "K: Any = {", "}", '"{}" :(1 )'),
    "wrapped": Kind(DictLiteral("K"), "K = Proxy({", "})", '"{}": f(x, y)'),
    "list": Kind(ListLiteral("K"), "K = [", "]", '"{}"'),
    "tuple": Kind(ListLiteral("K"), "K = (", ")", '"{}"'),
    "set": Kind(ListLiteral("K"), "K = frozenset({", "})", '"{}"'),
    "call": Kind(CallArguments("F"), "K = F(", ")", "{}= f(x)"),
}
NEW = {
    DictLiteral: '"{}": New,',
    ListLiteral: '"{}",',
    CallArguments: "{}=New(),",
}
names = st.lists(
    st.from_regex(r"[a-y]{1,4}", fullmatch=True).filter(str.isidentifier),
    min_size=1,
    max_size=5,
    unique=True,
).filter(lambda found: not {"as", "if", "in", "is", "or", "def", "del"} & set(found))
# text between two entries, after the comma
inner_gaps = st.sampled_from(
    ["\n    ", "  # beside\n    ", "\n    # above\n    ", "\n\n    ", "\n\t"]
)


@st.composite
def exploded(draw: st.DrawFn) -> tuple[Kind, str]:
    """A module with brackets, each entry on lines of its own, comments anywhere."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    entries = [kind.entry.format(name) for name in draw(names)]
    text = kind.head
    for entry in entries[:-1]:
        text += draw(inner_gaps) + entry + ","
    comma = (
        "," if kind.tail == ")" and len(entries) == 1 else draw(st.sampled_from(",."))
    )
    text += draw(inner_gaps) + entries[-1] + comma.strip(".")
    text += draw(st.sampled_from(["\n", "  # last\n", "\n    # below\n", "\n  "]))
    return kind, f"x = 1\n{text}{kind.tail}  # end\ny = 2\n"


@st.composite
def inline(draw: st.DrawFn) -> tuple[Kind, str]:
    """A module with brackets on one line."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    entries = [kind.entry.format(name) for name in draw(names)]
    space = draw(st.sampled_from(["", " "]))
    separator = draw(st.sampled_from([", ", ",", ",  "]))
    comma = "," if kind.tail == ")" and len(entries) == 1 else ""
    body = separator.join(entries) + comma
    return kind, f"x = 1\n{kind.head}{space}{body}{space}{kind.tail}  # end\n"


def there_and_back(data: bytes, anchor: Anchor, key: str, text: str) -> bytes:
    """The module with one more entry, after which removing gave the module again."""
    place = Place(PATH, "place", anchor, key)
    patched, [outcome] = register(PATH, data, [Registration(place, text)], WIDE)
    assert isinstance(outcome, Registered)
    gone = Registration(place, "", text + "\n")
    back, [outcome] = register(PATH, patched, [gone], WIDE)
    assert isinstance(outcome, Unregistered)
    assert back == data
    return patched


def keys(data: bytes, kind: Kind) -> list[str]:
    """The entries' keys in order, as the lossless parser reads them."""
    found: list[str] = []
    types = {
        DictLiteral: libcst.Dict,
        ListLiteral: libcst.List | libcst.Tuple | libcst.Set,
        CallArguments: libcst.Call,
    }
    waiting: list[libcst.CSTNode] = [libcst.parse_module(data)]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, types[type(kind.anchor)]) and not found:
            for name in ("elements", "args"):
                for each in getattr(node, name, ()):
                    part = next(
                        getattr(each, field)
                        for field in ("keyword", "key", "value")
                        if getattr(each, field, None)
                    )
                    found.append(libcst.Module([]).code_for_node(part).strip("\"'"))
        waiting += node.children
    return found


@given(module=st.one_of(exploded(), inline()), key=st.sampled_from(["zZ", "mM", "aA"]))
def test_brackets(module: tuple[Kind, str], key: str) -> None:
    kind, text = module
    ast.parse(text)
    entry = NEW[type(kind.anchor)].format(key)
    patched = there_and_back(text.encode(), kind.anchor, key, entry)
    before = keys(text.encode(), kind)
    after = keys(patched, kind)
    assert set(after) == {*before, key}
    assert [each for each in after if each != key] == before
    if text.count("\n") > 3:
        # the comments stand beside and above what they stood beside and above
        others = [line for line in patched.decode().splitlines() if key not in line]
        assert "\n".join(others).replace(",", "") == text.strip().replace(",", "")


@given(
    modules=names,
    gap=st.sampled_from(["", "# about\n", "\n"]),
    below=st.sampled_from(["", "\n\nx = 1\n", "# tail\n", "import z; import y\n"]),
    branch=st.sampled_from(["", "try:\n", "if x: pass\nelse:\n"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    key=st.sampled_from(["zZ", "mM", "aA"]),
)
def test_imports(
    modules: list[str], gap: str, below: str, branch: str, newline: str, key: str
) -> None:
    lines = [f"from app.{name} import {name}  # beside\n" for name in modules]
    text = gap.join(lines) + below
    if branch:
        text += f"{branch}    from app.q import q\n"
        text += "except E:\n    pass\n" * branch.startswith("try")
    data = text.replace("\n", newline).encode()
    new = f"from app.{key} import New"
    patched = there_and_back(data, ImportBlock(), f"app.{key}:New", new)
    left = [line for line in patched.decode().splitlines() if key not in line]
    assert left == text.splitlines()
