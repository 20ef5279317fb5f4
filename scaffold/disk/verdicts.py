# ruff: noqa: PTH109, PTH117, PTH120, PTH123, PTH208
"""Verdicts of commands that found nothing to do, so that nothing is examined again.

Such a verdict depends only on the content of some files and folders. `check` and
`regenerate --all` keep a list of these with one digest of all, outside of the project. While
the digest is the same, the verdict holds. Only the bare minimum is imported here: `pathlib`
alone costs half of the time that the cache saves.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
from collections.abc import Iterable, Mapping, Sequence

from scaffold.disk import caches, folders, git, machine
from scaffold.disk.digests import digest, digest_of_names

_VERSION = "3"
_TEXT = "|"


def here(command: str) -> list[str]:
    """The verdict on the project that the current folder is in, as `known`."""
    try:
        root = _root(os.getcwd())
    except (OSError, folders.NotPlainError):
        return []
    return known(root, command) if root else []


def known(root: str, command: str) -> list[str]:
    """The lines that a command printed about a project, if they still hold; else none."""
    memo = machine.memo(root, command)
    if not memo or os.path.lexists(f"{root}/.scaffold/txn") or git.is_merging(root):
        return []
    try:
        with open(memo, encoding="utf-8", errors="surrogateescape") as stream:
            kept, *rest = stream.read().split("\n")
    except (OSError, ValueError):
        return []
    lines = [*itertools.takewhile(lambda line: line.startswith(_TEXT), rest)]
    digests = _digests(root, rest[len(lines) :])
    is_same = bool(digests) and _total(digests) == kept
    return [line.removeprefix(_TEXT) for line in lines] if is_same else []


def remember(
    root: str,
    command: str,
    lines: Sequence[str],
    seen: Mapping[str, str],
    product: Iterable[str],
) -> None:
    """Keep a command's output; failing to write it is not an error.

    Args:
        root: the project.
        command: the command, which found nothing to do.
        lines: the lines.
        seen: digests of the project's files that it read, and of the names in folders;
            the path of a folder ends in `/`.
        product: the paths of all else that it depends on; they are absolute.
    """
    memo = machine.memo(root, command)
    paths = {*seen, *product}
    if not memo or git.is_merging(root) or any("\n" in path for path in paths):
        return
    digests = dict.fromkeys(sorted(paths), "")
    digests |= {
        **_digests(root, [path for path in digests if path not in seen]),
        **seen,
    }
    kept = _total(digests)
    text = "\n".join([kept, *(f"{_TEXT}{line}" for line in lines), *digests])
    caches.keep(memo, text.encode("utf-8", "surrogateescape"))


def _total(digests: Mapping[str, str]) -> str:
    """One digest of all."""
    total = hashlib.sha256(f"{_VERSION} {sys.version}\n".encode())
    text = "".join(f"{path} {each}\n" for path, each in digests.items())
    total.update(text.encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _digests(root: str, paths: Iterable[str]) -> dict[str, str]:
    """The digests of files and folders, in their order.

    Empty if a path is a link or not a regular file, which commands refuse.
    """
    found: dict[str, str] = {}
    try:
        with folders.opened(root) as top, folders.Walk(top) as walk:
            for path in paths:
                found[path] = _outside(path) if os.path.isabs(path) else _of(walk, path)
    except (OSError, folders.NotPlainError):
        return {}
    return found


def _of(walk: folders.Walk, path: str) -> str:
    if path.endswith("/"):
        return digest_of_names(walk.names(path.removesuffix("/")))
    return digest(walk.read(path))


def _outside(path: str) -> str:
    if path.endswith("/"):
        return digest_of_names(sorted(os.listdir(path)))
    with open(path, "rb", buffering=0) as file:
        return digest(file.read())


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
