"""Prose of authors in generated text."""

import pytest

from scaffold import prose


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("", ""),
        ("no end", "no end."),
        ("why?", "why?"),
        ("a list:", "a list."),
        ("a, ", "a."),
        ("(see there.)", "(see there.)"),
        ("(see there)", "(see there)."),
    ],
)
def test_a_sentence_ends_with_a_full_stop(said, wanted):
    assert prose.sentence(said) == wanted


@pytest.mark.parametrize("said", ["the room.", "The room.", "URL of it.", "éa."])
def test_sentences_start_with_a_capital_where_one_begins(said):
    assert prose.started(said) == said[0].upper() + said[1:]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("plain", "plain"),
        ('a """b', 'a \\"\\"\\"b'),
        ('"a"', '\\"a\\"'),
        ("a\\b", "a\\\\b"),
    ],
)
def test_docstrings_are_not_ended_by_their_text(said, wanted):
    assert prose.docstring(said) == wanted
    shown = prose.docstring(said)
    assert eval(f'"""{shown}"""') == said


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("# no heading", "\\# no heading"),
        ("- no item", "\\- no item"),
        ("1. no item", "1\\. no item"),
        ("a | b", "a \\| b"),
        ("<b>", "&lt;b>"),
        ("`<b>`", "`<b>`"),
        ("2 < 3", "2 < 3"),
    ],
)
def test_markdown_of_a_text_is_the_text(said, wanted):
    assert prose.markdown(said) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("a\tb\n", ""), ("a\0", "U+0000"), ("\x1b[31m", "U+001B"), ("\u202ex", "U+202E")],
)
def test_characters_that_no_prose_may_have(text, wanted):
    assert prose.forbidden(text) == wanted
