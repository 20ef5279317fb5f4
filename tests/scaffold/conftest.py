"""A small project that handlers can be generated into."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scaffold.starting import init

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True, scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders of the generator outside of projects; not those of the developer."""
    folder = tmp_path_factory.mktemp("machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.delenv("CI", raising=False)
        yield folder


@pytest.fixture(scope="session")
def made_project(machine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `scaffold init` makes; not to be written to."""
    folder = tmp_path_factory.mktemp("made") / "project"
    init(folder, "runtime", dry_run=False, shown="project")
    return folder


@pytest.fixture
def project(made_project: Path, tmp_path: Path) -> Path:
    """A project of one's own."""
    return Path(shutil.copytree(made_project, tmp_path / "project"))


@pytest.fixture
def scaffold(project: Path) -> Run:
    """Runs the command line in the project."""

    def run(
        *arguments: str, code: int = 0, cwd: Path = project, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "scaffold", *arguments],
            cwd=cwd,
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run
