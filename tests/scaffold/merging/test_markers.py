"""Conflict markers, of scaffold and of git: a side of each conflict is taken."""

import pytest

from scaffold.merging.markers import settled
from scaffold.patching.source import marker_line

OWN = """\
a
<<<<<<< mine
b
||||||| generated before
c
=======
d
>>>>>>> generated now
e
"""
SIDES = [("mine", "a\nb\ne\n"), ("generated", "a\nd\ne\n"), ("both", "a\nb\nd\ne\n")]


@pytest.mark.parametrize(("take", "after"), SIDES)
def test_a_side_is_taken(take, after):
    assert settled(OWN, take) == after
    assert settled(OWN + OWN, take) == after + after
    assert settled(OWN.replace("\n", "\r\n"), take) == after.replace("\n", "\r\n")


@pytest.mark.parametrize(("take", "after"), SIDES)
@pytest.mark.parametrize("has_base", [True, False])
def test_markers_of_git(take, after, has_base):
    text = OWN.replace("<<< mine", "<<< HEAD").replace(">>> generated now", ">>> b/c")
    base = "||||||| generated before\nc\n"
    text = text.replace(base, "||||||| 1a2b3c\nc\n" if has_base else "")
    assert settled(text, take) == after


def test_a_line_of_equals_signs_is_text_where_no_side_ends():
    heading = "Title\n=======\n"
    assert settled(heading, "mine") == heading
    text = OWN.replace("d\n", f"d\n{heading}")
    assert settled(text, "generated") == f"a\nd\n{heading}e\n"


@pytest.mark.parametrize("count", range(1, 7))
def test_no_line_is_lost_where_markers_are_incomplete(count):
    lines = OWN.split("\n")
    text = "\n".join(lines[: count + 1])
    assert marker_line(text.encode()) == 0
    assert settled(text, "mine") == text
    # conflicts before it are resolved nevertheless
    assert settled(OWN + text, "mine") == f"a\nb\ne\n{text}"


def test_text_that_looks_alike_is_none_of_them():
    text = "<<<<<<<< x\n=======\n>>>>>>>>\n"
    assert settled(text, "mine") == text
    assert settled(">>>>>>> x\n||||||| y\n", "mine") == ">>>>>>> x\n||||||| y\n"


def test_lines_below_a_conflict_begin_anew():
    text = "<<<<<<< mine\na\n=======\nb\n>>>>>>> new\n||||||| c\n=======\n"
    assert settled(text, "mine") == "a\n||||||| c\n=======\n"
