"""Generated files: valid, laid out as black does, clean for linters."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib

import black
import pytest
import yaml

from runtime.tick.parser import parse as parse_tick
from scaffold.layout.fit import fit_module
from tests.draws import drawn
from tests.scaffold.rendered import (
    ALL,
    BUNDLED,
    ROOT,
    created,
    files_of,
    registered,
    spec_of,
)

PACKAGES = [f"runtime/services/{kind}" for kind in ALL if kind not in BUNDLED]


@pytest.mark.parametrize("kind", drawn(ALL, 12))
def test_generated_code_is_as_black_leaves_it(kind):
    for path, text in files_of(kind).items():
        if path.endswith(".py"):
            assert black.format_str(text, mode=black.Mode()) == text, path
            assert fit_module(text) == text, path


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_handlers_are_what_the_templates_give(name):
    for path, text in files_of(name).items():
        assert (ROOT / path).read_text() == text, f"scaffold regenerate {name}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the runtime with the generated packages of several specs."""
    root = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "runtime", root / "runtime", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", root)
    for kind in ALL:
        if kind not in BUNDLED:
            for path, text in files_of(kind).items():
                file = root / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
    return root


def run(tree, *command):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tree, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_generated_code_passes_ruff(tree):
    run(tree, "ruff", "check", "tests", *PACKAGES)


def test_generated_code_passes_mypy_strict(tree):
    run(
        tree, "mypy", "--cache-dir", os.devnull, "--follow-imports", "silent", *PACKAGES
    )


def statements(text):
    """The statements of all functions, without docstrings."""
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
    ]
    bodies = [each for function in functions for each in function.body]
    return {
        ast.unparse(each)
        for each in bodies
        if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
    }


def test_two_handlers_share_signatures_and_little_else():
    first, second = (
        statements(files_of(name)[f"runtime/services/{name}/service.py"])
        for name in BUNDLED
    )
    assert first & second == {
        "return TestOptions(room=self.config.room)",
        "return (HandlerConfig(room=options.room), Event(topic='', state=state))",
    }


def test_examples_can_be_read():
    for kind in ALL:
        files = files_of(kind)
        section = tomllib.loads(files[f"examples/{kind}/{kind}.conf"])[kind]
        tables = section if isinstance(section, list) else [section]
        assert all(table["enabled"] for table in tables)
        assert yaml.safe_load(files[f"examples/{kind}/{kind}.yaml"])["kind"] == kind
        parse_tick(files[f"examples/{kind}/{kind}.tick"])


def test_places_have_their_fragments():
    for spec in ALL.values():
        for place, text in registered(spec).items():
            assert text.strip(), place
            assert text.endswith("\n"), place


def test_handlers_may_be_in_a_package_of_their_own():
    for path, text in created(spec_of("everything"), "alerts").items():
        assert "runtime" not in path
        if path.endswith(".py"):
            assert "from runtime.services.every_thing" not in text
