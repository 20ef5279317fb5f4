"""Folders whose entries survive a crash of the machine."""

from __future__ import annotations

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
        OSError: it cannot.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
