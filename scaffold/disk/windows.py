# ruff: noqa: PTH101, PTH102, PTH105, PTH106, PTH108, PTH111, PTH112, PTH116, PTH118, PTH208, PTH211
"""Calls of systems without descriptors of folders, such as Windows.

See `platform`; `posix` is the counterpart. A folder is its path and its identity. Both are
checked before each use, so that a link that replaced one of its parts is noticed. A program
that runs at the same time could use the moment between check and use; a checkout that a
stranger made cannot.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

SHARED = ""
"""Not needed: homes are closed to other users."""

OUTSIDE = frozenset("/\0\\:")
"""Characters that no name of an entry has; a colon is followed by a drive or a stream."""

_FILE = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
# reparse points of this kind lead elsewhere: junctions as well as symbolic links
_SURROGATE = 0x2000_0000


class Place:
    """A folder.

    Attributes:
        path: its absolute path.
        identity: its device and number.
    """

    def __init__(self, path: str, identity: tuple[int, int]) -> None:
        self.path = path
        self.identity = identity

    def close(self) -> None:
        """Do nothing: no descriptor is open."""

    def again(self) -> Place:
        """The same folder, to be closed on its own."""
        return Place(self.path, self.identity)

    def inner(self, name: str) -> Place:
        """A folder in it.

        Raises:
            NotADirectoryError: it is a link, or not a folder.
        """
        path = self._below(name)
        status = own_status(path)
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return Place(path, _identity(status))

    def mkdir(self, name: str) -> None:
        """Make a folder in it."""
        os.mkdir(self._below(name))

    def status(self, name: str) -> os.stat_result:
        """The status of an entry; a link's own."""
        return own_status(self._below(name))

    def names(self) -> list[str]:
        """Its entries."""
        return os.listdir(self._below(""))

    def open(self, name: str, flags: int, mode: int = 0o666) -> int:
        """The descriptor of a file in it."""
        path = self._below(name)
        before = _regular(path)
        # emptied when it is known to be the file that was looked at
        descriptor = os.open(path, (flags | _FILE) & ~os.O_TRUNC, mode)
        try:
            if before is not None and before != _regular(path):
                raise _replaced(path)
            if flags & os.O_TRUNC:
                os.ftruncate(descriptor, 0)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def permit(self, name: str, descriptor: int, mode: int) -> None:
        """Set the permissions of a file that was opened."""
        os.chmod(self._below(name), mode)

    def is_writable(self, name: str) -> bool:
        """True if this user may write a file, or without a name make entries."""
        return os.access(self._below(name), os.W_OK if name else os.W_OK | os.X_OK)

    def give(self, name: str, owner: os.stat_result) -> None:
        """Do nothing: files have the owner and the rights that their folder gives them."""

    def link(self, name: str, target: Place, new: str) -> None:
        """Give a file a second name in another folder."""
        path = self._below(name)
        if _regular(path) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        os.link(path, target._below(new))

    def replace(self, name: str, target: Place, new: str) -> None:
        """Move an entry into another folder, replacing an entry of that name."""
        os.replace(self._below(name), target._below(new))

    def unlink(self, name: str) -> None:
        """Remove a file's name."""
        os.unlink(self._below(name))

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(self._below(name))

    def sync(self, name: str) -> None:
        """Make sure that a file survives a power cut.

        Entries of folders cannot be synced; the file system has a journal of them.
        """
        if not name:
            return
        # a descriptor that only reads cannot be synced
        descriptor = self.open(name, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _below(self, name: str) -> str:
        """The path of an entry, or without a name its own.

        Raises:
            OSError: something else is where the folder was.
        """
        if _identity(own_status(self.path)) != self.identity:
            raise _replaced(self.path)
        return os.path.join(self.path, name) if name else self.path


def own_status(path: str) -> os.stat_result:
    """The status of a file, a link's own; a junction is shown as the link that it is."""
    status = os.lstat(path)
    if not is_elsewhere(status) or stat.S_ISLNK(status.st_mode):
        return status
    mode, *rest = status[:10]
    return os.stat_result((stat.S_IFLNK | stat.S_IMODE(mode), *rest))


def is_elsewhere(status: os.stat_result) -> bool:
    """True for an entry that leads to another place: a symbolic link, a junction, a mounted volume.

    Other reparse points, such as files that are kept in a cloud, are where they are.
    """
    if stat.S_ISLNK(status.st_mode):
        return True
    return bool(getattr(status, "st_reparse_tag", 0) & _SURROGATE)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _regular(path: str) -> tuple[int, int] | None:
    """The identity of a file; None: it does not exist."""
    try:
        status = own_status(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.ELOOP, "is not a regular file", path)
    return _identity(status)


def _replaced(path: str) -> OSError:
    return OSError(errno.ESTALE, "was replaced at the same time", path)


def opened(path: str | os.PathLike[str]) -> Place:
    """A folder that the user named; links on the way are the user's own."""
    whole = os.path.realpath(path)
    status = os.stat(whole)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), whole)
    return Place(whole, _identity(status))


def hold(descriptor: int) -> bool:
    """Lock a file for as long as it is open; False: another process has it.

    The system drops the lock with its process.

    Raises:
        OSError: the file system has no locks.
    """
    import filelock  # slow to import, and readers do not need it

    return filelock.lock_descriptor(descriptor, blocking=False)


def is_held(descriptor: int) -> bool:
    """True if another process has locked a file."""
    import filelock

    if not filelock.lock_descriptor(descriptor, blocking=False):
        return True
    filelock.unlock_descriptor(descriptor)
    return False


def is_private(status: os.stat_result) -> bool:
    """True: permissions say nothing, and the home of a user is closed to others."""
    return True


def home(folder: str) -> str:
    """A folder of the user's own, by its usual path below the home."""
    return os.environ.get("LOCALAPPDATA") or os.path.expanduser(f"~/{folder}")


def shared() -> str:
    """A private folder in a place that all users share; "" if none can be made."""
    return ""


def link_or_copy(entry: str | os.PathLike[str], new: str | os.PathLike[str]) -> None:
    """Let a file or folder appear under a second path, to be read."""
    try:
        os.symlink(entry, new, target_is_directory=os.path.isdir(entry))
    except OSError:  # needs a privilege
        import shutil

        if os.path.isdir(entry):
            shutil.copytree(entry, new, ignore=shutil.ignore_patterns(".git", ".venv"))
        else:
            shutil.copyfile(entry, new)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals back until the block is done."""
    import signal
    import threading

    # they are handled in the main thread alone
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    waiting: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: waiting.append(number))
        for number in numbers
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in waiting:
            signal.raise_signal(number)
