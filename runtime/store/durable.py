"""Folders and files that survive a crash of the machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def make(folder: Path) -> None:
    """Make a folder, and those that it is in, where they are missing.

    Raises:
        OSError: one cannot be made, or is something else.
    """
    if folder.is_dir():
        return
    make(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def sync(folder: Path) -> None:
    """Have the disk keep which files a folder has.

    Raises:
        OSError: the folder cannot be synced.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_file(path: Path, mode: int) -> None:
    """Make an empty file of a mode; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, flags, mode))


def write(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file, or replace one.

    When this returns, it survives a crash of the machine. One that comes earlier
    leaves the whole file or what was there before.

    Args:
        path: path of the file.
        content: complete content.
        mode: permissions, reduced by the process's umask.

    Raises:
        OSError: it cannot be written.
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
