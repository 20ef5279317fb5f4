"""Plans on the command line: made by every command that writes, applied as shown."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold.cli.application import scaffold as program
from scaffold.rendering import product
from tests.scaffold.files import files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HUDDLE = ("new-handler", "huddle", "--field", "channel:str")
SPEC = "runtime/services/foo/handler.toml"


@pytest.fixture
def plan(tmp_path: Path) -> str:
    """The path of a plan, outside of the project."""
    return str(tmp_path / "plan.json")


def test_a_plan_does_what_the_command_would_have_done(
    scaffold: Run, project: Path, tmp_path: Path, plan: str
) -> None:
    before = files(project)
    twin = tmp_path / "twin"
    shutil.copytree(project, twin)
    shown = scaffold(*HUDDLE, "--plan", plan)
    assert files(project) == before
    assert not (project / ".scaffold/lock").exists()
    assert shown.stderr.splitlines()[-2:] == [
        f"Plan: {plan}; nothing else was written.",
        f"       next: scaffold apply {plan}",
    ]
    assert shown.stdout == scaffold(*HUDDLE, "-n").stdout
    applied = scaffold("apply", plan)
    done = scaffold(*HUDDLE, cwd=twin)
    assert files(project) == files(twin)
    changes = [line for line in done.stderr.splitlines() if "done" not in line]
    assert [line for line in applied.stderr.splitlines() if "done" not in line] == (
        changes
    )
    assert "nothing to do" in scaffold("check").stderr
    scaffold("undo")
    assert files(project) == before


def test_a_plan_for_machines(scaffold: Run, project: Path, plan: str) -> None:
    told = json.loads(scaffold(*HUDDLE, "--plan", plan, "--json").stdout)
    assert (told["plan"], told["dry_run"]) == (plan, True)
    assert told["next"] == [f"scaffold apply {plan}"]
    applied = json.loads(scaffold("apply", plan, "--json").stdout)
    assert (applied["command"], applied["planned"]) == ("apply", "new-handler")
    assert applied["changes"] == told["changes"]
    assert applied["registrations"] == told["registrations"]


def test_a_plan_is_shown_before_it_is_applied(
    scaffold: Run, project: Path, plan: str
) -> None:
    scaffold(*HUDDLE, "--plan", plan)
    before = files(project)
    done = scaffold("apply", plan, "-n", "--exit-code", code=1)
    assert '+    "huddle": "runtime.services.huddle.service:Service",' in done.stdout
    assert "Dry run: nothing was written." in done.stderr
    assert files(project) == before


def test_a_plan_may_come_through_a_pipe(scaffold: Run, project: Path) -> None:
    text = scaffold(*HUDDLE, "--plan", "-").stdout
    scaffold("apply", "-", text=text)
    assert (project / "runtime/services/huddle/service.py").is_file()


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("docs/handlers.md", "\nMine.\n"),  # it changes
        (SPEC, "\n"),  # another handler's, which is looked at
        ("pyproject.toml", "\n"),
        (".scaffold/handlers/foo/generated", "\n"),
        ("docs/handlers/huddle.md", "in the way"),
        ("runtime/services/another/handler.toml", "[handler]\n"),
    ],
)
def test_a_changed_input_is_refused_with_5(
    scaffold: Run, project: Path, plan: str, path: str, change: str
) -> None:
    scaffold(*HUDDLE, "--plan", plan)
    file = project / path
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as stream:
        stream.write(change)
    before = files(project)
    told = scaffold("apply", plan, code=5).stderr
    assert "changed since the plan was made\n" in told
    assert told.endswith(f"\nfix:   scaffold new-handler … --plan {plan}\n")
    assert files(project) == before


def test_a_spec_on_the_command_line_is_an_input(
    scaffold: Run, project: Path, tmp_path: Path, plan: str
) -> None:
    spec = tmp_path / "huddle.toml"
    toml = (project / SPEC).read_text().replace('"foo"', '"huddle"')
    spec.write_text(toml.replace('"Foo"', '"Huddle"'))
    scaffold("new-handler", "--spec", str(spec), "--plan", plan)
    text = spec.read_text()
    spec.write_text(text + "\n")
    told = scaffold("apply", plan, code=5).stderr
    assert f"{spec}: changed since the plan was made" in told
    spec.write_text(text)
    scaffold("apply", plan)


def test_another_version_of_scaffold_is_refused(
    scaffold: Run, project: Path, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaffold(*HUDDLE, "--plan", plan)
    monkeypatch.setattr(product, "digest", lambda: "newer")
    told = scaffold("apply", plan, code=5).stderr
    assert "was made by another version of scaffold\n" in told
    assert f"fix:   scaffold new-handler … --plan {plan}\n" in told
    told = scaffold("apply", plan, "--json", code=5).stdout
    assert json.loads(told)["next"] == [f"scaffold new-handler … --plan {plan}"]


def test_a_plan_applies_once(scaffold: Run, project: Path, plan: str) -> None:
    scaffold(*HUDDLE, "--plan", plan)
    scaffold("apply", plan)
    assert "changed since the plan was made" in scaffold("apply", plan, code=5).stderr


def test_an_edited_plan_must_compile(scaffold: Run, project: Path, plan: str) -> None:
    scaffold(*HUDDLE, "--plan", plan)
    text = Path(plan).read_text()
    # of a file that is generated, and of one that is patched
    for old in ("class Config", '    \\"huddle\\": \\"runtime.services.huddle.service'):
        assert old in text
        Path(plan).write_text(text.replace(old, "def (", 1))
        assert "would not compile" in scaffold("apply", plan, code=4).stderr


def test_a_refused_command_makes_no_plan(
    scaffold: Run, project: Path, plan: str
) -> None:
    page = project / "docs/handlers/huddle.md"
    page.write_text("Mine.\n")
    scaffold(*HUDDLE, "--plan", plan, code=3)
    assert not Path(plan).exists()


def test_only_a_plan_is_replaced(scaffold: Run, project: Path, tmp_path: Path) -> None:
    mine, link, plan = (tmp_path / name for name in ("mine.json", "link", "plan.json"))
    mine.write_text('{"plan": "to go home"}')
    link.symlink_to(tmp_path / "nothing")
    for path in (mine, link, tmp_path):
        told = scaffold(*HUDDLE, "--plan", str(path), code=2).stderr
        assert "exists, and is not a plan" in told
    assert mine.read_text() == '{"plan": "to go home"}'
    assert not (tmp_path / "nothing").exists()
    scaffold(*HUDDLE, "--plan", str(plan))
    scaffold(*HUDDLE, "--plan", str(plan))
    told = scaffold(*HUDDLE, "--plan", str(tmp_path / "no/plan.json"), code=7).stderr
    assert "No such file or directory" in told


def test_what_cannot_be_read_is_refused(
    scaffold: Run, project: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, problem in (
        ("nothing", "scaffold regenerate --all --plan"),
        ("pipe", "is not a file"),
        (".", "is not a file"),
        ("a\0b", "is not a path"),
    ):
        assert problem in scaffold("apply", str(tmp_path / name), code=2).stderr


def test_a_plan_of_undo(scaffold: Run, project: Path, plan: str) -> None:
    before = files(project)
    scaffold(*HUDDLE)
    scaffold("undo", "--plan", plan)
    assert (project / "runtime/services/huddle").exists()
    scaffold("apply", plan)
    assert files(project) == before


def test_a_plan_of_another_field(scaffold: Run, project: Path, plan: str) -> None:
    before = files(project)
    scaffold("add-field", "foo", "colour:str", "--plan", plan)
    assert files(project) == before
    scaffold("apply", plan)
    assert "colour" in (project / SPEC).read_text()
    assert "nothing to do" in scaffold("check").stderr


def test_a_plan_with_a_conflict_lays_out_its_versions(
    scaffold: Run, project: Path, plan: str
) -> None:
    page, spec = project / "docs/handlers/foo.md", project / SPEC
    page.write_text(page.read_text().replace("Posts alert", "Shouts alert"))
    spec.write_text(spec.read_text().replace("posts alert", "sends alert"))
    told = scaffold("regenerate", "foo", "--plan", plan, code=3).stderr
    assert f"scaffold apply {plan}" in told
    assert not (project / ".scaffold/conflicts").exists()
    told = scaffold("apply", plan, code=3).stderr
    assert "scaffold resolve docs/handlers/foo.md --take" in told
    assert (project / ".scaffold/conflicts/foo/docs/handlers/foo.md.base").is_file()


def test_a_plan_may_hold_markers(scaffold: Run, project: Path, plan: str) -> None:
    file, spec = project / "runtime/services/foo/service.py", project / SPEC
    edited = file.read_text().replace("alert messages to a room", "shouts into rooms")
    file.write_text(edited)
    spec.write_text(spec.read_text().replace("posts alert", "sends alert"))
    how = ("--on-conflict", "markers")
    scaffold("regenerate", "foo", *how, "--plan", plan, code=None)
    scaffold("apply", plan, code=None)
    assert "<<<<<<<" in file.read_text()


def test_every_command_that_previews_makes_plans() -> None:
    options = {
        name: {option for each in command.params for option in each.opts}
        for name, command in program.commands.items()
    }
    previews = {name for name, each in options.items() if "--exit-code" in each}
    assert previews >= {"new-handler", "regenerate", "undo"}
    assert previews - {name for name, each in options.items() if "--plan" in each} == {
        "apply"
    }
