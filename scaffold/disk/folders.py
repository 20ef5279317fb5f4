"""Open folders: operations happen in the folder itself and follow no link.

A checkout may come from a stranger. Each part of a path is opened below the part before
it, links are refused, and only regular files are opened at all: a pipe would block, a
device may act. Imports are few, to keep `verdicts` fast.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Sequence

from scaffold.disk import platform

TYPE_CHECKING = False  # as in `typing`, which costs as much as half of Python's start
if TYPE_CHECKING:
    from scaffold.disk.posix import Place

_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_CHUNK = 1_048_576
_SECOND_NAME = "has more than one hard link"


class NotPlainError(Exception):
    """A part of a path is a link, or of the wrong type.

    Attributes:
        path: its path below the folder that was opened first.
        problem: the fault.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class Folder:
    """A folder that is open, to be used in a `with` statement.

    Attributes:
        place: the folder as the operating system has it.
        path: its path below the folder that was opened first; "" for that one.
    """

    def __init__(self, place: Place, path: str = "") -> None:
        self.place = place
        self.path = path

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):  # nothing was written through it
            self.place.close()

    def folder(self, name: str) -> Folder:
        """A folder in it.

        Raises:
            FileNotFoundError: the folder does not exist.
            NotPlainError: it is a link, or not a folder.
        """
        try:
            place = self.place.inner(name)
        except NotADirectoryError:
            self._refuse(name, "is not a folder")
            raise
        return Folder(place, self._below(name))

    def made(self, name: str) -> Folder:
        """A folder in it, created if it does not exist."""
        try:
            return self.folder(name)
        except FileNotFoundError:
            self.place.mkdir(name)
        return self.folder(name)

    def at(self, parts: Sequence[str], *, make: bool = False) -> Folder:
        """The folder at the end of a path.

        Args:
            parts: the names on the way.
            make: true to create missing folders.

        Raises:
            FileNotFoundError: the file does not exist.
            NotPlainError: a part is a link, or not a folder, or leads out.
        """
        inner = Folder(self.place.again(), self.path)
        for part in parts:
            with inner:
                inner = inner.inner(part, make=make)
        return inner

    def inner(self, part: str, *, make: bool = False) -> Folder:
        """A folder in it by a part of a path, which may come from anywhere.

        Raises:
            FileNotFoundError: the folder does not exist, and `make` is not set.
            NotPlainError: it is a link, or not a folder, or leads out.
        """
        _refuse_name(self._below(part), part)
        return self.made(part) if make else self.folder(part)

    def status(self, name: str) -> os.stat_result | None:
        """Status of an entry, links not followed; None if there is none."""
        try:
            return self.place.status(name)
        except FileNotFoundError:
            return None

    def file(self, name: str, *, single: bool = False) -> os.stat_result | None:
        """The status of a regular file; None: it does not exist.

        Args:
            name: its name.
            single: true to refuse a file with further hard links, which may be elsewhere.

        Raises:
            NotPlainError: it is something else.
        """
        status = self.status(name)
        if status is None:
            return None
        if not stat.S_ISREG(status.st_mode):
            self._refuse(name, "is not a regular file")
        if single and status.st_nlink > 1:
            raise NotPlainError(self._below(name), _SECOND_NAME)
        return status

    def read(self, name: str, *, single: bool = False) -> bytes | None:
        """The content of a regular file; None: it does not exist.

        Raises:
            NotPlainError: it is something else.
        """
        # looked at before it is opened: opening a device may do something
        status = self.file(name, single=single)
        if status is None:
            return None
        descriptor = self.place.open(name, os.O_RDONLY)
        try:
            # one more, so that the end is seen; a stream would cost as much as the file
            data = part = os.read(descriptor, status.st_size + 1)
            while part and len(data) != status.st_size:
                part = os.read(descriptor, _CHUNK)
                data += part
            return data
        finally:
            os.close(descriptor)

    def write(self, name: str, data: bytes, mode: int | None = None) -> None:
        """Write a whole file.

        Args:
            name: its name.
            data: its content.
            mode: its permissions; None: those that the umask leaves.
        """
        first = 0o666 if mode is None else 0o600
        descriptor = self.place.open(name, _WRITE, first)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            if mode is not None:
                self.place.permit(name, descriptor, mode)
        finally:
            os.close(descriptor)

    def names(self) -> list[str]:
        """Its entries, sorted."""
        return sorted(self.place.names())

    def unlink(self, name: str) -> None:
        """Remove a file's name, if it exists; a link itself, never its target."""
        with contextlib.suppress(FileNotFoundError):
            self.place.unlink(name)

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        self.place.rmdir(name)

    def rename(self, name: str, target: Folder, new: str) -> None:
        """Move a file into another folder, replacing an entry of that name."""
        self.place.replace(name, target.place, new)

    def sync(self, name: str = "") -> None:
        """Make sure that a file, or without a name the folder, survives a power cut."""
        self.place.sync(name)

    def _below(self, name: str) -> str:
        return f"{self.path}/{name}" if self.path else name

    def _refuse(self, name: str, problem: str) -> None:
        status = self.status(name)
        if status is not None and stat.S_ISLNK(status.st_mode):
            problem = "is a symbolic link"
        raise NotPlainError(self._below(name), problem)


