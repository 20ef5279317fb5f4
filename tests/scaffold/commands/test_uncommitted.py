"""Uncommitted work: only a loss stops a command."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scaffold.files import edit, files
from tests.scaffold.repository import git

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parents[3]
PAGE = "docs/handlers/foo.md"
SERVICE = "runtime/services/foo/service.py"
SPEC = "runtime/services/foo/handler.toml"
TAKE = ("regenerate", "foo", "--on-conflict", "generated")


@pytest.fixture
def committed(project: Path) -> Path:
    """The project, all of it committed."""
    shutil.copy(ROOT / "CHANGELOG.md", project)
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    return project


def contradict(root: Path) -> None:
    """Change a sentence by hand, and the spec that it comes from."""
    edit(root, PAGE, "Posts alert messages to a room", "Shouts into some rooms")
    edit(root, SPEC, "posts alert messages", "sends alert messages")


def test_a_line_that_git_does_not_have_is_not_lost(
    scaffold: Run, committed: Path
) -> None:
    contradict(committed)
    before = files(committed)
    for arguments in (TAKE, (*TAKE, "-n")):
        told = scaffold(*arguments, code=5).stderr
        assert f"{PAGE}:3: an uncommitted line would be lost: 'Shouts into" in told
        assert f"fix:   git add -- {PAGE}" in told
    assert files(committed) == before
    scaffold(*TAKE, "--allow-dirty")
    assert "Sends alert messages" in (committed / PAGE).read_text()


def test_a_line_that_is_staged_can_be_had_from_git(
    scaffold: Run, committed: Path
) -> None:
    contradict(committed)
    git(committed, "add", "--", PAGE)
    scaffold(*TAKE)
    assert "Sends alert messages" in (committed / PAGE).read_text()


@pytest.mark.parametrize("ignored", [False, True])
def test_a_file_that_git_does_not_know_counts(
    scaffold: Run, committed: Path, ignored: bool
) -> None:
    git(committed, "rm", "-q", "--cached", PAGE)
    if ignored:
        (committed / ".git/info/exclude").write_text(PAGE)
    contradict(committed)
    assert f"{PAGE}:3: an uncommitted line" in scaffold(*TAKE, code=5).stderr


def test_merging_needs_no_clean_tree(scaffold: Run, committed: Path) -> None:
    edit(committed, SERVICE, "    ok = (200,)", "    ok = (200,)\n    mine = True")
    edit(committed, "docs/handlers.md", "# ", "# My ")
    edit(committed, SPEC, "posts alert messages", "sends alert messages")
    scaffold("regenerate", "foo")
    assert "    mine = True" in (committed / SERVICE).read_text()
    scaffold("new-handler", "huddle", "--field", "channel:str")
    scaffold("new-handler", "cuddle", "--field", "channel:str")
    scaffold("remove-handler", "cuddle")
    scaffold("undo")


def test_a_rename_carries_uncommitted_edits(scaffold: Run, committed: Path) -> None:
    edit(committed, SERVICE, "    ok = (200,)", "    ok = (200,)\n    foo_mine = True")
    edit(committed, SPEC, "posts alert messages", "sends alert messages")
    scaffold("rename-handler", "foo", "bark")
    text = (committed / "runtime/services/bark/service.py").read_text()
    assert "_mine = True" in text


def test_edits_are_discarded_only_if_git_has_them(
    scaffold: Run, committed: Path
) -> None:
    edit(committed, SERVICE, "    ok = (200,)", "    ok = (200,)\n    mine = True")
    discard = ("remove-handler", "foo", "--discard-edits")
    before = files(committed)
    assert "'mine = True'" in scaffold(*discard, code=5).stderr
    assert files(committed) == before
    git(committed, "commit", "-qam", "second")
    scaffold(*discard)
    assert not (committed / SERVICE).exists()


def test_a_side_that_was_named_is_taken(scaffold: Run, committed: Path) -> None:
    contradict(committed)
    scaffold("regenerate", "foo", code=3)
    scaffold("resolve", PAGE, "--take", "generated")
    assert "Sends alert messages" in (committed / PAGE).read_text()


def test_without_git_nothing_is_in_the_way(
    scaffold: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "CHANGELOG.md", project)
    contradict(project)
    scaffold(*TAKE)
    scaffold("undo")
    git(project, "init", "-q")
    monkeypatch.setenv("PATH", "/nowhere")
    scaffold(*TAKE)


def test_a_repository_names_no_program_to_run(
    scaffold: Run, committed: Path, tmp_path: Path
) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    git(committed, "config", "core.fsmonitor", str(trap))
    contradict(committed)
    scaffold(*TAKE, code=5)
    assert not (tmp_path / "sprung").exists()
