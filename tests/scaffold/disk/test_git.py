"""Checkouts of git, found without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.disk import git


def test_a_folder_is_in_no_checkout(tmp_path: Path) -> None:
    assert git.folder(tmp_path) == git.top(tmp_path) == ""
    assert not git.is_merging(tmp_path)


def test_the_inner_one_of_two_checkouts_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a/b"
    (inner / "c").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    assert git.folder(inner / "c") == str(tmp_path / ".git")
    (inner / ".git").mkdir()
    assert git.folder(inner / "c") == str(inner / ".git")
    assert git.top(inner / "c") == str(inner)


def test_a_worktree_has_its_folder_elsewhere(tmp_path: Path) -> None:
    own = tmp_path / "main/.git/worktrees/a"
    own.mkdir(parents=True)
    tree = tmp_path / "a"
    tree.mkdir()
    (tree / ".git").write_text("gitdir: ../main/.git/worktrees/a\n")
    assert Path(git.folder(tree)).resolve() == own
    assert git.top(tree) == str(tree)
    (tree / ".git").write_text("gitdir: ../gone\n")
    assert git.folder(tree) == ""


@pytest.mark.parametrize(
    "name",
    ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"],
)
def test_a_merge_is_seen(tmp_path: Path, name: str) -> None:
    (tmp_path / ".git").mkdir()
    assert not git.is_merging(tmp_path)
    (tmp_path / ".git" / name).write_text("")
    assert git.is_merging(tmp_path)
