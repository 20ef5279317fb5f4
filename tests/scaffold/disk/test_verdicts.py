"""Cached verdicts, and their invalidation."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffold.disk import verdicts
from scaffold.disk.digests import digest, digest_of_names

LINES = ["        keep a (edited by hand)", "        done nothing to do"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one file."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "a").write_bytes(b"text")
    return root


def remember(root: Path, *product: str) -> None:
    seen = {"a": digest(b"text"), "missing": digest(None)}
    verdicts.remember(str(root), "check", LINES, seen, product)


def known(root: Path) -> list[str]:
    return verdicts.known(str(root), "check")


def test_the_lines_are_known_while_nothing_changes(root: Path) -> None:
    remember(root)
    assert known(root) == LINES
    (root / "b").write_bytes(b"")
    assert known(root) == LINES
    (root / "missing").write_bytes(b"")
    assert known(root) == []


def test_each_command_has_its_own_verdict(root: Path) -> None:
    remember(root)
    assert verdicts.known(str(root), "regenerate") == []


def test_a_file_that_changed_while_the_command_ran_ends_its_verdict(root: Path) -> None:
    (root / "a").write_bytes(b"edited")
    remember(root)
    assert known(root) == []


def test_a_path_that_looks_like_a_line_is_one_of_a_file(root: Path) -> None:
    (root / "|b").write_bytes(b"text")
    seen = {"|b": digest(b"text"), "|/": digest_of_names([])}
    verdicts.remember(str(root), "check", LINES, seen, [str(root / "a")])
    assert known(root) == LINES
    (root / "|b").write_bytes(b"edited")
    assert known(root) == []


def test_a_new_version_of_a_library_ends_a_verdict(root: Path, tmp_path: Path) -> None:
    libraries = tmp_path / "site-packages"
    (libraries / "jinja2-3.1.4.dist-info").mkdir(parents=True)
    remember(root, f"{libraries}/")
    assert known(root) == LINES
    (libraries / "jinja2-3.1.4.dist-info").rename(libraries / "jinja2-3.1.5.dist-info")
    assert known(root) == []


def test_a_changed_module_ends_a_verdict(root: Path, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("A = 1\n")
    remember(root, str(module))
    assert known(root) == LINES
    module.write_text("A = 2\n")
    assert known(root) == []


@pytest.mark.parametrize(
    "name", ["MERGE_HEAD", "CHERRY_PICK_HEAD", "rebase-merge", "rebase-apply"]
)
def test_no_verdict_is_known_or_kept_while_git_merges(
    root: Path, tmp_path: Path, name: str
) -> None:
    remember(root)
    elsewhere = tmp_path / "git"
    elsewhere.mkdir()
    # as in a worktree
    (root / ".git").write_text(f"gitdir: {elsewhere}\n")
    assert known(root) == LINES
    (elsewhere / name).write_text("")
    assert known(root) == []
    (root / "a").write_bytes(b"other")
    verdicts.remember(str(root), "check", LINES, {"a": digest(b"other")}, [])
    (elsewhere / name).unlink()
    assert known(root) == []


@pytest.mark.parametrize("text", ["", "\n", "|done\n", "\n|done\n|done"])
def test_a_damaged_memo_is_no_verdict(root: Path, text: str) -> None:
    remember(root)
    memo = Path(verdicts.machine.memo(str(root), "check"))
    memo.write_text(text)
    assert known(root) == []
