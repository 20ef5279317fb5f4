"""A project of an older format is reported by `check` and upgraded by `regenerate --all`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from scaffold import formats
from scaffold.branches import attributes
from scaffold.change import Change
from scaffold.errors import AnchorNotFound, UsageError
from scaffold.formats import STEPS, upgraded
from scaffold.project import FORMAT, Project, find
from scaffold.tree import MemoryTree, Tree

Run = Callable[..., "subprocess.CompletedProcess[str]"]
PYPROJECT, ATTRIBUTES = PurePosixPath("pyproject.toml"), PurePosixPath(".gitattributes")
OLD = ".scaffold/** linguist-generated\n"


@pytest.fixture
def old(tmp_path: Path, run_in: Run) -> Path:
    """A project of format 2, which git merges without the driver."""
    run_in(tmp_path, "init", "alerts")
    folder = tmp_path / "alerts"
    settings = folder / PYPROJECT
    text = settings.read_text()
    assert f"format = {FORMAT}\n" in text
    settings.write_text(text.replace(f"format = {FORMAT}\n", "format = 2\n"))
    (folder / ATTRIBUTES).write_text(OLD)
    return folder


def test_there_is_a_step_from_every_format_that_can_be_upgraded() -> None:
    assert sorted(STEPS) == list(range(min(STEPS), FORMAT))


def test_an_older_project_is_upgraded(old: Path, run_in: Run) -> None:
    before = (old / PYPROJECT).read_text()
    told = run_in(old, "check", code=1).stderr
    for path in (PYPROJECT, ATTRIBUTES):
        assert f"{path} (SC114 project-outdated)" in told
    assert "scaffold regenerate --all" in told
    preview = run_in(old, "regenerate", "--all", "--dry-run", "--diff").stdout
    assert "-format = 2\n" in preview
    assert (old / ATTRIBUTES).read_text() == OLD
    run_in(old, "regenerate", "--all")
    assert (old / PYPROJECT).read_text() == before.replace(
        "format = 2\n", f"format = {FORMAT}\n"
    )
    lines = (old / ATTRIBUTES).read_text().splitlines()
    assert lines == [OLD.rstrip(), *attributes("alerts")]
    run_in(old, "new-handler", "huddle", "--field", "channel:str")
    assert "nothing to do" in run_in(old, "check").stderr


def test_handlers_are_regenerated_with_the_upgrade(old: Path, run_in: Run) -> None:
    new = (old / PYPROJECT).read_text().replace("format = 2", f"format = {FORMAT}")
    outdated = (old / PYPROJECT).read_text()
    (old / PYPROJECT).write_text(new)
    run_in(old, "new-handler", "huddle", "--field", "channel:str")
    (old / PYPROJECT).write_text(outdated)
    service = old / "alerts/services/huddle/service.py"
    text = service.read_text()
    service.unlink()
    run_in(old, "regenerate", "--all")
    assert service.read_text() == text
    assert find(old).format == FORMAT


@pytest.mark.parametrize(
    "command",
    [("new-handler", "huddle", "--field", "channel:str"), ("regenerate", "huddle")],
)
def test_nothing_else_is_written_before(
    old: Path, run_in: Run, command: tuple[str, ...]
) -> None:
    told = run_in(old, *command, code=2).stderr
    assert "format 2" in told
    assert "scaffold regenerate --all" in told


def test_every_step_that_is_due_is_made_in_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = PurePosixPath("steps")

    def step(tree: Tree, package: str) -> Iterator[Change]:
        now = tree.read(path)
        settings = tree.read(PYPROJECT) or b""
        yield Change(path, now, (now or b"") + settings.splitlines()[-1] + b"\n")

    monkeypatch.setattr(formats, "STEPS", {2: step, 3: step, 4: step})
    monkeypatch.setattr(formats, "FORMAT", 5)
    tree = MemoryTree({PYPROJECT: b"[tool.scaffold]\nformat = 3\n"})
    result = upgraded(Project(tmp_path, format=3), tree)
    assert {change.path: change.after for change in result.changes} == {
        path: b"format = 3\nformat = 4\n",
        PYPROJECT: b"[tool.scaffold]\nformat = 5\n",
    }


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (
            "[tool.scaffold]\nformat=2 # old\n[tool.x]\nformat = 2\n",
            "[tool.scaffold]\nformat={} # old\n[tool.x]\nformat = 2\n",
        ),
        (
            '[tool.scaffold]\r\npackage = "a"\r\n',
            '[tool.scaffold]\r\nformat = {}\r\npackage = "a"\r\n',
        ),
        ("[ tool.scaffold ] # us", "[ tool.scaffold ] # us\nformat = {}\n"),
        (
            "[tool.scaffold]\nskip = [\n  'x']\n",
            "[tool.scaffold]\nformat = {}\nskip = [\n  'x']\n",
        ),
    ],
)
def test_no_other_setting_changes(text: str, after: str, tmp_path: Path) -> None:
    tree = MemoryTree({PYPROJECT: text.encode()})
    changes = upgraded(Project(tmp_path, format=2), tree).changes
    [change] = [each for each in changes if each.path == PYPROJECT]
    assert (change.after or b"").decode() == after.format(FORMAT)


@pytest.mark.parametrize(
    "text",
    [
        "[tool]\nscaffold = {format = 2}\n",
        "[tool]\nscaffold.format = 2\n",
        "x = '''\n[tool.scaffold]\n'''\n[tool]\nscaffold.format = 2\n",
    ],
)
def test_settings_in_another_form_are_refused_with_the_line_to_paste(
    text: str, tmp_path: Path
) -> None:
    tree = MemoryTree({PYPROJECT: text.encode()})
    with pytest.raises(AnchorNotFound, match=f"by hand:\nformat = {FORMAT}"):
        upgraded(Project(tmp_path, format=2), tree)


@pytest.mark.parametrize(
    ("format", "problem", "fix"),
    [
        (FORMAT + 1, "needs a newer scaffold", "pip install -U scaffold-alerts"),
        (1, "contains a copy of the runtime", "scaffold init ../alerts"),
    ],
)
def test_a_format_that_cannot_be_upgraded_is_refused_in_one_sentence(
    tmp_path: Path, format: int, problem: str, fix: str
) -> None:
    (tmp_path / PYPROJECT).write_text(f"[tool.scaffold]\nformat = {format}\n")
    with pytest.raises(UsageError, match=problem) as caught:
        find(tmp_path)
    assert caught.value.fix == fix
