"""Merged files keep the style of the person's file."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.layout.style import PLAIN, Style, by_black
from scaffold.merging.markers import settled
from scaffold.merging.three_way import merged
from scaffold.merging.versions import Versions
from tests.scaffold.merging.test_python import BASE

PATH = PurePosixPath("service.py")
NEW = BASE.replace(
    'body = {"room": config.room, "message": event.message}',
    'body = {"room": config.room, "message": event.message, "token": config.token}',
).replace('    "b",\n', '    "b",\n    "c",\n')


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    mine = "\ufeff" + BASE.replace("\n", "\r\n")
    merge = merged(PATH, Versions(BASE, mine, NEW), PLAIN)
    assert merge == ("\ufeff" + NEW.replace("\n", "\r\n"), ())


@pytest.mark.parametrize("length", [60, 79, 100, 120])
def test_a_new_text_gets_the_line_length_of_the_file(length: int) -> None:
    style = PLAIN._replace(line_length=length)
    calls = "".join(
        f"LONG_{n} = call({'x' * n}, {'y' * n})\n" for n in range(12, 60, 3)
    )
    base, new = (by_black(text + calls, PLAIN) for text in (BASE, NEW))
    merge = merged(PATH, Versions(base, by_black(base, style), new), PLAIN)
    assert merge.conflicts == ()
    if length > 60:  # projects do not set shorter line lengths
        assert merge.text == by_black(new, style)
    assert ast.dump(ast.parse(merge.text)) == ast.dump(ast.parse(new))


def test_a_new_text_gets_the_quotes_of_the_file() -> None:
    mine = re.sub(r'(?<!")"([a-zA-Z ]+)"(?!")', r"'\1'", BASE)
    assert "'POST'" in mine
    merge = merged(PATH, Versions(BASE, mine, NEW), PLAIN)
    assert merge.conflicts == ()
    assert "'token': config.token" in merge.text
    assert "    'c',\n" in merge.text


def test_the_projects_style_is_that_of_new_code() -> None:
    style = Style(line_length=120)
    mine = BASE + "\n\ndef own() -> None:\n    pass\n"
    merge = merged(PATH, Versions(BASE, mine, by_black(NEW, style)), style)
    assert merge.text == by_black(NEW, style) + "\n\ndef own() -> None:\n    pass\n"


def test_broken_code_is_merged_by_lines() -> None:
    mine = BASE.replace("CASES = [", "CASES = (")
    merge = merged(PATH, Versions(BASE, mine, BASE.replace("Sends.", "Posts.")), PLAIN)
    assert merge == (mine.replace("Sends.", "Posts."), ())


def test_markers_are_settled_by_a_side() -> None:
    mine, new = BASE.replace("Sends.", "Mine."), BASE.replace("Sends.", "New.")
    text = merged(PATH, Versions(BASE, mine, new), PLAIN, "markers").text
    assert settled(text, "mine") == mine
    assert settled(text, "generated") == new
    assert "Mine." in settled(text, "both")
    assert "New." in settled(text, "both")


LINES = BASE.splitlines(keepends=True)
ADDED = st.tuples(
    st.integers(0, len(LINES)),
    st.sampled_from(
        [
            *("# own 1\n", "    # own 2\n", "OWN = 3\n", "    own_4: int = 4\n"),
            *("        own_5()\n", "import own_6\n", "\n\ndef own_7() -> None: ...\n"),
        ]
    ),
)


@given(st.lists(ADDED, min_size=1, max_size=3, unique_by=lambda each: each[1]))
def test_every_line_that_a_person_added_is_there(edits: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for at, line in sorted(edits, reverse=True):
        lines.insert(at, line)
    mine = "".join(lines)
    merge = merged(PATH, Versions(BASE, mine, NEW), PLAIN)
    if merge.conflicts:
        return  # nothing is written
    for _, line in edits:
        assert line.strip() in merge.text
    try:
        ast.parse(mine)
    except SyntaxError:
        return
    assert ast.parse(merge.text)
    assert "config.token" in merge.text
