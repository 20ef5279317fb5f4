"""Layout of entries in the style of their files."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.layout.style import Style
from scaffold.patching.layout import by_black, comments, indented, requoted
from scaffold.patching.source import Source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a": 1,\n', "'a': 1,\n"),
        ('"a": f("", "b", "it\'s"),\n', "'a': f(\"\", 'b', \"it's\"),\n"),
        ('"a": f(\n    "b", "c",\n),\n', "'a': f(\n    'b', 'c',\n),\n"),
        ('"a": """b""",\n', '\'a\': """b""",\n'),
        ('"a": r"b" "\\\\",  # "c"\n', '\'a\': r"b" "\\\\",  # "c"\n'),
    ],
)
def test_strings_get_the_quotes_of_the_file(text: str, expected: str) -> None:
    assert requoted(text, "'") == expected
    assert requoted(text, '"') == text


def test_lines_are_indented_in_the_way_of_the_file() -> None:
    text = "a(\n    b(\n        c,\n\n      d),\n)\n"
    assert indented(text, "\t", "\t", "\r\n") == (
        "\ta(\r\n\t\tb(\r\n\t\t\tc,\r\n\r\n\t\t  d),\r\n\t)\r\n"
    )


@pytest.mark.parametrize(
    ("head", "unit", "newline"),
    [("", "    ", "\n"), ("  ", "  ", "\n"), ("\t", "\t", "\r\n")],
)
def test_a_statement_is_laid_out_by_black(head: str, unit: str, newline: str) -> None:
    source = Source(PurePosixPath("a.py"), f"if x:{newline}{unit}y{newline}".encode())
    text = f"f(aaa, # x{newline} [bbb, cccc])"
    lines = ["f(", f"{unit}aaa,  # x", f"{unit}[bbb, cccc],", ")"]
    # a tab is as wide as four blanks, and the list just fits
    style = Style(line_length=16 + len(head.expandtabs(4)))
    laid = by_black(text, head, source, style)
    assert laid == newline.join([lines[0], *(head + line for line in lines[1:])])


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("f(aaaa, bbbb)", "x; "),
        ('f("""a\nb""", bbbb)', ""),
        ('f(f"""a\n{b}""", bbbb)', ""),
    ],
)
def test_other_statements_are_left_alone(text: str, before: str) -> None:
    source = Source(PurePosixPath("a.py"), b"x\n")
    assert by_black(text, before, source, Style(line_length=8)) == ""


def test_comments_belong_to_what_is_before_them() -> None:
    text = "f(  # a \n  'b',  # c\n  # d\n)\n"
    assert comments(text) == [("f", "# a"), ('"b"', "# c"), ('"b"', "# d")]
    assert comments('f(  # a\n  # e\n  "b"  # c\n)\n')[2] == ('"b"', "# c")
