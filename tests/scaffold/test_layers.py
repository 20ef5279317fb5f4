"""The generator's modules, read from the sources: imports go down, one room prints and one
writes."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCAFFOLD = ROOT / "scaffold"

# each module and package may import itself and what stands above it
LAYERS = (
    ("change", "codes", "escaping", "flags", "layout", "prose", "testing"),
    ("errors", "statuses", "terminal"),
    ("disk", "names", "patching"),
    ("expressions", "mentions", "outcomes", "places", "project", "tree", "verify"),
    ("spec", "state"),
    ("branches", "ejected", "inference", "merging", "rendering", "wanted"),
    ("checkout", "overrides", "retired"),
    ("shared",),
    ("conflicts", "files"),
    ("generate",),
    (
        *("edits", "evolution", "formats", "handlers", "presence", "refusal"),
        *("renaming", "resolution"),
    ),
    ("adoption",),
    ("findings", "markers", "provenance"),
    ("annotations", "plans", "report"),
    ("commands",),
    ("cli",),
    ("__main__",),
)
# the core: from a tree to a change set, without a look at the disk
CORE = {
    *("adoption", "change", "codes", "conflicts", "edits", "ejected", "errors"),
    *("escaping", "expressions", "files", "findings", "generate", "layout"),
    *("mentions", "merging", "names", "outcomes", "patching", "places", "prose"),
    *("refusal", "renaming", "resolution", "retired", "spec", "shared", "wanted"),
}
EDGE = {"cli", "commands", "disk", "terminal", "verify", "__main__"}

_PRINTING = {
    *("print", "input", "sys.stdout", "sys.stderr", "sys.excepthook"),
    *("sys.__stdout__", "sys.__stderr__", "click.echo", "click.secho"),
    *("click.prompt", "click.confirm"),
}
_ENDING = {"sys.exit", "os._exit", "exit", "quit", "SystemExit"}
_WRITING = {
    *(f"os.{name}" for name in ("open", "write", "replace", "rename", "unlink")),
    *(f"os.{name}" for name in ("remove", "mkdir", "makedirs", "rmdir", "link")),
    *(f"os.{name}" for name in ("symlink", "truncate", "ftruncate", "chmod")),
    *(f"os.{name}" for name in ("fchmod", "chown", "fchown", "utime", "pwrite")),
}
_WRITING_MODULES = {"shutil", "tempfile"}
# of paths and of streams
_WRITING_METHODS = {
    *("write_text", "write_bytes", "write", "writelines", "unlink", "mkdir", "rmdir"),
    *("touch", "rename", "symlink_to", "hardlink_to", "chmod", "lchmod"),
}


@functools.cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """Each module by its name below `scaffold`, with its syntax tree."""
    return tuple(
        (
            ".".join(path.relative_to(SCAFFOLD).with_suffix("").parts),
            ast.parse(path.read_text()),
        )
        for path in sorted(SCAFFOLD.rglob("*.py"))
    )


def unit(module: str) -> str:
    """The layer's name of a module: `patching.nodes` → `patching`."""
    return module.partition(".")[0]


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules of the generator that a module imports, also where it runs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, "imports are absolute"
            for alias in node.names:
                yield from _module(f"{node.module}.{alias.name}")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from _module(alias.name)


def _module(name: str) -> Iterator[str]:
    """The module that a dotted name is, or is defined in; nothing of other packages."""
    package, *parts = name.split(".")
    if package != "scaffold":
        return
    for count in range(len(parts), 0, -1):
        path = SCAFFOLD.joinpath(*parts[:count])
        if path.with_suffix(".py").is_file():
            yield ".".join(parts[:count])
            return
        if (path / "__init__.py").is_file():
            yield ".".join([*parts[:count], "__init__"])
            return


