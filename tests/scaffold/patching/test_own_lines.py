"""Entries that are inserted as whole lines are where libcst would put them."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath

import pytest

from scaffold.layout.style import Style
from scaffold.patching import nodes, own_lines
from scaffold.patching.anchors import Anchor, CallArguments, DictLiteral, ListLiteral
from scaffold.patching.layout import Fragment
from scaffold.patching.patch import register
from scaffold.patching.place import Place, Registration
from scaffold.patching.source import Source

PATH = PurePosixPath("app/some.py")
STYLE = Style(line_length=60)
FITTING = {
    "a comment beside, one above": 'K = {\n    "a": 1,  # a\n    # z\n    "z": 2,\n}\n',
    "as the last one": 'K = {\n    "a": 1,\n    "b": 2,\n    # the end\n}\n',
    "a blank line": 'K = {\n    "a": 1,\n\n    "z": 2,\n}\n',
    "CRLF": 'K = {\r\n    "a": 1,\r\n    "z": 2,\r\n}\r\n',
    "tabs": 'K = {\n\t"a": 1,\n\t"z": 2,\n}\n',
    "single quotes": "K = {\n    'a': 1,\n    'z': 2,\n}\n",
    "parentheses": 'K = {\n    "a": (\n        1\n    ),\n    "z": 2,\n}\n',
    "other entries": 'K = {\n    "a": 1,\n    **OTHERS,\n    "z": 2,\n}\n',
    "wide characters": 'K = {\n    "a": "日本",  # 日本\n    "z": 2,\n}\n',
    "in a function": 'if X:\n    K = {\n        "a": 1,\n        "z": 2,\n    }\n',
}
FITTING |= {
    "before the first": 'K = {  # all\n    # z\n    "z": 2,\n}\n',
    "before the first, below a blank line": 'K = {\n\n    "z": 2,\n}\n',
    "before a spread one": 'K = {\n    **OTHERS,\n    "z": 2,\n}\n',
    "an empty one": "K = {}\n",
    "an empty one with a type and a comment": "K: dict[str, int] = {}  # all\n",
    "an empty one in a block": "if X:\n    K = {}\n",
    "an empty one and another": "K = {}; L = {}\n",
}
UNFIT = {
    "empty in a call": "K = dict({})\n",
    "empty with a comment": "K = {\n    # none yet\n}\n",
    "empty with a blank": "K = { }\n",
    "one line": 'K = {"a": 1, "z": 2}\n',
    "filled lines": 'K = {\n    "a": 1, "b": 1,\n    "z": 2,\n}\n',
    "no comma at the end": 'K = {\n    "a": 1,\n    "b": 2\n}\n',
    "comma first": 'K = {\n    "a": 1\n    , "z": 2\n}\n',
    "another indentation": 'K = {\n    "a": 1,\n      "z": 2,\n}\n',
    "other line ends": 'K = {\n    "a": 1,\r\n    "z": 2,\n}\n',
    "a bracket beside": 'K = {"a": 1,\n    "z": 2,\n}\n',
}


def edited(text: str, entry: str = '"m": 3,', style: Style = STYLE) -> tuple[str, str]:
    """The text with an entry inserted as lines, or "", and as a node."""
    source = Source(PATH, text.encode())
    slot = DictLiteral("K").slot(source, "m")
    index = sum(each.key < "m" for each in slot.siblings)
    written = entry.replace('"', source.quote)
    lines = slot.indent + written + source.newline
    given = source, slot, index, Fragment(written, lines), style
    results = []
    for edit in (own_lines.inserted(*given), nodes.insert(*given)):
        whole = edit and text[: edit.start] + edit.text + text[edit.stop :]
        results.append(whole or "")
    return results[0], results[1]


@pytest.mark.parametrize("text", FITTING.values(), ids=list(FITTING))
def test_lines_are_inserted_as_a_node_would_be(text: str) -> None:
    as_lines, as_node = edited(text)
    assert as_lines == as_node


@pytest.mark.parametrize("text", UNFIT.values(), ids=list(UNFIT))
def test_other_layouts_are_left_to_nodes(text: str) -> None:
    as_lines, as_node = edited(text)
    assert not as_lines
    assert '"m": 3' in as_node


def test_a_line_that_is_too_long_is_left_to_nodes() -> None:
    text = FITTING["a blank line"]
    assert edited(text, f'"m": {"3" * 50},')[0]
    assert not edited(text, f'"m": {"3" * 51},')[0]


def test_entries_are_left_to_nodes_where_commas_do_not_keep_brackets_open() -> None:
    assert not edited(FITTING["tabs"], style=Style(keeps_trailing_commas=False))[0]


@pytest.mark.parametrize(
    ("anchor", "entry", "text"),
    [
        (ListLiteral("K"), '"m",', 'K = [\n    "a",\n    "z",\n]\n'),
        (ListLiteral("K"), '"m",', 'K = {\n    "a",\n    "z",\n}\n'),
        (CallArguments("f"), "m=3,", "K = g(1).f(\n    2,\n    a=1,\n    z=2,\n)\n"),
    ],
    ids=["list", "set", "call"],
)
def test_all_kinds_of_brackets_take_lines(
    anchor: Anchor, entry: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(nodes, "insert")
    asked = Registration(Place(PATH, "x", anchor, "m"), entry)
    patched, _ = register(PATH, text.encode(), [asked], STYLE)
    above = text.index("    z" if "z=" in text else '    "z"')
    assert patched.decode() == f"{text[:above]}    {entry}\n{text[above:]}"


def test_an_entry_costs_little_more_beside_many_others() -> None:
    """Calls of Python functions, which are the same in each run: 24; of nodes, 530."""
    assert calls_beside(150) - calls_beside(50) < 40 * 100


def calls_beside(count: int) -> int:
    """Calls that it takes to register one more entry beside so many."""
    lines = "".join(f'    "k{number}": "m",\n' for number in range(count))
    asked = Registration(Place(PATH, "x", DictLiteral("K"), "z"), '"z": "m",')
    calls = 0

    def count_call(frame: object, event: str, arg: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count_call)
    try:
        register(PATH, f"K = {{\n{lines}}}\n".encode(), [asked], STYLE)
    finally:
        sys.setprofile(None)
    return calls
