"""`[handler]`, and the prose of authors."""

from __future__ import annotations

import pytest

from scaffold.errors import SpecError
from scaffold.flags import Flags
from scaffold.spec.parse import differences, from_flags, parse
from scaffold.spec.toml import toml_text
from tests.scaffold.spec.small import HEAD, TAIL, flag_faults


def with_doc(doc):
    room = f"room = {{ doc = {toml_text(doc)} }}"
    return parse(HEAD.replace("room = {}", room) + TAIL).config[1].doc


@pytest.mark.parametrize(
    ("doc", "wanted"),
    [
        ("no end", "no end."),
        ("Where it goes", "Where it goes."),
        ("URL of the hook", "URL of the hook."),
        ("PagerDuty key", "PagerDuty key."),
        ("over\n  two\tlines\n", "over two lines."),
        ("why?", "why?"),
        ("a list:", "a list."),
        ("the room (see there.)", "the room (see there.)"),
        ('so-called "room"', 'so-called "room".'),
        ('a """b\\', 'a """b\\.'),
        ("", ""),
    ],
)
def test_a_doc_may_be_anything_that_people_write(doc, wanted):
    assert with_doc(doc) == wanted


@pytest.mark.parametrize("doc", ["a\0b", "a\x1b[31m", "x\u202ey"])
def test_a_doc_holds_no_control_characters(doc):
    with pytest.raises(
        SpecError, match=r"config\.room\.doc: contains the character U\+"
    ):
        with_doc(doc)


def test_a_title_may_be_anything_that_people_write():
    spec = from_flags(Flags("foo", title=' Ünï \n ${x} "& Co." 会社 '))
    assert spec.title == 'Ünï ${x} "& Co." 会社'
    assert spec.names.class_name == "Foo"
    assert differences(spec, parse(spec.to_toml())) == []


@pytest.mark.parametrize("title", ["--!", "x" * 61, "a\x07b"])
def test_a_title_has_words(title):
    assert flag_faults(title=title)[0].startswith("--title: ")


@pytest.mark.parametrize("said", ["posts it", "Posts it", "Grafana hears", "URL of it"])
def test_a_summary_keeps_its_capitals(said):
    head = HEAD.replace('"foo"\n', f'"foo"\nsummary = "{said}"\n')
    assert parse(head + TAIL).summary == f"{said}."


def test_enabled_need_not_be_listed():
    text = HEAD.replace('"foo"', '"foo"\nflags = ["global"]') + TAIL
    assert parse(text).flags == ("enabled", "global")
