"""A project with a handler of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def with_huddle(
    made_project: Path, run_in: Run, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A project with the handler huddle; not to be written to."""
    folder = tmp_path_factory.mktemp("with_huddle") / "project"
    shutil.copytree(made_project, folder)
    run_in(folder, "new-handler", "huddle", "--field", "channel:str")
    return folder


@pytest.fixture
def huddle(with_huddle: Path, project: Path) -> Path:
    """The test's own project, with the handler huddle."""
    shutil.rmtree(project)
    return Path(shutil.copytree(with_huddle, project))
