"""Texts that differ only in layout, and others."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from scaffold.merging.likeness import is_alike

MODULE = '''"""Doc.

More.
"""

from a import b, c
import d

X = f("a", "b")  # note


class A:
    """Text.

    Attributes:
        x: it.
    """

    x: str = "one"
'''


@pytest.mark.parametrize(
    "other",
    [
        MODULE.replace('"a", "b"', "'a', 'b'"),
        MODULE.replace('f("a", "b")', 'f(\n    "a",\n    "b",\n)'),
        MODULE.replace(
            "from a import b, c\nimport d", "import d\nfrom a import c\nfrom a import b"
        ),
        MODULE.replace("\n\n\nclass", "\n\n\n\n\nclass"),
        MODULE.replace("    ", "\t"),
        MODULE.replace('"one"', '("one")'),
        MODULE + "\n\n",
    ],
    ids=["quotes", "lines", "imports", "blank", "tabs", "parentheses", "end"],
)
def test_layout_of_code_does_not_count(other: str) -> None:
    assert other != MODULE
    assert is_alike(PurePosixPath("x.py"), MODULE, other)


@pytest.mark.parametrize(
    "other",
    [
        MODULE.replace("# note", "# other note"),
        MODULE.replace("# note", ""),
        MODULE.replace('"one"', '"two"'),
        MODULE.replace("import b, c", "import b"),
        MODULE.replace("More.", "Other."),
        MODULE.replace("x: str", "y: str"),
        "# licence\n" + MODULE,
        MODULE + "(",
        MODULE + "\0",
    ],
)
def test_what_people_write_counts(other: str) -> None:
    assert not is_alike(PurePosixPath("x.py"), MODULE, other)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        (
            "a.md",
            "# A\n\n| a | b |\n|---|---|\n| c | d |\n",
            "# A\n\n\n| a   | b |\n| --- | :-: |\n|c|d|\n",
        ),
        ("a.toml", '[a]\nb = "c"\n', "[a]\nb = 'c'  \n"),
        ("a.yaml", 'a: "b"\n', "a: 'b'\n\n"),
        ("a.tick", "stream\n    |alert()\n", "stream\n    |alert()"),
    ],
)
def test_layout_of_documents_does_not_count(name: str, one: str, other: str) -> None:
    assert is_alike(PurePosixPath(name), one, other)
    assert not is_alike(PurePosixPath(name), one, other + "more\n")


def test_indentation_of_documents_counts() -> None:
    assert not is_alike(PurePosixPath("a.yaml"), "a:\n  b: 1\n", "a:\nb: 1\n")


def test_code_without_statements_is_like_such() -> None:
    path = PurePosixPath("x.py")
    assert is_alike(path, "", "\n")
    assert not is_alike(path, "", "# a\n")
    assert not is_alike(path, "", "pass\n")


def test_where_a_docstring_is_broken_counts() -> None:
    path = PurePosixPath("x.py")
    text = 'def f():\n    """A\n    b."""\n'
    assert is_alike(path, text, text.replace("    ", "\t"))
    for other in ("A b.", "A\n    x b.", "A\n\n    b."):
        assert not is_alike(path, text, text.replace("A\n    b.", other))
    # only the first statement is one
    code = 'def f():\n    a\n    """A\n    b."""\n'
    assert not is_alike(path, code, code.replace("    b.", "  b."))
