"""Imports of the runtime go down, never up: read from the sources."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RUNTIME = ROOT / "runtime"
ARCHITECTURE = ROOT / "docs" / "architecture.md"

# From the top down: each imports itself and what stands in the rows below its own, never
# its neighbours. `services` are the modules of `runtime/services/` itself, and
# `services.{kind}` is every package that scaffold made.
LAYERS = (
    ("server",),
    ("tasks.load", "tasks.replay"),
    ("tasks.api",),
    ("tasks", "tasks.secrets"),
    ("nodes", "integrations", "services.config", "services.deliveries"),
    ("services.alert",),
    ("integration", "services.{kind}", "services.httppost", "services.influxdb"),
    (
        *("delivery", "services", "services.auth", "services.servicetest"),
        *("services.sideload", "services.storage", "services.udp"),
    ),
    ("services.httpd", "pipeline", "outbound"),
    ("alert", "influxql", "tick", "line_protocol", "store", "secrets", "toml_lines"),
    ("frames", "golang", "references", "trouble"),
    ("compute", "errors", "lazy", "settings", "suggestions", "units", "version"),
)
# the command line imports no server; testing is for tests, of everything
APART = {"client": {"golang", "suggestions", "units", "version", "client"}}
# packages whose folders are layers of their own
STOREYS = ("services", "tasks")
# the heading of the table of docs/architecture.md
BEGIN = "| | package or module | content |\n|---|---|---|\n"


def unit(module: str) -> str:
    """The layer's name of a module: `runtime.tick.parser` → `tick`."""
    first, *rest = module.removeprefix("runtime.").split(".")
    if not (first in STOREYS and rest and (RUNTIME / first / rest[0]).is_dir()):
        return first
    is_made = (RUNTIME / first / rest[0] / "handler.toml").exists()
    return f"{first}.{{kind}}" if is_made else f"{first}.{rest[0]}"


@functools.cache
def imports() -> tuple[tuple[str, str, str], ...]:
    """Importing file, its layer, the imported layer."""
    return tuple(_imports())


def _imports() -> Iterator[tuple[str, str, str]]:
    for path in sorted(RUNTIME.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        importer = unit(".".join(parts).removesuffix(".__init__"))
        for node in ast.walk(ast.parse(path.read_text())):
            for name in imported(node):
                if name.startswith("runtime."):
                    yield str(path.relative_to(RUNTIME)), importer, unit(name)


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports, or names in them."""
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return []


def is_fake(path: str) -> bool:
    """True for an integration's fake server, which is for tests."""
    return path.endswith("test.py")


def summary(name: str) -> str:
    """The first line of a layer's docstring, without its full stop."""
    if name == "services.{kind}":
        return "An integration's service, its options and its requests"
    path = RUNTIME / name.replace(".", "/")
    module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(module.read_text())) or ""
    return text.partition("\n")[0].rstrip(".")


def table() -> str:
    """The rows of docs/architecture.md, from the layers and their docstrings."""
    rows = [
        f"| {floor} | `{name}` | {summary(name)} |\n"
        for floor, names in zip(range(len(LAYERS), 0, -1), LAYERS, strict=True)
        for name in names
    ]
    return BEGIN + "".join(rows)


def documented(text: str) -> str:
    """The table as a text of docs/architecture.md has it."""
    start = text.index(BEGIN)
    return text[start : text.index("\n\n", start) + 1]


def test_imports_go_down() -> None:
    rank = {name: level for level, names in enumerate(LAYERS) for name in names}
    wrong = [
        f"{path}: {importer} imports {imported}"
        for path, importer, imported in imports()
        if importer in rank
        and importer != imported
        and not is_fake(path)
        and rank.get(imported, -1) <= rank[importer]
    ]
    assert wrong == []


def test_the_documented_layers_are_these() -> None:
    assert (
        documented(ARCHITECTURE.read_text()) == table()
    ), "write the table with: python tests/test_layers.py"


def test_only_the_command_knows_handlers_by_name() -> None:
    found = {
        path
        for path, importer, imported in imports()
        if imported == "integrations" and importer not in ("integrations", "testing")
    }
    assert found == {"server/__main__.py"}


@pytest.mark.parametrize("name", APART)
def test_the_command_line_imports_no_server(name: str) -> None:
    found = {imported for _, importer, imported in imports() if importer == name}
    assert found <= APART[name]


def test_one_bridge_leads_from_threads_to_the_event_loop() -> None:
    found = {
        str(path.relative_to(RUNTIME))
        for path in RUNTIME.rglob("*.py")
        if re.search("call_soon_threadsafe|run_coroutine_threadsafe", path.read_text())
    }
    assert found == {"compute/bridge.py"}


def test_every_module_has_a_layer() -> None:
    known = {name for names in LAYERS for name in names} | {*APART, "testing"}
    modules = {
        unit(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for path in RUNTIME.rglob("*.py")
    }
    assert modules - {"__init__"} == known


if __name__ == "__main__":
    text = ARCHITECTURE.read_text()
    ARCHITECTURE.write_text(text.replace(documented(text), table()))
