"""Files that their owners take over."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scaffold.files import files
from tests.scaffold.repository import git

Run = Callable[..., "subprocess.CompletedProcess[str]"]
FOLDER = "runtime/services/huddle"
SERVICE = f"{FOLDER}/service.py"
PAGE = "docs/handlers/huddle.md"


def follow_another_spec(scaffold: Run, root: Path) -> None:
    spec = root / FOLDER / "handler.toml"
    spec.write_text(spec.read_text().replace("test huddle message", "another message"))
    scaffold("regenerate", "huddle")


def test_an_ejected_file_is_left_alone(scaffold: Run, huddle: Path) -> None:
    told = scaffold("eject", SERVICE, PAGE).stderr
    assert (
        f"       eject {SERVICE} (yours: regenerate and check leave it alone)" in told
    )
    assert (huddle / ".scaffold/ejected").read_text() == f"{PAGE}\n{SERVICE}\n"
    (huddle / SERVICE).write_text("# mine\n")
    (huddle / PAGE).unlink()
    follow_another_spec(scaffold, huddle)
    assert (huddle / SERVICE).read_text() == "# mine\n"
    assert not (huddle / PAGE).exists()
    found = json.loads(scaffold("check", "--json").stdout)
    assert found["findings"] == []
    assert scaffold("diff").stdout == ""
    told = scaffold("explain", f"{SERVICE}:1").stdout
    assert "leaves the line unchanged: the file was ejected" in told
    assert "ejected: huddle: docs/handlers/huddle.md" in scaffold("list", "-v").stdout


def test_it_follows_its_template_again(scaffold: Run, huddle: Path) -> None:
    before = files(huddle)
    scaffold("eject", SERVICE)
    text = (huddle / SERVICE).read_text()
    follow_another_spec(scaffold, huddle)
    assert (huddle / SERVICE).read_text() == text
    told = scaffold("eject", "--revoke", SERVICE).stderr
    assert f"      follow {SERVICE} (no longer ejected)" in told
    assert "next: scaffold regenerate huddle" in told
    assert not (huddle / ".scaffold/ejected").exists()
    # the text generated before the ejection is still known: the file is not an edit
    assert "SC106" in scaffold("check", code=1).stderr
    scaffold("regenerate", "huddle")
    assert "another message" in (huddle / SERVICE).read_text()
    assert set(files(huddle)) == set(before)


def test_ejecting_twice_changes_nothing(scaffold: Run, huddle: Path) -> None:
    scaffold("eject", SERVICE)
    before = files(huddle)
    assert "nothing to do" in scaffold("eject", SERVICE).stderr
    assert files(huddle) == before


def test_it_can_be_undone_and_tried(scaffold: Run, huddle: Path) -> None:
    before = files(huddle)
    scaffold("eject", SERVICE, "-n", "--exit-code", code=1)
    assert files(huddle) == before
    scaffold("eject", SERVICE)
    scaffold("undo")
    assert files(huddle) == before


@pytest.mark.parametrize(
    ("cwd", "path"),
    [
        (".", SERVICE),
        (".", f"./runtime/../{SERVICE}"),
        (FOLDER, "service.py"),
        (FOLDER, SERVICE),
        ("docs", f"../{SERVICE}"),
    ],
)
def test_paths_are_those_of_the_folder_or_of_the_project(
    scaffold: Run, huddle: Path, cwd: str, path: str
) -> None:
    scaffold("eject", path, cwd=huddle / cwd)
    assert (huddle / ".scaffold/ejected").read_text() == f"{SERVICE}\n"
    scaffold("eject", "--revoke", str(huddle / SERVICE))


def test_removing_the_handler_keeps_it(
    scaffold: Run, huddle: Path, made_project: Path
) -> None:
    scaffold("eject", SERVICE, PAGE)
    (huddle / SERVICE).write_text("# mine\n")
    told = scaffold("remove-handler", "huddle", "--discard-edits").stderr
    assert f"        keep {SERVICE} (ejected)" in told
    left = set(files(huddle)) - set(files(made_project))
    assert left == {SERVICE, PAGE}
    assert (huddle / SERVICE).read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nothing.py", "nothing.py: is not a generated file"),
        ("pyproject.toml", "pyproject.toml: is not a generated file"),
        (f"{FOLDER}/handler.toml", "the spec is yours already"),
        ("docs/handlers.md", 'set skip = ["docs/handlers.md"] under [tool.scaffold]'),
        ("runtime/integrations/kinds.py", "handlers are registered in it"),
        ("../../etc/passwd", "is not in the project"),
    ],
)
def test_other_files_are_refused(
    scaffold: Run, huddle: Path, path: str, problem: str
) -> None:
    before = files(huddle)
    assert problem in scaffold("eject", SERVICE, path, code=2).stderr
    assert files(huddle) == before


def test_without_a_record_nothing_is_known_to_be_generated(
    scaffold: Run, huddle: Path
) -> None:
    shutil.rmtree(huddle / ".scaffold/handlers/huddle")
    told = scaffold("eject", SERVICE, code=2).stderr
    assert "fix:   scaffold adopt huddle" in told
    scaffold("adopt", "huddle")
    scaffold("eject", SERVICE)


def test_a_file_that_was_not_ejected(scaffold: Run, huddle: Path) -> None:
    told = scaffold("eject", "--revoke", SERVICE, code=2).stderr
    assert f"error: {SERVICE}: was not ejected" in told


def test_comments_and_the_order_of_a_person_stay(scaffold: Run, huddle: Path) -> None:
    file = huddle / ".scaffold/ejected"
    file.write_bytes(f"# why\r\n{SERVICE}\r\n\r\ndocs/x.md\r\n".encode())
    scaffold("eject", PAGE)
    assert file.read_text().split("\n") == [
        *("# why", PAGE, SERVICE, "", "docs/x.md", "")
    ]
    scaffold("eject", "--revoke", PAGE, SERVICE)
    assert file.read_text() == "# why\n\ndocs/x.md\n"


def test_git_merges_what_two_branches_ejected(scaffold: Run, huddle: Path) -> None:
    scaffold("eject", f"{FOLDER}/handler.py")
    git(huddle, "init", "-q", "-b", "main")
    git(huddle, "add", "-A")
    git(huddle, "commit", "-q", "-m", "first")
    git(huddle, "checkout", "-q", "-b", "other")
    scaffold("eject", PAGE)
    git(huddle, "commit", "-q", "-a", "-m", "other")
    git(huddle, "checkout", "-q", "main")
    scaffold("eject", SERVICE, f"{FOLDER}/config.py")
    git(huddle, "commit", "-q", "-a", "-m", "ours")
    git(huddle, "merge", "-q", "other")
    merged = (huddle / ".scaffold/ejected").read_text().split()
    assert sorted(merged) == [
        *(PAGE, f"{FOLDER}/config.py", f"{FOLDER}/handler.py", SERVICE)
    ]
    assert "nothing to do" in scaffold("check").stderr


def test_a_plan_of_it_can_be_applied(
    scaffold: Run, huddle: Path, tmp_path: Path
) -> None:
    plan = str(tmp_path / "plan.json")
    scaffold("eject", SERVICE, "--plan", plan)
    assert not (huddle / ".scaffold/ejected").exists()
    scaffold("apply", plan)
    assert (huddle / ".scaffold/ejected").read_text() == f"{SERVICE}\n"
    scaffold("undo", "--plan", plan)
    scaffold("apply", plan)
    assert not (huddle / ".scaffold/ejected").exists()


def test_a_file_is_ejected_before_its_handler_comes(
    scaffold: Run, project: Path
) -> None:
    page = project / "docs/handlers/other.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text("# Other\n")
    scaffold("eject", "docs/handlers/other.md")
    scaffold("new-handler", "other", "--field", "room:str")
    assert page.read_text() == "# Other\n"
    assert scaffold("check", "--json").returncode == 0
    scaffold("remove-handler", "other")
    assert page.read_text() == "# Other\n"


@pytest.mark.parametrize(
    "path", ["README.md", "docs/handlers.md", "docs/handlers/absent.md"]
)
def test_nothing_else_is_ejected(scaffold: Run, project: Path, path: str) -> None:
    before = files(project)
    assert f"error: {path}: " in scaffold("eject", path, code=2).stderr
    assert files(project) == before
