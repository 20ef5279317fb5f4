"""Markup that cannot be broken by what it shows."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.server.status.html import Link, Stylesheet, document, el, visible
from tests.runtime.server.status.reading import Reader

HOSTILE = (
    "<script>alert(1)</script>",
    "</style></title></textarea><img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp;amp; &#x3c;",
    "\"'` onload=alert(1) x='",
    "]]><!-- <!DOCTYPE html> <?php ?>",
)
STYLE = Stylesheet("p { color: red; }")


def page(*content):
    return Reader(document("t", STYLE, *content))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text(text):
    read = page(el("p", text, title=text, data_x=text))
    assert [tag for tag, _ in read.tags if tag not in ("meta", "head", "html")] == [
        *("title", "style", "body", "p")
    ]
    assert read.text[""].strip() == text
    assert read.tags[-1] == ("p", {"title": text, "data-x": text})


@given(st.text())
def test_any_text_is_read_as_it_is_shown(text):
    read = page(el("p", text, title=text))
    # around it are the line ends of the layout
    layout = page(el("p")).text[""]
    assert read.text[""] == f"{layout[:3]}{visible(text)}{layout[3:]}"
    assert read.tags[-1][1] == {"title": visible(text)}


@given(st.text(st.characters(codec="utf-8")))
def test_nothing_invisible_is_left(text):
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", visible(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("a\x00b\x1b[31m\x7f\r", "a\\u0000b\\u001b[31m\\u007f\\u000d"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("مرحبا 👩\u200d💻 µ", "مرحبا 👩\u200d💻 µ"),
    ],
    ids=["rlo", "controls", "zero width", "surrogate", "tag", "lines", "languages"],
)
def test_characters_that_deceive_are_escapes(text, shown):
    assert visible(text) == shown
    assert page(el("p", text)).text[""].strip() == shown.strip()


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("script", {}),
        ("style", {}),
        ("p><b", {}),
        ("p", {"onclick": "x"}),
        ("p", {"style": "x"}),
        ("p", {"a b": "x"}),
        ("a", {"href": "javascript:alert(1)"}),
        ("form", {"action": "https://example.com"}),
        ("img", {"src": "x"}),
        ("p", {"title": Link()}),
    ],
)
def test_what_cannot_be_escaped_is_refused(tag, attributes):
    with pytest.raises(ValueError, match=r"allowed|wrong type"):
        el(tag, **attributes)


def test_a_style_sheet_cannot_end_its_element():
    with pytest.raises(ValueError, match="must not contain"):
        Stylesheet("p { } </style><script>")


def test_links_stay_on_the_server():
    for value in (*HOSTILE, "//evil.example", "javascript:x", "a&b=c#d", "\ud800"):
        target = str(Link("", {"topic": value}, "dead"))
        assert re.fullmatch(r"\./\?topic=[\w%+.~-]*#dead", target)
