"""Imports of the runtime go down, never up: read from the sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

RUNTIME = Path(__file__).parent.parent / "runtime"

# each may import itself and what stands above it
LAYERS = (
    (
        *(
            "addresses",
            "complaints",
            "errors",
            "fair_lock",
            "folders",
            "secret_names",
            "settings",
        ),
        *("reserve", "slices", "suggestions", "trouble", "units", "version"),
        *("worker", "write_ahead"),
    ),
    ("golang",),
    ("toml_lines",),
    ("secrets", "secret_mappings", "secret_references", "secret_texts", "secret_urls"),
    ("frames",),
    (
        "line_protocol",
        "ingress",
        "dialing",
        "http_headers",
        "transport_errors",
        "trust",
    ),
    ("sealing",),
    ("schema",),
    ("alert", "compute", "store", "http_client"),
    ("records",),
    ("options",),
    ("tick",),
    ("pipeline",),
    ("delivery",),
    ("integration", "services"),
    ("nodes",),
    ("task_master", "parts"),
    # what serves the API of tasks stands above the tasks
    ("services.task_store", "services.load", "services.replay"),
    # the handlers that come with the server
    ("integrations", "plugins"),
    ("server",),
)
# the command line imports no server; testing is for tests, of everything
APART = {"client": {"golang", "suggestions", "units", "version", "client"}}
BUILDERS = ("services.task_store", "services.load", "services.replay")


def unit(module: str) -> str:
    """The layer's name of a module: `runtime.tick.parser` → `tick`."""
    name = module.removeprefix("runtime.")
    for builder in BUILDERS:
        if name == builder or name.startswith(f"{builder}."):
            return builder
    return name.partition(".")[0]


def imports() -> Iterator[tuple[str, str, str]]:
    """Importing file, its layer, the imported layer."""
    for path in sorted(RUNTIME.rglob("*.py")):
        parts = path.relative_to(RUNTIME.parent).with_suffix("").parts
        importer = unit(".".join(parts).removesuffix(".__init__"))
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                if name.startswith("runtime."):
                    yield str(path.relative_to(RUNTIME)), importer, unit(name)


def is_fake(path: str) -> bool:
    """Whether a module is an integration's fake server, which is for tests."""
    return path.endswith("test.py")


def test_imports_go_down() -> None:
    rank = {name: level for level, names in enumerate(LAYERS) for name in names}
    wrong = [
        f"{path}: {importer} imports {imported}"
        for path, importer, imported in imports()
        if importer in rank
        and not is_fake(path)
        and rank.get(imported, 99) > rank[importer]
    ]
    assert wrong == []


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


def test_every_module_has_a_layer() -> None:
    known = {name for names in LAYERS for name in names} | {"client", "testing"}
    modules = {path.stem for path in RUNTIME.iterdir() if path.stem != "__init__"}
    assert modules - {"__pycache__", "py"} <= known
