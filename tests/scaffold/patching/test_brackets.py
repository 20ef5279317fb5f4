"""Gaps between entries: where lines end, and how far they are indented."""

from __future__ import annotations

import libcst as cst
import pytest

from scaffold.patching.brackets import Contents, broken, contents, exploded, filled


def parsed(code: str) -> tuple[cst.List, Contents]:
    found = cst.parse_expression(code)
    assert isinstance(found, cst.List)
    return found, contents(found)


@pytest.mark.parametrize(
    ("code", "index", "result"),
    [
        # as the first line end between entries, without its comment
        ("[\n  1, 2,  # two\n   3, 4\n]", 1, "[\n  1,\n   2,  # two\n   3, 4\n]"),
        ("[\n  1, 2,\n   3,\n    4, 5\n]", 4, "[\n  1, 2,\n   3,\n    4,\n   5\n]"),
        # as the line end of the opening bracket, without one between entries
        ("[\n  1, 2\n]", 1, "[\n  1,\n  2\n]"),
        ("[\n\n  # one\n  1, 2\n]", 1, "[\n\n  # one\n  1,\n  2\n]"),
        # not at the ends, and not if all is on one line
        ("[\n  1, 2]", 0, "[\n  1, 2]"),
        ("[\n  1, 2]", 2, "[\n  1, 2]"),
        ("[1, 2\n]", 1, "[1, 2\n]"),
    ],
)
def test_a_line_is_ended_as_others_are(code: str, index: int, result: str) -> None:
    container, inside = parsed(code)
    changed = filled(container, broken(inside, index))
    assert cst.Module([]).code_for_node(changed) == result


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("[1, 2]", "[\n    1,\n    2,\n  ]"),
        (
            "[  # all\n # one\n\n 1, 2  # two\n # end\n]",
            "[  # all\n    # one\n\n    1,\n    2,  # two\n  # end\n  ]",
        ),
    ],
)
def test_each_entry_and_comment_has_a_line_of_its_own(code: str, result: str) -> None:
    container, inside = parsed(code)
    changed = filled(container, exploded(inside, "    ", "  "))
    assert cst.Module([]).code_for_node(changed) == result
