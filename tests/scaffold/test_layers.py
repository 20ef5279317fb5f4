"""Imports of the generator go in one direction: no circle; only the command line prints."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

SCAFFOLD = Path(__file__).parents[2] / "scaffold"
# the quick answer of `check` does without click
PRINTING = {"cli", "check_cache"}
# the core: from a tree to a change set, without a look at the disk
CORE = {
    *("change", "check", "edits", "errors", "escaping", "generate", "markers"),
    *("names", "outcomes", "places", "prose", "refusal", "retired", "wanted"),
    *("expressions", "layout", "patching", "spec"),
}
EDGE = {
    *("cli", "commands", "disk", "machine", "recovery", "starting", "transaction"),
    *("verify", "__main__"),
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Each module by its name below `scaffold`, with its syntax tree."""
    for path in sorted(SCAFFOLD.rglob("*.py")):
        parts = path.relative_to(SCAFFOLD).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules of the generator that a module imports, also where it runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "scaffold":
                yield from (alias.name for alias in node.names)
            elif node.module.startswith("scaffold."):
                module = node.module.removeprefix("scaffold.")
                inner = [f"{module}.{alias.name}" for alias in node.names]
                yield from [each for each in inner if _is_module(each)] or [module]


def _is_module(name: str) -> bool:
    return (SCAFFOLD / f"{name.replace('.', '/')}.py").is_file()


def test_there_is_no_circle_between_rooms() -> None:
    order: dict[str, set[str]] = {}
    for name, tree in modules():
        room = name.partition(".")[0]
        others = {other.partition(".")[0] for other in imported(tree)}
        order.setdefault(room, set()).update(others - {room})
    assert list(TopologicalSorter(order).static_order())


def test_there_is_no_circle_in_the_room_that_patches() -> None:
    order = {
        name: set(imported(tree))
        for name, tree in modules()
        if name.startswith("patching.")
    }
    assert list(TopologicalSorter(order).static_order())


def test_the_core_knows_nothing_of_the_edge() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, tree in modules()
        if name.partition(".")[0] in CORE
        for other in imported(tree)
        if other.partition(".")[0] in EDGE
    ]
    assert wrong == []


def test_nothing_but_the_command_line_prints() -> None:
    printing = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "print")
        or (
            isinstance(node, ast.Attribute)
            and ast.unparse(node) in {"sys.stdout", "sys.stderr", "click.echo"}
        )
    }
    assert printing <= PRINTING
