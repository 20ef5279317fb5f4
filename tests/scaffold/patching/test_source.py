"""The text of a file by lines and offsets: encodings, marks, line ends, indentation."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

import pytest

from scaffold.errors import UnreadableFile
from scaffold.patching.source import MAX_BYTES, Source, conflict_marker, marker_line

PATH = PurePosixPath("some.py")
MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def source(text: str | bytes, path: PurePosixPath = PATH) -> Source:
    return Source(path, text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"x = 1\n\0\n\0", "some.py:2: contains a NUL byte"),
        (b"\0", "some.py:1: contains a NUL byte"),
        (b"#" * (MAX_BYTES + 1), "some.py: is larger than 1000000 bytes"),
        (b"x = 1\ny = '\xe9'\n", "some.py:2: is not utf-8 text"),
        (b"\n\xe9", "some.py:2: is not utf-8 text"),
        (b"\n\0", "some.py:2: contains a NUL byte"),
        (b"# coding: ascii\n# \xe9\n", "some.py:2: is not ascii text"),
        (b"# coding: klingon\n", "some.py:1: names an unknown encoding, klingon"),
        (b"x = 1\ny = 2\rz\n", "some.py:2: contains a carriage return inside a line"),
        (b"x = 1\r\ry = 2\n", "some.py:1: contains a carriage return inside a line"),
        (b"x = 1\ny = 2\r", "some.py: ends in a bare carriage return"),
    ],
    ids=lambda each: each.split(": ")[-1] if isinstance(each, str) else "",
)
def test_a_file_that_is_no_text_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        source(data)
    assert str(caught.value) == told


def test_a_file_of_the_greatest_size_is_read() -> None:
    assert source(b"#" * MAX_BYTES).text == "#" * MAX_BYTES


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "x = 1\n<<<<<<< a\ny\n=======\nz\n>>>>>>> b\n",
            "some.py:2: contains a conflict marker",
        ),
        ("x = 1\n\n=======\n", "some.py:3: contains a conflict marker"),
        ("x = 1\n y = 2\n", "some.py:2: unexpected indent"),
        ("x = " + "-" * 50_000 + "1\n", "some.py: is nested too deeply to be read"),
    ],
    ids=["three", "one", "indent", "nested"],
)
def test_a_module_that_is_not_valid_is_refused(text: str, told: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        _ = source(text).tree
    assert str(caught.value) == told


def test_a_module_is_read_without_warnings(recwarn: pytest.WarningsRecorder) -> None:
    assert isinstance(source("x = '\\d'\n").tree, ast.Module)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("data", "path", "encoding"),
    [
        (b"# coding: latin-1\n# \xe9\n", "some.py", "latin-1"),
        (b"#!/bin/python\n# vim: fileencoding=latin-1\n# \xe9\n", "a.py", "latin-1"),
        (b"\xef\xbb\xbf# coding: utf8\n", "some.py", "utf8"),
        (b"x = 1\n\n# coding: ascii\n", "some.py", "utf-8"),
        (b"# coding: ascii\n", "some.toml", "utf-8"),
        (b"x = 1\n", "some.py", "utf-8"),
    ],
)
def test_a_module_may_name_its_encoding(data: bytes, path: str, encoding: str) -> None:
    read = source(data, PurePosixPath(path))
    assert read.encoding == encoding
    assert read.encode(read.text) == data


@pytest.mark.parametrize(
    ("text", "newline"),
    [
        ("", "\n"),
        ("a", "\n"),
        ("a\r\n", "\r\n"),
        ("a\r\nb\n", "\n"),
        ("a\r\nb\r\nc\n", "\r\n"),
        ("a\nb\r\nc\n", "\n"),
    ],
)
def test_the_line_end_is_that_of_most_lines(text: str, newline: str) -> None:
    assert source(text).newline == newline


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("x = 1\n", "    "),
        ("if x:\n  y = 1\n", "  "),
        ("class A:\n\tx = 1\n", "\t"),
        ("def f():\n   '''x'''\n   y = 1\n", "   "),
        ("if x: y = 1\nif z:\n  y = 2\n", "  "),
        ("if x: y = 1\n", "    "),
        ("if x:\n  if y:\n    z\n", "  "),
        ("if x:\n\n  # y\n  z\n", "  "),
        (MARK + "if x:\n  y = 1\n", "  "),
    ],
)
def test_one_step_of_indentation(text: str, unit: str) -> None:
    assert source(text).unit == unit


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("x = 1\n", '"'),
        ("x = 'a'\n", "'"),
        ("x = 'a', \"b\"\n", '"'),
        ("x = 'a', 'b', \"c\"\n", "'"),
        ('"""A."""\n"""B."""\nx = \'a\'\n', "'"),
        # a triple one counts only in single quotes; a prefix hides the quotes
        ("x = '''a''', \"b\", \"c\"\n", '"'),
        ("x = r\"a\", 'b'\n", "'"),
        ("ä = 'ö'; y = 'ü'; z = \"ß\"\n", "'"),
    ],
)
def test_the_quotes_of_most_strings(text: str, quote: str) -> None:
    assert source(text).quote == quote


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x = 1; f(a)\n", "f(a)"),
        ("x = 1\nif x:\n    f(a)\n", "f(a)"),
        ("x = 'ä'; f('ö')  # ü\n", "f('ö')"),
        (MARK + "f(a)\n", "f(a)"),
        (MARK + "'ä'; f(\n  a)\n", "f(\n  a)"),
        ("# ä\r\nf(\r\n'ö')\r\n", "f(\r\n'ö')"),
    ],
)
def test_a_node_has_its_place_in_the_text(text: str, part: str) -> None:
    read = source(text)
    [call] = [each for each in ast.walk(read.tree) if isinstance(each, ast.Call)]
    start, stop = read.span(call)
    assert read.text[start:stop] == part


@pytest.mark.parametrize("head", ["", MARK, "x = 1\n", "# ä\r\n"])
def test_a_decorator_belongs_to_what_it_decorates(head: str) -> None:
    code = "@a\n@ b\ndef f(): ..."
    read = source(f"{head}{code}\ny = 2\n")
    [node] = [each for each in read.tree.body if isinstance(each, ast.FunctionDef)]
    start, stop = read.span(node)
    assert read.text[start:stop] == code


def test_lines_have_offsets() -> None:
    read = source(f"{MARK}ab\ncd\r\n\x0cef")
    assert read.lines == [f"{MARK}ab\n", "cd\r\n", "\x0cef"]
    assert [read.line_start(line) for line in range(4)] == [1, 4, 8, 11]
    assert [read.line_stop(at) for at in (1, 3, 4, 8, 11)] == [4, 4, 8, 11, 11]
    assert [source("ab\ncd\n").line_start(line) for line in range(3)] == [0, 3, 6]


@pytest.mark.parametrize(
    ("line", "indent"),
    [
        ("  a", "  "),
        ("\t a", "\t "),
        (MARK + "  a", "  "),
        (" \x0c a", "  "),
        ("x", ""),
        ("", ""),
    ],
)
def test_the_indentation_of_a_line(line: str, indent: str) -> None:
    assert source(line).indent_of(0) == indent
    assert source(line).indent_of(7) == ""


@pytest.mark.parametrize(
    ("text", "line", "first"),
    [
        ("# a\n# b\nx\n", 2, 0),
        ("# a\n\n# b\nx\n", 3, 2),
        ("  # a\n# b\nx\n", 2, 1),
        ("# a\n  # b\n  x\n", 2, 1),
        ("y\nx\n", 1, 1),
        ("x\n", 0, 0),
        ("#! a\nx\n", 1, 0),
    ],
)
def test_comments_above_a_line(text: str, line: int, first: int) -> None:
    assert source(text).with_comments(line) == first


@pytest.mark.parametrize(
    ("text", "end", "left"),
    [
        ("a\n\n \t\r\n", 3, 1),
        ("\n\n", 2, 0),
        (MARK + "\n\n", 2, 0),
        ("a\nb\n", 2, 2),
        ("a\nx\n", 2, 2),
        ("a\n\nb\n", 2, 1),
    ],
)
def test_blank_lines_before_a_line(text: str, end: int, left: int) -> None:
    assert source(text).without_blanks(end) == left


def test_lines_hold_a_text() -> None:
    read = source("ab\ncd\nef\n")
    assert read.holds("c", 1, 2)
    assert not read.holds("a", 1, 3)
    assert not read.holds("e", 0, 2)


WHOLE = "x\n<<<<<<< a\ny\n=======\nz\n>>>>>>> b\n<<<<<<< c\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (WHOLE, 2),
        ("=======\n" + WHOLE, 3),
        ("x\n<<<<<<< a\n=======\n", 0),
        ("x\n<<<<<<< a\n>>>>>>> b\n", 0),
        ("<<<<<<<\n=======\n>>>>>>> b\n", 0),
        (" <<<<<<< a\n=======\n>>>>>>> b\n", 0),
        ("", 0),
    ],
)
def test_a_complete_set_of_markers_is_a_conflict(text: str, line: int) -> None:
    assert conflict_marker(text.splitlines()) == line
    assert marker_line(text.encode() + b"\xff") == line
    page = source(text, PurePosixPath("some.md"))
    if not line:
        page.refuse_conflict_markers()
        return
    with pytest.raises(UnreadableFile) as caught:
        page.refuse_conflict_markers()
    assert str(caught.value) == f"some.md:{line}: contains a conflict marker"
