# ruff: noqa: PTH109, PTH117, PTH120, PTH123
"""Verdicts of `scaffold check`, kept so that nothing has to be examined again.

A clean verdict depends on the content of some files and folders alone. `check` keeps
their list with one digest of it all, outside of the project; while the digest is the
same, so is the verdict. Only the bare minimum is imported here: `pathlib` alone costs
half of the time that the cache saves.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable

from scaffold.disk import caches, folders, machine

_VERSION = "2"


def here() -> str:
    """The verdict on the project that the current folder is in, if it is known; else ""."""
    try:
        root = _root(os.getcwd())
    except (OSError, folders.NotPlainError):
        return ""
    return known(root) if root else ""


def known(root: str) -> str:
    """The verdict on a project, if it is still valid; else ""."""
    memo = machine.memo(root)
    if not memo or os.path.lexists(f"{root}/.scaffold/txn"):
        return ""
    try:
        with open(memo, encoding="utf-8", errors="surrogateescape") as stream:
            kept, verdict, *inputs = stream.read().split("\n")
    except (OSError, ValueError):
        return ""
    return verdict if digest(root, inputs) == kept else ""


def remember(root: str, verdict: str, inputs: Iterable[str]) -> None:
    """Keep a clean verdict; failing to write it is not an error."""
    memo = machine.memo(root)
    inputs = sorted(inputs)
    kept = digest(root, inputs)
    if not memo or not kept or any("\n" in path for path in inputs):
        return
    text = "\n".join([kept, verdict, *inputs])
    caches.keep(memo, text.encode("utf-8", "surrogateescape"))


def digest(root: str, inputs: Iterable[str]) -> str:
    """One digest of files and, where a path ends in `/`, of the names in a folder.

    Paths are below `root`, or absolute: those are the generator's own. "" where something
    is a link or not a regular file, which `check` refuses.
    """
    total = hashlib.sha256(f"{_VERSION} {sys.version}".encode())
    try:
        with folders.opened(root) as top, folders.Walk(top) as walk:
            for path in inputs:
                data = _read(walk, path)
                name = path.encode("utf-8", "surrogateescape")
                size = -1 if data is None else len(data)
                total.update(b"%s %d\n" % (name, size))
                total.update(data or b"")
    except (OSError, folders.NotPlainError):
        return ""
    return total.hexdigest()


def _read(walk: folders.Walk, path: str) -> bytes | None:
    if os.path.isabs(path):
        with open(path, "rb", buffering=0) as file:
            return file.read()
    if path.endswith("/"):
        names = walk.names(path.rstrip("/"))
        return "\n".join(names).encode("utf-8", "surrogateescape")
    return walk.read(path)


def _root(folder: str) -> str | None:
    """The nearest folder upwards that is a project."""
    while not _is_project(folder):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _is_project(folder: str) -> bool:
    try:
        with folders.opened(folder) as top:
            return b"scaffold" in (folders.read(top, "pyproject.toml") or b"")
    except OSError:
        return False
