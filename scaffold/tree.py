"""Trees of files that the core reads, on disk or in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

from scaffold.disk import folders
from scaffold.disk.digests import digest, digest_of_names
from scaffold.errors import UnreadableFile


class Tree(Protocol):
    """Files below one root."""

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it does not exist.

        Raises:
            UnreadableFile: it is not a regular file inside the tree.
        """

    def names(self, folder: PurePosixPath) -> list[str]:
        """The names in a folder, sorted; none if it does not exist."""


class DiskTree:
    """The files below a folder. Links are refused: they may lead anywhere.

    Attributes:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it does not exist."""
        with reading(path), folders.opened(self.root) as top:
            return folders.read(top, str(path))

    def names(self, folder: PurePosixPath) -> list[str]:
        """The names in a folder, sorted; none if it does not exist."""
        with reading(folder), folders.opened(self.root) as top:
            return folders.names(top, str(folder))


def _names(files: Iterable[PurePosixPath], folder: PurePosixPath) -> set[str]:
    """The names that files, and folders with files, have in a folder."""
    above, depth = folder.parts, len(folder.parts)
    each = (path.parts for path in files)
    return {
        parts[depth] for parts in each if parts[:depth] == above and len(parts) > depth
    }


class MemoryTree(NamedTuple):
    """Files that are held in a mapping."""

    files: Mapping[PurePosixPath, bytes]

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it does not exist."""
        return self.files.get(path)

    def names(self, folder: PurePosixPath) -> list[str]:
        """The names in a folder, sorted; none if it does not exist."""
        return sorted(_names(self.files, folder))


class Overlay(NamedTuple):
    """A tree as it will be after some changes."""

    tree: Tree
    files: Mapping[PurePosixPath, bytes | None]

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it does not exist."""
        return self.files[path] if path in self.files else self.tree.read(path)

    def names(self, folder: PurePosixPath) -> list[str]:
        """The names in a folder, sorted; none if it does not exist."""
        return sorted({*self.tree.names(folder), *_names(self.files, folder)})


class WatchedTree:
    """A tree that keeps the digests of the files that are read from it.

    Attributes:
        tree: the watched tree.
        digests: digests by path; for a folder, whose path ends in `/`, of its names.
    """

    def __init__(self, tree: Tree, digests: dict[str, str] | None = None) -> None:
        self.tree = tree
        self.digests = {} if digests is None else digests

    def read(self, path: PurePosixPath) -> bytes | None:
        """A file's content; None: it does not exist."""
        data = self.tree.read(path)
        self.digests.setdefault(str(path), digest(data))
        return data

    def names(self, folder: PurePosixPath) -> list[str]:
        """The names in a folder, sorted; none if it does not exist."""
        names = self.tree.names(folder)
        self.digests.setdefault(f"{folder}/", digest_of_names(names))
        return names


@contextlib.contextmanager
def reading(path: PurePosixPath) -> Iterator[None]:
    """Translate errors of reading `path`.

    Raises:
        UnreadableFile: the file cannot be read.
    """
    try:
        yield
    except folders.NotPlainError as error:
        raise UnreadableFile(error.path, error.problem) from None
    except OSError as error:
        raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error
