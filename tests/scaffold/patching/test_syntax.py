"""Entries of the syntax tree, by their keys."""

from __future__ import annotations

import ast

import pytest

from scaffold.patching.syntax import items


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        ("from a import b as c, d", ["c", "d"]),
        ("import a.b, c as d", ["a.b", "d"]),
    ],
)
def test_an_import_has_the_names_that_it_binds(code: str, keys: list[str]) -> None:
    assert [key for key, _ in items(ast.parse(code).body[0])] == keys
