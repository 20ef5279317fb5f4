"""Generated text comes from templates."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from scaffold.flags import Flags
from scaffold.spec.parse import from_flags, parse

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The script that measures it."""
    spec = importlib.util.spec_from_file_location("share", ROOT / "bench/share.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_of_a_handler_made_of_flags_a_tenth_comes_from_python(bench) -> None:
    found = bench.shares(from_flags(Flags("foo", fields=("room:str",))))
    assert 0 < bench.total(found).percent <= 12


def test_of_a_spec_that_uses_everything_a_third_comes_from_python(bench) -> None:
    found = bench.shares(parse(bench.EVERYTHING.read_text(), "everything.toml"))
    assert 0 < bench.total(found).percent <= 37


@pytest.mark.parametrize(
    "line",
    [
        'if self.enabled and not self.{{ field.name }}:',
        '"Content-Type": "application/json"',
        "|alert()",
        ".stateChangesOnly()",
        "state = EventState(",
        "return Request(",
        "from runtime.services.service import HttpService",
    ],
)  # fmt: skip
def test_fixed_lines_are_found_under_templates(line: str) -> None:
    files = (ROOT / "templates").rglob("*.j2")
    assert any(line in file.read_text() for file in files)
