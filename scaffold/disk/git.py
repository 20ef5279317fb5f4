# ruff: noqa: PTH110, PTH112, PTH113, PTH118, PTH120, PTH123 - for `verdicts`
"""The checkout of git that a project is in, found without running git."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_UNDER_WAY = (
    *("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"),
    *("rebase-merge", "rebase-apply"),
)


def is_merging(root: str | os.PathLike[str]) -> bool:
    """True while git merges, rebases or picks a commit in the checkout of a project."""
    git = folder(root)
    return bool(git) and any(os.path.exists(f"{git}/{name}") for name in _UNDER_WAY)


def folder(root: str | os.PathLike[str]) -> str:
    """The folder of git in a project's checkout; "": it is in none."""
    return next((git for _, git in _found(os.fspath(root))), "")


def top(root: str | os.PathLike[str]) -> str:
    """The top folder of a project's checkout; "": it is in none."""
    return next((top for top, _ in _found(os.fspath(root))), "")


def _found(top: str) -> Iterator[tuple[str, str]]:
    """The checkouts around a folder, the inner one first, each with git's folder."""
    above = ""
    while top != above:
        git = os.path.join(top, ".git")
        with contextlib.suppress(OSError, ValueError):
            if os.path.isfile(git):  # of a worktree or a submodule
                with open(git, encoding="utf-8") as stream:
                    git = stream.read().removeprefix("gitdir:").strip()
                git = os.path.join(top, git)
            if os.path.isdir(git):
                yield top, git
        top, above = os.path.dirname(top), top