def used(tree: ast.Module) -> Iterator[str]:
    """The names that a module uses, by where they come from: `os.replace`, `print`."""
    origins: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                origins[alias.asname or unit(alias.name)] = alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                origin = f"{node.module}.{alias.name}"
                origins[alias.asname or alias.name] = origin
                yield origin
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            head, dot, rest = ast.unparse(node).partition(".")
            yield origins.get(head, head) + dot + rest


def writes(tree: ast.Module) -> bool:
    """True if a module can change a file."""
    names = set(used(tree))
    if names & _WRITING or {unit(name) for name in names} & _WRITING_MODULES:
        return True
    return any(_is_write(node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_write(call: ast.Call) -> bool:
    """True for a call that writes, by the name and arguments of its method."""
    is_method = isinstance(call.func, ast.Attribute)
    name = ast.unparse(call.func).rpartition(".")[2]
    if is_method and name in _WRITING_METHODS:
        return True
    if is_method and name == "replace":  # of a path; that of a string has two
        return len(call.args) == 1 and not call.keywords
    if name == "open":
        modes = [each.value for each in call.keywords if each.arg == "mode"]
        modes += call.args[0 if is_method else 1 :][:1]
        return not all(ast.unparse(mode) in ("'r'", "'rb'") for mode in modes)
    return False


def test_imports_go_down() -> None:
    rank = {name: level for level, names in enumerate(LAYERS) for name in names}
    wrong = [
        f"{name} imports {other}"
        for name, tree in modules()
        for other in imported(tree)
        if unit(name) != unit(other)
        if rank[unit(name)] <= rank[unit(other)]
    ]
    assert wrong == []


def test_every_module_has_a_layer() -> None:
    units = {unit(name) for name, _ in modules()} - {"__init__"}
    ranked = [name for names in LAYERS for name in names]
    assert sorted(units) == sorted(ranked)


def test_there_is_no_circle() -> None:
    order = {name: set(imported(tree)) - {name} for name, tree in modules()}
    assert list(TopologicalSorter(order).static_order())


def test_the_documentation_names_the_layers() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    table = text.partition("| layer of the generator |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[2:]]
    named = [sorted(re.findall(r"`(\w+)(?:/|\.py)`", row)) for row in rows]
    assert named == [sorted(names) for names in reversed(LAYERS)]


def test_the_core_knows_nothing_of_the_edge() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, tree in modules()
        if unit(name) in CORE
        for other in imported(tree)
        if unit(other) in EDGE
    ]
    assert wrong == []


def test_only_the_terminal_prints() -> None:
    printing = {name for name, tree in modules() if set(used(tree)) & _PRINTING}
    assert printing == {"terminal"}


def test_only_the_command_line_ends_the_process() -> None:
    ending = {unit(name) for name, tree in modules() if set(used(tree)) & _ENDING}
    assert ending == {"cli"}


def test_only_the_disk_writes() -> None:
    writing = {unit(name) for name, tree in modules() if writes(tree)}
    # the terminal replaces a stream without a reader
    assert writing == {"disk", "terminal"}


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.replace('a', 'b')",
        "import os as system\nsystem.open('a', system.O_CREAT)",
        "from os import makedirs as made",
        "open('a', 'w')",
        "open('a', mode='r+')",
        "open('a', mode)",
        "path.open('ab')",
        "path.write_text('a')",
        "path.replace(other)",
        "import shutil\nshutil.rmtree('a')",
        "def f():\n    from tempfile import mkdtemp",
    ],
)
def test_writing_is_seen(code: str) -> None:
    assert writes(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    ["open('a')", "open('a', 'rb')", "path.open('r')", "text.replace('a', 'b')"],
)
def test_reading_is_not_writing(code: str) -> None:
    assert not writes(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "print('a')",
        "import sys as s\ns.stderr.write('a')",
        "from sys import stdout",
        "from click import echo as said",
    ],
)
def test_printing_is_seen(code: str) -> None:
    assert set(used(ast.parse(code))) & _PRINTING