class Walk:
    """Reads many files below a folder, which is used in a `with` statement.

    The folders of the last path stay open, so that paths in their order open each once.
    """

    def __init__(self, top: Folder) -> None:
        self._top = top
        self._open: list[tuple[str, Folder]] = []

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, *error: object) -> None:
        self._leave(0)

    def read(self, path: str) -> bytes | None:
        """The content of a regular file; None: it does not exist.

        Raises:
            NotPlainError: it is something else, or a folder on the way is.
        """
        parts, name = split(path)
        try:
            folder = self._folder(parts)
            _refuse_name(path, name)
            # state has one name: a second hard link may be a stranger's file
            return folder.read(name, single=is_state(parts))
        except FileNotFoundError:
            return None

    def names(self, path: str) -> list[str]:
        """Entries of a folder, sorted; empty if the folder does not exist.

        A link to a folder counts as missing in the project, and as an error in the
        generator's state, which has no links.

        Raises:
            NotPlainError: a folder on the way is a link, or one of the state.
        """
        parts, name = split(path)
        try:
            status = self._folder(parts).status(name)
            is_folder = status is not None and stat.S_ISDIR(status.st_mode)
            if not (is_folder or is_state([*parts, name])):
                return []
            return self._folder([*parts, name]).names()
        except FileNotFoundError:
            return []

    def _folder(self, parts: Sequence[str]) -> Folder:
        depth = 0
        for (part, _), wanted in zip(self._open, parts, strict=False):
            if part != wanted:
                break
            depth += 1
        self._leave(depth)
        for part in parts[depth:]:
            outer = self._open[-1][1] if self._open else self._top
            self._open.append((part, outer.inner(part)))
        return self._open[-1][1] if self._open else self._top

    def _leave(self, depth: int) -> None:
        while len(self._open) > depth:
            self._open.pop()[1].__exit__()


def opened(root: str | os.PathLike[str]) -> Folder:
    """A folder that the user named: links on the way to it are the user's own."""
    return Folder(platform.system.opened(root))


def split(path: str) -> tuple[list[str], str]:
    """The folders of a path, and the name at its end."""
    *folders, name = path.split("/")
    return folders, name


def read(top: Folder, path: str) -> bytes | None:
    """The content of a regular file below `top`; None: it does not exist.

    Raises:
        NotPlainError: it is something else, or a folder on the way is.
    """
    with Walk(top) as walk:
        return walk.read(path)


def names(top: Folder, path: str) -> list[str]:
    """Entries of a folder below `top`, sorted; empty if the folder does not exist.

    Raises:
        NotPlainError: a folder on the way is a link, or one of the state.
    """
    with Walk(top) as walk:
        return walk.names(path)


def is_state(folders: Iterable[str]) -> bool:
    """True if these are the folders of a path in the generator's own state."""
    return next(iter(folders), "") == ".scaffold"


def _refuse_name(path: str, name: str) -> None:
    if name in ("", ".", "..") or not platform.system.OUTSIDE.isdisjoint(name):
        raise NotPlainError(path, "is outside the project")
