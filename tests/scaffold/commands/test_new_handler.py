"""A new handler, from outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.outbound import client
from tests.scaffold.files import files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HUDDLE = ("new-handler", "huddle", "--field", "channel:str")


def test_a_new_handler_is_told_file_by_file(scaffold: Run) -> None:
    told = scaffold(*HUDDLE).stderr.splitlines()
    assert "      create runtime/services/huddle/service.py" in told
    assert any(
        line.startswith("    register runtime/integrations/services.py:")
        and line.endswith(" service `huddle`")
        for line in told
    )
    assert any(
        line.startswith("        done 16 create, 9 register in ") for line in told
    )
    assert "       next: python -m pytest tests/runtime/services/huddle" in told


def test_the_same_again_writes_nothing(scaffold: Run, project: Path) -> None:
    scaffold(*HUDDLE)
    times = {path: path.stat().st_mtime_ns for path in project.rglob("*.*")}
    before = files(project)
    told = scaffold(*HUDDLE).stderr
    assert "nothing to do" in told
    assert files(project) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_a_file_of_somebody_else_in_the_way_comes_with_a_way_out(
    scaffold: Run, project: Path
) -> None:
    mine = project / "examples/huddle/huddle.tick"
    mine.parent.mkdir()
    mine.write_text("mine\n")
    told = json.loads(scaffold(*HUDDLE, "--json", code=3).stdout)
    assert told["errors"] == [
        {
            "severity": "error",
            "message": "exists with different content; left unchanged",
            "path": "examples/huddle/huddle.tick",
            "line": 0,
        }
    ]
    assert told["conflicts"] == ["examples/huddle/huddle.tick"]
    [fix] = told["next"]
    scaffold(*fix.split()[1:])
    scaffold(*HUDDLE)
    assert mine.read_text() == "mine\n"
    # it stays the person's, whatever the templates become
    told = scaffold("regenerate", "huddle", "-v").stderr
    assert "examples/huddle/huddle.tick (ejected)" in told


def test_flags_that_disagree_with_the_spec_are_refused(
    scaffold: Run, project: Path
) -> None:
    scaffold(*HUDDLE)
    before = files(project)
    told = scaffold("new-handler", "huddle", "--field", "channel:int", code=2).stderr
    assert "config.channel" in told
    assert "runtime/services/huddle/handler.toml" in told
    assert "scaffold regenerate huddle" in told
    assert files(project) == before


def test_a_dry_run_tells_what_a_run_does(scaffold: Run, project: Path) -> None:
    before = files(project)
    dry = scaffold(*HUDDLE, "--dry-run", "--diff")
    assert files(project) == before
    real = scaffold(*HUDDLE)
    after = files(project)
    *planned, would, last = dry.stderr.splitlines()
    assert last == "Dry run: nothing was written."
    done = next(line for line in real.stderr.splitlines() if " done " in line)
    assert planned == real.stderr.splitlines()[: len(planned)]
    assert would.split()[1:5] == done.split()[1:5]
    # The patch that the dry run printed makes the same tree.
    other = project.parent / "other"
    other.mkdir()
    for path, data in before.items():
        (other / path).parent.mkdir(parents=True, exist_ok=True)
        (other / path).write_bytes(data)
    subprocess.run(
        ["git", "apply", "-"],
        input=dry.stdout,
        text=True,
        cwd=other,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(other.parent)},
        check=True,
    )
    assert files(other) == after


def test_a_dry_run_shows_the_patch_of_files_that_are_there(scaffold: Run) -> None:
    shown = scaffold(*HUDDLE, "-n").stdout
    assert "+++ b/runtime/integrations/services.py" in shown
    assert "services/huddle/config.py\n" not in shown


def test_a_dry_run_can_end_with_1(scaffold: Run) -> None:
    scaffold(*HUDDLE, "-n", "--exit-code", code=1)


def test_a_spec_from_a_file_or_standard_input_is_kept_as_it_is(
    scaffold: Run, project: Path, tmp_path: Path
) -> None:
    scaffold(*HUDDLE)
    spec = (project / "runtime/services/huddle/handler.toml").read_text()
    mine = "# mine\n" + spec.replace("huddle", "cuddle").replace("Huddle", "Cuddle")
    scaffold("new-handler", "cuddle", "--spec", "-", text=mine)
    assert (project / "runtime/services/cuddle/handler.toml").read_text() == mine
    file = tmp_path / "muddle.toml"
    file.write_text(mine.replace("cuddle", "muddle").replace("Cuddle", "Muddle"))
    scaffold("new-handler", "--spec", str(file))
    assert "nothing to do" in scaffold("new-handler", "--spec", str(file)).stderr
    scaffold("check")


@pytest.mark.parametrize(
    "left",
    [
        "runtime/services/huddle/__pycache__/service.cpython-311.pyc",
        "runtime/services/huddle/service.pyc",
        "runtime/services/huddle/data/notes.txt",
        "runtime/services/huddle.pyc",
        "runtime/services/huddle.md",
        "tests/runtime/services/huddle/__pycache__/x.pyc",
        ".scaffold/handlers/.DS_Store",
        ".scaffold/handlers/huddle/.DS_Store",
    ],
)
def test_what_is_left_over_is_no_service(
    scaffold: Run, project: Path, left: str
) -> None:
    (project / left).parent.mkdir(parents=True, exist_ok=True)
    (project / left).write_bytes(b"old")
    assert "2 handlers examined, nothing to do" in scaffold("check").stderr
    scaffold(*HUDDLE)


@pytest.mark.parametrize(
    "module",
    [
        "huddle.py",
        "Huddle.py",
        "huddle.pyi",
        "huddle.abi3.so",
        "huddle/service.py",
        "huddle/inner/module.py",
    ],
)
def test_a_module_is_never_hidden(scaffold: Run, project: Path, module: str) -> None:
    file = project / "runtime/services" / module
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text("mine = 1\n")
    before = files(project)
    told = scaffold(*HUDDLE, code=2).stderr
    assert "a module of this name already exists: runtime/services/" in told
    assert files(project) == before


def test_a_file_in_the_way_is_a_conflict(scaffold: Run, project: Path) -> None:
    (project / "examples/huddle").mkdir()
    (project / "examples/huddle/README.md").write_text("mine\n")
    before = files(project)
    told = scaffold(*HUDDLE, code=3).stderr
    assert "examples/huddle/README.md" in told
    assert files(project) == before


def test_a_missing_place_is_told_with_the_snippet(scaffold: Run, project: Path) -> None:
    file = project / "runtime/integrations/services.py"
    file.write_text(file.read_text().replace("SERVICES:", "OTHERS:"))
    before = files(project)
    told = scaffold(*HUDDLE, code=5).stderr
    where = "runtime/integrations/services.py: the dict literal SERVICES"
    assert f"{where}: not found" in told
    assert '"huddle": "runtime.services.huddle.service:Service"' in told
    assert files(project) == before


def test_a_registration_that_a_person_wrote_is_kept(
    scaffold: Run, project: Path
) -> None:
    file = project / "tests/runtime/test_registration.py"
    text = file.read_text().replace(
        '    "hipchat",\n', '    "hipchat",\n    "huddle",  # mine\n'
    )
    file.write_text(text)
    scaffold(*HUDDLE)
    assert file.read_text() == text


def test_a_name_of_another_handler_in_another_form_is_refused(scaffold: Run) -> None:
    assert "hipchat" in scaffold("new-handler", "hip_chat", code=2).stderr


def test_what_does_not_import_is_found_before_anything_is_written(
    scaffold: Run, whole_project: Path
) -> None:
    file = whole_project / "runtime/integrations/services.py"
    file.write_text(file.read_text() + "\nundefined_name\n")
    before = files(whole_project)
    told = scaffold(*HUDDLE, "--verify", "import", code=4).stderr
    assert "undefined_name" in told
    assert files(whole_project) == before


def test_a_reference_to_no_class_is_found_before_anything_is_written(
    scaffold: Run, whole_project: Path
) -> None:
    file = whole_project / "runtime/integrations/services.py"
    file.write_text(
        file.read_text().replace("foo.service:Service", "foo.service:Servise")
    )
    told = scaffold(*HUDDLE, "--verify", "import", code=4).stderr
    assert "has no attribute 'Servise'" in told


def test_generated_tests_can_be_run_before_anything_is_written(
    scaffold: Run, whole_project: Path
) -> None:
    shared = whole_project / "runtime/outbound"
    shutil.copytree(Path(client.__file__).parent, shared)
    file = shared / "client.py"
    whole = file.read_text()
    file.write_text(whole + "\n\nRequest.__init__ = None\n")
    before = files(whole_project)
    told = scaffold(*HUDDLE, "--verify", "tests", code=4).stderr
    assert "test_huddle_service.py" in told
    assert files(whole_project) == before
    file.write_text(whole)
    scaffold(*HUDDLE, "--verify", "tests")


@pytest.mark.parametrize("locale", ["C", "tr_TR.UTF-8"])
def test_the_same_bytes_on_every_machine(
    scaffold: Run, project: Path, tmp_path: Path, locale: str
) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other)
    scaffold(*HUDDLE)
    environment = {
        "PATH": os.environ["PATH"],
        "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
        "LC_ALL": locale,
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Kathmandu",
        "PYTHONIOENCODING": "ascii",
    }
    subprocess.run(
        [sys.executable, "-P", "-m", "scaffold", *HUDDLE],
        cwd=other,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert files(other) == files(project)
