"""Taking back the last command."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.scaffold.files import files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SERVICE = "runtime/services/huddle/service.py"


def test_a_new_handler_is_taken_back_and_made_again(
    scaffold: Run, project: Path
) -> None:
    before = files(project)
    scaffold("new-handler", "huddle", "--field", "channel:str")
    after = files(project)
    told = scaffold("undo").stderr
    assert f"      remove {SERVICE}" in told
    assert "      update docs/handlers.md" in told
    assert "`new-handler` is undone; `scaffold undo` again repeats it" in told
    assert files(project) == before
    assert not (project / "runtime/services/huddle").exists()
    scaffold("undo")
    assert files(project) == after
    assert "nothing to do" in scaffold("check").stderr


def test_a_dry_run_shows_it_and_writes_nothing(scaffold: Run, project: Path) -> None:
    scaffold("new-handler", "huddle", "--field", "channel:str")
    after = files(project)
    done = scaffold("undo", "-n", "--exit-code", code=1)
    assert '-    "huddle": "runtime.services.huddle.service:Service",' in done.stdout
    assert files(project) == after
    told = json.loads(scaffold("undo", "-n", "--json").stdout)
    assert told["undone"] == "new-handler"
    roles = {each["path"]: (each["action"], each["role"]) for each in told["changes"]}
    assert roles[SERVICE] == ("remove", "owned")
    assert roles["runtime/services/huddle/handler.toml"] == ("remove", "spec")
    assert roles["runtime/integrations/services.py"] == ("update", "shared")
    assert roles[".scaffold/handlers/huddle/generated"] == ("remove", "state")


def test_nothing_to_undo(scaffold: Run, project: Path) -> None:
    assert "nothing to undo" in scaffold("undo").stderr
    assert json.loads(scaffold("undo", "--json").stdout)["undone"] == ""


def test_commands_that_write_nothing_are_not_undone(
    scaffold: Run, project: Path
) -> None:
    before = files(project)
    scaffold("new-handler", "huddle", "--field", "channel:str")
    scaffold("regenerate", "--all")
    scaffold("new-handler", "cuddle", "-n")
    scaffold("undo")
    assert files(project) == before


def test_a_conflict_is_nothing_to_undo(scaffold: Run, project: Path) -> None:
    before = files(project)
    scaffold("new-handler", "huddle", "--field", "channel:str")
    changed = dict.fromkeys(("runtime/services/huddle/handler.toml", SERVICE), "")
    for path in changed:
        changed[path] = (project / path).read_text()
        assert "test huddle message" in changed[path]
    for path, word in zip(changed, ("another", "my"), strict=True):
        new = changed[path].replace("test huddle message", f"{word} message")
        (project / path).write_text(new)
    scaffold("regenerate", "huddle", code=3)
    assert (project / ".scaffold/conflicts/huddle").is_dir()
    for path, text in changed.items():
        (project / path).write_text(text)
    scaffold("undo")
    shutil.rmtree(project / ".scaffold/conflicts")
    assert files(project) == before


def test_a_file_that_changed_since_stops_it(scaffold: Run, project: Path) -> None:
    before = files(project)
    scaffold("new-handler", "huddle", "--field", "channel:str")
    for path in (SERVICE, "docs/handlers.md"):
        (project / path).write_text((project / path).read_text() + "# mine\n")
    (project / "examples/huddle/huddle.tick").unlink()
    after = files(project)
    told = json.loads(scaffold("undo", "--json", code=3).stdout)
    assert sorted(told["conflicts"]) == ["docs/handlers.md", SERVICE]
    assert files(project) == after
    assert told["next"] == ["scaffold undo --keep-edits"]
    told = scaffold("undo", "--keep-edits").stderr
    assert f"        keep {SERVICE} (changed since)" in told
    kept = ".scaffold/kept/docs/handlers.md.before"
    assert f"      create {kept}" in told
    old = before.pop("docs/handlers.md")
    mine = {path: after[path] for path in (SERVICE, "docs/handlers.md")}
    assert files(project) == before | mine | {kept: old}
    scaffold("undo")
    assert files(project) == after


def test_edits_since_are_discarded_when_asked_and_come_back(
    scaffold: Run, project: Path
) -> None:
    before = files(project)
    scaffold("new-handler", "huddle", "--field", "channel:str")
    for path in (SERVICE, "docs/handlers.md"):
        (project / path).write_text((project / path).read_text() + "# mine\n")
    after = files(project)
    told = scaffold("undo", code=3).stderr
    assert (
        f"{SERVICE}: was changed after `scaffold new-handler`; --discard-edits" in told
    )
    scaffold("undo", "--discard-edits")
    assert files(project) == before
    scaffold("undo")
    assert files(project) == after


def test_versions_that_are_kept_do_not_replace_earlier_ones(
    scaffold: Run, project: Path
) -> None:
    page = project / "docs/handlers.md"
    before = page.read_text()
    for _ in range(2):
        scaffold("new-handler", "huddle", "--field", "channel:str")
        page.write_text("mine\n")
        scaffold("undo", "--keep-edits")
        page.write_text(before)
    kept = sorted(each.name for each in (project / ".scaffold/kept/docs").iterdir())
    assert kept == ["handlers.md.before", "handlers.md.before.2"]


def test_a_file_that_was_removed_since_is_left_out_or_restored(
    scaffold: Run, project: Path
) -> None:
    before = files(project)
    scaffold("new-handler", "huddle", "--field", "channel:str")
    (project / "docs/handlers.md").unlink()
    assert "fix:   scaffold undo --keep-edits" in scaffold("undo", code=3).stderr
    scaffold("undo", "--discard-edits")
    assert files(project) == before


def test_a_broken_module_does_not_keep_from_undoing(
    scaffold: Run, project: Path
) -> None:
    spec = project / "runtime/services/foo/handler.toml"
    service = project / "runtime/services/foo/service.py"
    service.write_text("class (:\n")
    spec.write_text(spec.read_text().replace("test foo message", "another"))
    service.unlink()
    scaffold("regenerate", "foo")
    assert "another" in service.read_text()
    scaffold("undo")
    assert not service.exists()
