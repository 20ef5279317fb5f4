"""Projects of the user's own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scaffold import check, commands
from scaffold.commands import How
from scaffold.errors import UsageError, WriteFailed
from scaffold.flags import Flags
from scaffold.project import Project, find
from scaffold.starting import init
from scaffold.tree import DiskTree


def test_a_project_holds_the_runtime_and_its_handlers(made_project: Path) -> None:
    assert find(made_project / "runtime") == Project(made_project, "runtime")
    assert check.kinds(DiskTree(made_project), "runtime") == ["foo", "hipchat"]
    assert "runtime/server/server.py" in {
        path.relative_to(made_project).as_posix() for path in made_project.rglob("*.py")
    }
    assert not list(made_project.rglob("__pycache__"))
    settings = tomllib.loads((made_project / "pyproject.toml").read_text())
    assert (
        settings["project"]["scripts"]["kapacitord"] == "runtime.server.__main__:main"
    )
    assert any(
        line.startswith("aiohttp") for line in settings["project"]["dependencies"]
    )


def test_the_runtime_may_be_called_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    init(folder, "acme", dry_run=False, shown="mine")
    project = find(folder)
    assert project.package == "acme"
    assert commands.check(project, []).findings == []
    flags = Flags("huddle", fields=("channel:str",))
    commands.new_handler(project, flags, "", How(verify="import"))
    assert commands.check(project, []).exit_code == 0
    assert not [
        file
        for file in folder.rglob("*.py")
        if "from runtime." in file.read_text() or "import runtime" in file.read_text()
    ]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        check=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "tool", [["black", "--check", "-q", "."], ["ruff", "check", "."], ["mypy"]]
)
def test_a_project_is_clean_by_its_own_settings(
    tmp_path: Path, tool: list[str]
) -> None:
    folder = tmp_path / "mine"
    init(folder, "acme", dry_run=False, shown="mine")
    flags = Flags("huddle", fields=("channel:str",))
    commands.new_handler(find(folder), flags, "", How())
    done = subprocess.run(
        [sys.executable, "-m", *tool],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    report = init(tmp_path / "mine", "runtime", dry_run=True, shown="mine")
    assert report.dry_run
    assert not (tmp_path / "mine").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        init(tmp_path, "runtime", dry_run=False, shown=".")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteFailed, match=r"^file/mine: Not a directory$"):
        init(tmp_path / "file/mine", "runtime", dry_run=False, shown="file/mine")


def test_a_folder_with_nothing_but_a_repository_is_empty(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    init(tmp_path, "runtime", dry_run=True, shown=".")


@pytest.mark.parametrize(
    "package", ["class", "My", "a-b", "os", "scaffold", "tests", ""]
)
def test_a_name_that_means_something_else_is_refused(
    tmp_path: Path, package: str
) -> None:
    with pytest.raises(UsageError, match="--package"):
        init(tmp_path / "mine", package, dry_run=False, shown="mine")
