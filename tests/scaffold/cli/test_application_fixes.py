"""Errors and findings print commands that exist, of scaffold or git and pip."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parents[3] / "scaffold"
PROGRAMS = {"scaffold", "git", "pip", "cd"}


def fixes() -> Iterator[tuple[str, str]]:
    """The place and the text, or its beginning, of every fix in the source."""
    for file in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            for value in assigned(node):
                for each in ast.walk(value):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        yield f"{file.name}:{each.lineno}", each.value
                        break


def assigned(node: ast.AST) -> Iterator[ast.expr]:
    """The values that a node gives to something called `fix` or `next`."""
    if isinstance(node, ast.keyword) and node.arg in ("fix", "next"):
        yield node.value
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if getattr(target, "attr", getattr(target, "id", "")) in ("fix", "next"):
                yield node.value


def test_every_fix_is_a_command_of_a_known_program() -> None:
    found = {place: text.split(" ")[0] for place, text in fixes() if text[:1].isalpha()}
    assert len(found) > 25
    odd = {place: word for place, word in found.items() if word not in PROGRAMS}
    assert odd == {}
