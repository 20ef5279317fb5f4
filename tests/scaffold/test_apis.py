"""Real APIs of many shapes: a spec each, and no change of the generator."""

import subprocess
import sys
from pathlib import Path

import pytest

SPECS = sorted((Path(__file__).parent / "specs" / "apis").glob("*.toml"))


@pytest.fixture
def filled(project, scaffold):
    """A project with a handler for each spec."""
    for spec in SPECS:
        scaffold("new-handler", "--spec", str(spec))
    return project


def test_what_is_generated_passes_its_own_tests(filled, scaffold):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=filled,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    assert "unused" not in done.stdout
    scaffold("check")
