"""What the core reads: a tree of files, on disk or in memory."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

from scaffold.errors import UnreadableFile


class Tree(Protocol):
    """Files below one root."""

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it is not there.

        Raises:
            UnreadableFile: it is there, and is no plain file inside the tree.
        """

    def names(self, folder: PurePosixPath) -> list[str]:
        """What a folder holds, sorted; nothing if it is not there."""


class DiskTree:
    """The files below a folder. Links are refused: they may lead anywhere.

    Attributes:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._plain: set[PurePosixPath] = set()

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it is not there."""
        for folder in reversed(path.parents):
            if folder not in self._plain:
                if not is_plain_folder(self.root, folder):
                    return None
                self._plain.add(folder)
        if file_status(self.root, path) is None:
            return None
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error

    def names(self, folder: PurePosixPath) -> list[str]:
        """What a folder holds, sorted; nothing if it is not there."""
        try:
            return sorted(entry.name for entry in (self.root / folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []


class MemoryTree(NamedTuple):
    """Files that are held in a mapping."""

    files: Mapping[PurePosixPath, bytes]

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it is not there."""
        return self.files.get(path)

    def names(self, folder: PurePosixPath) -> list[str]:
        """What a folder holds, sorted; nothing if it is not there."""
        depth = len(folder.parts)
        return sorted(
            {path.parts[depth] for path in self.files if folder in path.parents}
        )


class WatchedTree:
    """A tree that remembers what was asked of it.

    Attributes:
        tree: what is asked.
        seen: the files read, and the folders listed with a `/` at the end.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.seen: set[str] = set()

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it is not there."""
        self.seen.add(str(path))
        return self.tree.read(path)

    def names(self, folder: PurePosixPath) -> list[str]:
        """What a folder holds, sorted; nothing if it is not there."""
        self.seen.add(f"{folder}/")
        return self.tree.names(folder)


def is_plain_folder(root: Path, folder: PurePosixPath) -> bool:
    """Whether a folder is there.

    Raises:
        UnreadableFile: something else is.
    """
    try:
        mode = os.lstat(root / folder).st_mode
    except FileNotFoundError:
        return False
    if folder.parts and stat.S_ISLNK(mode):
        raise UnreadableFile(folder, "is a symbolic link")
    if not stat.S_ISDIR(mode) and folder.parts:
        raise UnreadableFile(folder, "is no folder")
    return True


def file_status(root: Path, path: PurePosixPath) -> os.stat_result | None:
    """What the system says of a file; None: it is not there.

    Raises:
        UnreadableFile: it is no plain file.
    """
    try:
        status = os.lstat(root / path)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        raise UnreadableFile(path, "is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableFile(path, "is no plain file")
    return status
