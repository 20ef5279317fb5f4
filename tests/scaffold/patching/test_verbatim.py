"""Entries that are removed by their recorded text."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.patching.verbatim import without


@pytest.mark.parametrize(
    ("before", "entry", "after", "line"),
    [
        ("a = 1\nb = 2\nc = 3\n", "b = 2\n", "a = 1\nc = 3\n", 2),
        ("a = 1\nb = 2", "b = 2\n", "a = 1\n", 2),
        ("if a:\n    b(\n        1,\n    )\n    c\n", "b(\n    1,\n)\n", "if a:\n    c\n", 2),
        ("if a:\r\n\tb\r\n\tc\r\n", "b", "if a:\r\n\tc\r\n", 2),
        ("\ufeffa\nb = 1\n", "b = 1", "\ufeffa\n", 2),
        # with the blank lines that came with it
        ("a\n\nb\n", "b", "a\n", 3),
        ("a\n\n\nb\n\n\nc\n", "b", "a\n\n\nc\n", 4),
        ("a\n\nb\nc\n", "b", "a\n\nc\n", 3),
        ("b\n\nc\n", "b", "\nc\n", 1),
        ("a(\n    1,\n\n    2,\n)\nb\n", "a(\n    1,\n\n    2,\n)", "b\n", 1),
        ("x = 1\nb = x\nab = x\n", "b = x", "x = 1\nab = x\n", 2),
    ],
)  # fmt: skip
def test_lines_that_are_there_once_go(
    before: str, entry: str, after: str, line: int
) -> None:
    found = without(PurePosixPath("a.py"), before.encode(), entry)
    assert found == (after.encode(), line)


@pytest.mark.parametrize(
    ("before", "entry"),
    [
        ("a\n", "b"),
        ("b\nb\n", "b"),
        ("if a:\n    b\nb\n", "b"),
        ("if a:\n    b\n", "b"),
        ("b(\n    1,\n)\n", "b(\n1,\n)"),
        ("b(\n    1,\n)\n", "b(\n    1,"),
        ("b = (\n    1,\n    2,\n)\n", "b = (\n    2,\n)"),
    ],
)
def test_other_lines_stay(before: str, entry: str) -> None:
    assert without(PurePosixPath("a.py"), before.encode(), entry) is None


def test_other_files_need_no_syntax() -> None:
    assert without(PurePosixPath("a.md"), b"if a:\n  b\n", "b") == (b"if a:\n", 2)
