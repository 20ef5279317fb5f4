"""Text files of a project, for a search: not those of tools, libraries and caches."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from scaffold.disk import folders
from scaffold.disk.folders import Folder, NotPlainError

_MAX_BYTES = 1_048_576
_LEFT_OUT = frozenset(
    (".git", ".hg", ".svn", ".scaffold", ".tox", ".nox", "__pycache__", "node_modules")
)
_ENDINGS = ("_cache", ".egg-info", ".dist-info")


def texts(root: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The text files below a folder, each with its content, in the order of their paths.

    Links are not followed. Files of more than a megabyte and those that cannot be read
    are left out, and so are virtual environments.
    """
    with folders.opened(root) as top:
        yield from _texts(top, PurePosixPath())


def _texts(
    folder: Folder, path: PurePosixPath
) -> Iterator[tuple[PurePosixPath, bytes]]:
    names = _names(folder)
    if "pyvenv.cfg" in names:
        return
    for name in names:
        status = folder.status(name)
        if status is None:
            continue
        if stat.S_ISDIR(status.st_mode):
            if name not in _LEFT_OUT and not name.endswith(_ENDINGS):
                yield from _inside(folder, name, path)
        elif stat.S_ISREG(status.st_mode) and status.st_size <= _MAX_BYTES:
            data = _read(folder, name)
            if data is not None and b"\0" not in data:
                yield path / name, data


def _inside(
    folder: Folder, name: str, path: PurePosixPath
) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        inner = folder.folder(name)
    except (OSError, NotPlainError):
        return
    with inner:
        yield from _texts(inner, path / name)


def _names(folder: Folder) -> list[str]:
    try:
        return folder.names()
    except OSError:
        return []


def _read(folder: Folder, name: str) -> bytes | None:
    try:
        return folder.read(name)
    except (OSError, NotPlainError):
        return None
