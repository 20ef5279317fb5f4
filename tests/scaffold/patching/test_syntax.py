"""Entries of the syntax tree, by their keys."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

import pytest

from scaffold.patching.source import Source
from scaffold.patching.syntax import entry_of, entry_span, first_line, is_alone, items


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("from a import b as c, d", ["c", "d"]),
        ("import a.b, c as d", ["a.b", "d"]),
    ],
)
def test_an_import_has_the_names_that_it_binds(code: str, keys: list[str]) -> None:
    assert [key for key, _ in items(ast.parse(code).body[0])] == keys


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ('a = 1\n"""About a."""\n"""More."""\n', 2),
        ('a: int = 1\n"""About\na."""\nb = 2\n', 3),
        ("a = (\n    1\n)\nb\n", 3),
        ('a()\n"""About nothing."""\n', 1),
        ("a = 1\n2\n", 1),
        ("a = 1\n", 1),
    ],
)
def test_a_string_below_an_assignment_belongs_to_it(code: str, lines: int) -> None:
    source = Source(PurePosixPath("a.py"), f"x = 0\n{code}".encode())
    suite = ast.parse(source.text).body
    entry = entry_of("a", suite[1], suite)
    assert (entry.first, entry.end) == (1, 1 + lines)
    start, stop = entry_span(source, entry)
    kept = "".join(code.splitlines(keepends=True)[:lines])
    assert source.text[start:stop] + "\n" == kept
    assert is_alone(source, entry)


@pytest.mark.parametrize(
    "code", ['a = 1; """About a."""\n', 'a = 1\n"""About a."""; b = 2\n']
)
def test_an_entry_is_not_alone_beside_what_follows_on_its_line(code: str) -> None:
    source = Source(PurePosixPath("a.py"), code.encode())
    suite = ast.parse(code).body
    entry = entry_of("a", suite[0], suite)
    assert not is_alone(source, entry)
    start, stop = entry_span(source, entry)
    assert source.text[start:stop] == code.partition(";")[0]


def test_a_function_begins_at_its_first_decorator() -> None:
    code = "x = 1\n@register(\n    1\n)\n@other\ndef f() -> None: ...\n"
    assert [first_line(node) for node in ast.parse(code).body] == [0, 1]
