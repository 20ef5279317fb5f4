"""Folders and files that survive a crash of the machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def make(folder: Path) -> None:
    """Create a folder and its parents where they are missing.

    Raises:
        OSError: a folder cannot be created, or its path is not a folder.
    """
    if folder.is_dir():
        return
    make(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def sync(folder: Path) -> None:
    """Sync a folder, so that its list of files survives a crash.

    Raises:
        OSError: the folder cannot be synced.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_file(path: Path, mode: int) -> None:
    """Create an empty file with a mode; leave an existing one unchanged.

    Raises:
        OSError: the file cannot be created.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, flags, mode))


def write(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file, or replace one.

    After this has returned, the file survives a crash of the machine. A crash before
    that leaves either the new file or the former one.

    Args:
        path: path of the file.
        content: complete content.
        mode: permissions, reduced by the process's umask.

    Raises:
        OSError: the file cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(part, flags, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync(path.parent)
