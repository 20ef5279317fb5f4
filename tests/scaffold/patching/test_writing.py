"""Entries are added, replaced and removed in the layout of the file.

The snapshots show each file whole, before and after each change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

import pytest
from syrupy.assertion import SnapshotAssertion

from runtime.testing.snapshots import TextSnapshot
from scaffold.errors import PlanError
from scaffold.layout.style import Style
from scaffold.patching.anchors import (
    Anchor,
    CallArguments,
    Changelog,
    DictLiteral,
    ImportBlock,
    ListLiteral,
    MarkdownList,
    TomlSections,
)
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration

# narrow, so that short entries do not fit
STYLE = Style(line_length=30)
OPEN = Style(line_length=30, keeps_trailing_commas=False)

# `<B>` and `<D>` stand for entries of the file; `aa`, `cc` and `ee` are added
DICT = {
    "one line": "K = {<B>, <D>}  # end\n",
    "odd space": "K = { <B> ,<D> , }\n",
    "lines": "K = {\n    <B>,\n    <D>,\n}\n",
    "no last comma": "K = {\n    <B>,\n    <D>\n}\n",
    "comments": "K = {  # open\n    # above\n    <B>,  # beside\n\n    # more\n    <D>,  # last\n    # end\n}  # close\n",
    "comments without a last comma": "K = {\n    <B>,  # beside\n    <D>  # last\n}\n",
    "filled": "K = {\n    1: 2, <B>,\n    <D>, 3: 4,\n}\n",
    "filled with a comment": "K = {\n    1: 2, <B>,  # beside\n    <D>, 3: 4\n}\n",
    "hugged": "K = {<B>,\n     <D>}\n",
    "hugged with a comment": "K = {<B>,  # beside\n     <D>}\n",
    "one": "K = {<B>}\n",
    "one on its line": "K = {\n    <D>,\n}\n",
    "one with comments": "K = {\n    # above\n    <D>  # beside\n    # below\n}\n",
    "none": "K = {}\n",
    "none on lines": "K = {\n}\n",
    "only a comment": "K = {\n    # none\n}\n",
    "blank lines": "K = {\n\n    <B>,\n\n    <D>,\n\n}\n",
    "inside": "if x:\n  K = {\n    <B>,\n    <D>,\n  }\nelse: pass\n",
    "inside on one line": "if x:\n  y = 1; K = {<B>}  # end\n",
    "a tab before what just fits": "if x:\n\tK: TT = {<B>}\n",
    "mark": "\ufeffK = f({<B>, <D>})\n",
    "below a blank line": "\nif x:\n    K = {<B>, <D>}\n",
    "inside with comments": "if x:\n    K = {<B>,\n        # above\n        <D>}\n",
    "tabs": "if x:\n\tK = {\n\t\t<B>,\n\t}\n",
    "wrapped": "K = f({<B>, <D>})\n",
    "wrapped on lines": "K = f({\n    <B>,\n    <D>,\n})\n",
    "annotated": "K: dict[str, int] = {\n    <B>,\n}\n",
    "others": "K = {**m, <B>, **n}\n",
    "union": "K = {1: {2: 3}, <B>} | {<D>}\n",
    "second of a line": "x = {1: {2: 3}}; K = {<B>}; y = {}  # x\n",
    "parentheses": "K = {\n    'bb': (  # )\n        1\n    ),\n    <D>,\n}\n",
    "windows": "K = {\n    <B>,  # beside\n    <D>\n}\n",
    "a multi-line string": 'K = {"a": """\nb\n""", <B>}\n',
}
LISTS = {
    "list on one line": "K = [<B>, <D>]\n",
    "list on lines": "K = [\n    <B>,\n    <D>,\n]\n",
    "list of others": "K = [*m, <B>]\n",
    "tuple": "K = (<B>, <D>)\n",
    "tuple of one": "K = (<B>,)\n",
    "tuple on lines": "K = (\n    <B>,\n    <D>,\n)\n",
    "tuple in more brackets": "K = ((<B>, <D>))\n",
    "bare tuple": "K = <B>, <D>\n",
    "bare tuple of one": "K = <B>,\n",
    "empty tuple": "K = ()\n",
    "set": "K = {<B>, <D>}\n",
    "set on lines": "K = frozenset({\n    <B>,\n    <D>,\n})\n",
    "two lists": "L = [[1], [2]]; K = [<B>]\n",
    "subscript": "K: dict[tuple[int, int], int] = (<B>,)\n",
}
CALLS = {
    "one line": "f(<B>, <D>)\n",
    "lines": "f(\n    <B>,\n    <D>,\n)\n",
    "no last comma": "x = f(\n    <B>,\n    <D>\n)\n",
    "comments": "f(  # open\n    <B>,  # beside\n    <D>  # last\n    # end\n)\n",
    "positional": "f(x, *y, <B>, **z)\n",
    "only positional": "f(x, *y, **z)\n",
    "none": "f()\n",
    "none on lines": "f(\n)\n",
    "below another": "x = g(f=1)\ny = f(<B>).x\n",
    "inside others": "x = f.g(g(f(<B>)))\n",
    "of a module": "x = m.f(f.g(1), <B>)\n",
    "in a function": "def g():\n  return f(\n    <B>,\n  )\n",
}
IMPORTS = {
    "one": "<D>\n",
    "some": "<B>\n<D>\n",
    "comments": "# top\n<B>  # beside\n# above\n<D>\n# below\n",
    "none": "x = 1\n",
    "others": "import os\nfrom sys import x\n\ny = 1\n",
    "docstring": '"""Doc."""\n\nx = 1\n',
    "docstring alone": '"""Doc."""',
    "header": "#!/bin/python\n# coding: utf-8\n#! more\nx = 1\n",
    "above a string": "<B>\n'text'\n",
    "mark": "\ufeff# coding: utf-8\nx = 1\n",
    "mark and import": "\ufeff<D>\n",
    "semicolon": "x = 1; <D>; y = 2\n",
    "continued": "<B>\\\n\nx = 1\n",
    "several": "from p.bb import (\n    X,  # x\n    B,\n    Y,\n)\nfrom p.dd import D, E\n",
    "block": "import p.x\nif x:\n    <B>\ntry:\n    <D>\nexcept E:\n    pass\n",
    "used between": "<B>\nA(1)\n<D>\n",
    "used first": "'''Doc.'''\nimport os\nA\nimport sys\n<D>\n",
    "not sorted": "<D>\n<B>\n",
    "relative": "from .dd import D\nfrom . import bb\n",
    "windows": "from p.dd import D\n\nx = 1\n",
    "empty": "",
    "no end": "<B>",
    "blank lines": "\n\n<D>\n\n\nx = 1\n",
}
PAGES = {
    "list": "# P\n\n<B>\n<D>\n\nText.\n",
    "continued": "<B>\n  more\n<D>\n",
    "one": "# P\n\n<D>\n\nText.\n",
    "last": "# P\n\n<D>\n",
    "no end": "# P\n\n<D>",
    "indented": "- a\n  <B>\n  <D>\n",
    "two lists": "<B>\n\n<D>\n- [E](x/ff.md)\n",
    "of the same length": "<B>\n\n<D>\n",
    "fences": "~~~\nx\n<B>\n```\n~~~\n\n<D>\n",
    "none": "# P\n\nText.\n\n\n",
    "windows": "# P\n\n<B>\n",
}
LOGS = {
    "list": "## Unreleased\n\n<B>\n<D>\n\n## 1.0\n",
    "continued": "## Unreleased\n\n<B>\n  more\n<D>\n",
    "one": "## Unreleased\n\n<B>\n\n## 1.0\n",
    "alone": "## Unreleased\n\n<B>\n",
    "none": "## Unreleased\n\n## 1.0\n\n<B>\n",
    "parts": "## Unreleased\n\nIn short.\n\n### Fixed\n\n<B>\n\n### New\n\n* x\n\n* y\n\n### More\n",
    "fences": "```\n## Unreleased\n```\n\n## Unreleased\n\n<B>\n",
    "levels": "# Unreleased\n\n## 1\n\n### Added\n\n<B>\n\n# 1.0\n\n## Added\n",
    "table": "|Unreleased|\n---\n\n- Unreleased\n---\n\n<b>[Unreleased]</b>\n---\n<B>\n",
    "marks": "## **[`_Unreleased_`]** ##\n<B>\n",
}
TABLES = {
    "tables": "x = 1\n\n<B>\n\n<D>\n[dd.ee]\nz = 3\n",
    "last": "<B>\n\n<D>\n",
    "comments": "# top\n\n# of b\n# more\n[bb]\n# inside\n\n# [dd]\n#  y = 1\n# end\n",
    "together": "[bb]\n<D>\n[[aa.x]]\n",
    "strings": 'x = """\n[bb]\n"""\ny = """[aa]"""\n# \'\'\'\n[dd]\n',
    "other strings": "x = '''\n[bb]\n\"\"\"\n'''\n['dd']\n",
    "blank lines": "\n\n<B>\n\n\n\n<D>\n\n\n",
    "alone": "<B>\n",
    "no end": "<D>\n\n<B>",
    "mark": "\ufeff<B>\n\n<D>",
    "windows without an end": "<D>\n\n<B>",
    "windows": "x = 1\n\n<B>\n\n<D>\n",
    "none": "",
}


def entry_of_dict(key: str, number: int) -> str:
    return f'"{key}": {number},\n'


def text_in_list(key: str, number: int) -> str:
    return f'"{key}",\n'


def argument(key: str, number: int) -> str:
    return f"{key}={number},\n"


def imported(key: str, number: int) -> str:
    name = key[0].upper()
    return f"from p.{key} import {name if number < 4 else f'Other as {name}'}\n"


def page(key: str, number: int) -> str:
    return f"* [{key}](x/{key}.md) {number}\n"


def change(key: str, number: int) -> str:
    return f"* `{key}` {number}\n"


def table(key: str, number: int) -> str:
    return f"# of {key}\n[{key}]\nx = {number}\n"


class Kind(NamedTuple):
    """A kind of places.

    Attributes:
        anchor: its anchor.
        text_of: the text of an entry, of its key and a number.
        sources: files with such a place, by their layout.
        style: the layout of new lines.
    """

    anchor: Anchor
    text_of: Callable[[str, int], str]
    sources: Mapping[str, str]
    style: Style = STYLE


ANY = ("one line", "lines", "one", "none", "filled", "hugged with a comment")
KINDS = {
    "dict": Kind(DictLiteral("K"), entry_of_dict, DICT),
    "dict-open": Kind(
        DictLiteral("K"), entry_of_dict, {name: DICT[name] for name in ANY}, OPEN
    ),
    "list": Kind(ListLiteral("K"), text_in_list, LISTS),
    "call": Kind(CallArguments("f"), argument, CALLS),
    "imports": Kind(ImportBlock(), imported, IMPORTS),
    "pages": Kind(MarkdownList(), page, PAGES),
    "changelog": Kind(Changelog(), change, LOGS),
    "tables": Kind(TomlSections(), table, TABLES),
}
KEYS = {
    ImportBlock: lambda key: f"p.{key}:{key[0].upper()}",
    MarkdownList: lambda key: f"x/{key}.md",
}
FILES = {
    MarkdownList: "p/some.md",
    Changelog: "p/some.md",
    TomlSections: "p/some.toml",
}


def changed(source: str, kind: Kind, key: str, number: int, base: str | None) -> str:
    """The file with one entry more, with another one in its place, or without it."""
    anchor, text_of, style = kind.anchor, kind.text_of, kind.style
    path = PurePosixPath(FILES.get(type(anchor), "p/some.py"))
    place = Place(path, "x", anchor, KEYS.get(type(anchor), str)(key))
    asked = Registration(place, text_of(key, number) if number else "", base)
    try:
        data, outcomes = register(path, source.encode(), [asked], style)
    except PlanError as error:
        return f"{type(error).__name__}: {error}\n"
    verbs = " ".join(f"{each.verb} {each.was}-{each.line}" for each in outcomes)
    return f"{verbs}\n{shown(data.decode()) if data != source.encode() else ''}"


def changes(source: str, kind: Kind) -> Iterator[tuple[str, str]]:
    """The name of each change, and the file after it."""
    for key in ("aa", "cc", "ee") if kind.anchor.orders else ("aa",):
        yield f"with {key}", changed(source, kind, key, 3, None)
    if isinstance(kind.anchor, DictLiteral | CallArguments):
        yield "with more", changed(source, kind, "cc", 123456789012345, None)
    there = {"bb": 1, "dd": 2}
    plain = source.replace("\r", "")
    there = {key: n for key, n in there.items() if kind.text_of(key, n)[:-2] in plain}
    for key, number in there.items():
        base = kind.text_of(key, number)
        yield f"without {key}", changed(source, kind, key, 0, base)
    for key, number in [*there.items()][:1]:
        if not isinstance(kind.anchor, ListLiteral):
            base = kind.text_of(key, number)
            yield f"with another {key}", changed(source, kind, key, 7, base)


def shown(text: str) -> str:
    """A text whose line ends, marks and tabs can be seen."""
    for sign, name in (("\r", "\\r"), ("\ufeff", "\\ufeff"), ("\t", "\\t")):
        text = text.replace(sign, name)
    return text if text.endswith("\n") else f"{text}\\\n"


@pytest.mark.parametrize("name", KINDS)
def test_entries(name: str, snapshot: SnapshotAssertion) -> None:
    kind = KINDS[name]
    parts = []
    for layout, source in kind.sources.items():
        for sign, key, number in (("<B>", "bb", 1), ("<D>", "dd", 2)):
            source = source.replace(sign, kind.text_of(key, number).rstrip(",\n"))
        if layout.startswith("windows"):
            source = source.replace("\n", "\r\n")
        parts.append(f"===== {layout}\n{shown(source)}")
        parts += [f"----- {what}\n{text}" for what, text in changes(source, kind)]
    assert "".join(parts) == snapshot(extension_class=TextSnapshot)
