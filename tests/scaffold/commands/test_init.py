"""Projects of the user's own."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from scaffold.commands.change import ChangeOptions
from scaffold.commands.check import check
from scaffold.commands.init import init
from scaffold.commands.new_handler import new_handler
from scaffold.disk import commit, transaction
from scaffold.errors import UsageError, WriteFailed
from scaffold.flags import Flags
from scaffold.handlers import kinds as kinds_of
from scaffold.project import FORMAT, find
from scaffold.tree import DiskTree
from tests.scaffold.files import files


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two handlers, under a package of its own name."""
    folder = tmp_path_factory.mktemp("made") / "My alerts"
    init(folder, "acme", dry_run=False, shown="mine")
    for name in ("huddle", "pager"):
        flags = Flags(name, fields=("channel:str",))
        new_handler(find(folder), flags, "", ChangeOptions())
    return folder


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_project_has_few_files_and_no_runtime(tmp_path: Path) -> None:
    report = init(tmp_path / "a", "alerts", dry_run=False, shown="a")
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(report.result.changes) < 25
    assert {path.name for path in files} >= {".gitignore", ".pre-commit-config.yaml"}
    found = find(tmp_path / "a/alerts")
    assert (found.root, found.package) == (tmp_path / "a", "alerts")
    settings = tomllib.loads((tmp_path / "a/pyproject.toml").read_text())
    assert settings["tool"]["scaffold"] == {"package": "alerts", "format": FORMAT}
    assert settings["project"]["entry-points"]["scaffold.integrations"] == {
        "alerts": "alerts.integrations:INTEGRATIONS"
    }


def test_git_ignores_the_lock_from_the_first_commit(tmp_path: Path) -> None:
    init(tmp_path / "a", "alerts", dry_run=False, shown="a")
    for command in ("git init -q", "git add -A"):
        subprocess.run(command.split(), cwd=tmp_path / "a", check=True, timeout=60)
    listed = subprocess.run(
        ["git", "ls-files", ".scaffold"],
        cwd=tmp_path / "a",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert listed.stdout.split() == [".scaffold/.gitattributes", ".scaffold/.gitignore"]


def test_handlers_go_into_the_project(made: Path) -> None:
    assert kinds_of(DiskTree(made), "acme") == ["huddle", "pager"]
    assert check(find(made), []).findings == []
    kinds = (made / "acme/integrations/kinds.py").read_text()
    assert '"huddle": "acme.services.huddle.handler:HandlerConfig"' in kinds
    service = (made / "acme/services/huddle/service.py").read_text()
    assert "from runtime.services.service import HttpService" in service
    assert "from acme.services.huddle.config import Config" in service


def test_its_tests_pass(made: Path) -> None:
    assert " passed" in run(made, "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.parametrize(
    "tool",
    [
        ["black", "--check", "-q", "."],
        ["ruff", "check", "."],
        ["mypy", "--cache-dir", os.devnull],
    ],
)
def test_a_project_is_clean_by_its_own_settings(made: Path, tool: list[str]) -> None:
    run(made, *tool)


def test_a_handler_of_the_runtime_is_no_name_for_another(made: Path) -> None:
    with pytest.raises(Exception, match="the runtime already has a service 'hipchat'"):
        new_handler(find(made), Flags("hipchat"), "", ChangeOptions())


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    report = init(tmp_path / "mine", "alerts", dry_run=True, shown="mine")
    assert report.dry_run
    assert not (tmp_path / "mine").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        init(tmp_path, "alerts", dry_run=False, shown=".")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteFailed, match=r"^file/mine: Not a directory$"):
        init(tmp_path / "file/mine", "alerts", dry_run=False, shown="file/mine")


def test_a_folder_with_a_repository_is_empty(tmp_path: Path) -> None:
    for name in (".git", ".venv"):
        (tmp_path / name).mkdir()
    (tmp_path / "LICENSE").write_text("mine")
    init(tmp_path, "alerts", dry_run=False, shown=".")
    assert (tmp_path / "LICENSE").read_text() == "mine"


@pytest.mark.parametrize(
    ("package", "said"),
    [
        *((each, "must be a name") for each in ("class", "My", "a-b", "", "1a")),
        *(
            (each, "is already used in the project")
            for each in ("scaffold", "tests", "runtime")
        ),
        *(
            (each, "a module of the standard library")
            for each in ("os", "json", "logging")
        ),
        *((each, "that the project needs") for each in ("numpy", "aiohttp", "yaml")),
        *((each, "that the project needs") for each in ("jinja2", "nacl", "pytest")),
        *((each, "that the project needs") for each in ("yarl", "multidict")),
    ],
)
def test_a_package_that_would_hide_another_is_refused(
    tmp_path: Path, package: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        init(tmp_path / "mine", package, dry_run=False, shown="mine")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (f"format = {FORMAT + 1}", "needs a newer scaffold"),
        ("format = 1", "contains a copy of the runtime"),
        ("", "contains a copy of the runtime"),
        ("format = true", f"format must be {FORMAT}"),
        ("format = 'x'", f"format must be {FORMAT}"),
        ("formt = 2", "unknown key 'formt'"),
    ],
)
def test_a_project_of_another_format_is_refused(
    tmp_path: Path, settings: str, said: str
) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme/task_master.py").touch()
    text = f'[tool.scaffold]\npackage = "acme"\n{settings}\n'
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        find(tmp_path)


class Stopped(BaseException):
    """As if the process had been killed."""


def stop(*arguments: object) -> None:
    raise Stopped


@pytest.mark.parametrize("moved", [0, 1, 5])
def test_an_interrupted_init_is_completed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    init(tmp_path / "whole", "alerts", dry_run=False, shown="a")
    numbers = itertools.count()
    move = transaction._move

    def moves(*arguments: Any) -> None:
        if next(numbers) == moved:
            raise Stopped
        move(*arguments)

    (tmp_path / "other").mkdir()
    folder = tmp_path / "other/whole"
    with monkeypatch.context() as patch:
        patch.setattr(transaction, "_move", moves)
        patch.setattr(commit, "_roll_back", stop)
        with pytest.raises(Stopped):
            init(folder, "alerts", dry_run=False, shown="a")
    assert not (folder / "pyproject.toml").exists()
    with pytest.raises(UsageError, match="is not empty"):
        init(folder, "alerts", dry_run=True, shown="a")
    report = init(folder, "alerts", dry_run=False, shown="a")
    assert report.summary.endswith("handlers go into `alerts`")
    assert files(folder) == files(tmp_path / "whole")


def test_an_init_that_failed_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(transaction, "_stage", full)
        with pytest.raises(WriteFailed, match="No space left"):
            init(tmp_path / "a", "alerts", dry_run=False, shown="a")
    init(tmp_path / "a", "alerts", dry_run=False, shown="a")
    assert (tmp_path / "a/pyproject.toml").exists()
    # an interrupted command of a project is not an init
    with pytest.raises(UsageError, match="is not empty"):
        init(tmp_path / "a", "alerts", dry_run=False, shown="a")


def test_the_current_folder_needs_no_cd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = init(tmp_path, "acme", dry_run=True, shown=".")
    below = init(tmp_path / "alerts", "acme", dry_run=True, shown="alerts")
    assert not any(step.startswith("cd ") for step in here.next)
    assert below.next == ["cd alerts", *here.next]
