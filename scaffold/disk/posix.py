# ruff: noqa: PTH111, PTH208, PTH211 - paths would lead through links; `pathlib` is slow to import
"""Calls of POSIX systems. A folder is an open descriptor, so its path may change meanwhile.

See `platform`; `windows` is the counterpart.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

SHARED = "/var/tmp"
"""The folder in which every user may create one, for a machine without homes."""

OUTSIDE = frozenset("/\0")
"""Characters that no name of an entry has."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Place:
    """An open folder."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)

    def again(self) -> Place:
        """The same folder, to be closed on its own."""
        return Place(os.dup(self._descriptor))

    def inner(self, name: str) -> Place:
        """A folder in it.

        Raises:
            NotADirectoryError: it is a link, or not a folder.
        """
        flags = _FOLDER | os.O_NOFOLLOW
        return Place(os.open(name, flags, dir_fd=self._descriptor))

    def mkdir(self, name: str) -> None:
        """Make a folder in it."""
        os.mkdir(name, dir_fd=self._descriptor)

    def status(self, name: str) -> os.stat_result:
        """The status of an entry; a link's own."""
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    def names(self) -> list[str]:
        """Its entries."""
        return os.listdir(self._descriptor)

    def open(self, name: str, flags: int, mode: int = 0o666) -> int:
        """The descriptor of a file in it."""
        return os.open(name, flags | _FILE, mode, dir_fd=self._descriptor)

    def permit(self, name: str, descriptor: int, mode: int) -> None:
        """Set the permissions of a file that was opened."""
        os.fchmod(descriptor, mode)

    def is_writable(self, name: str) -> bool:
        """True if this user may write a file, or without a name make entries."""
        wanted = os.W_OK if name else os.W_OK | os.X_OK
        return os.access(name or ".", wanted, dir_fd=self._descriptor)

    def give(self, name: str, owner: os.stat_result) -> None:
        """Give a file the owner of another one, as far as this user may."""
        with contextlib.suppress(PermissionError):
            os.chown(
                name,
                owner.st_uid,
                owner.st_gid,
                dir_fd=self._descriptor,
                follow_symlinks=False,
            )

    def link(self, name: str, target: Place, new: str) -> None:
        """Give a file a second name in another folder."""
        os.link(
            name,
            new,
            src_dir_fd=self._descriptor,
            dst_dir_fd=target._descriptor,
            follow_symlinks=False,
        )

    def replace(self, name: str, target: Place, new: str) -> None:
        """Move an entry into another folder, replacing an entry of that name."""
        os.replace(
            name, new, src_dir_fd=self._descriptor, dst_dir_fd=target._descriptor
        )

    def unlink(self, name: str) -> None:
        """Remove a file's name."""
        os.unlink(name, dir_fd=self._descriptor)

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(name, dir_fd=self._descriptor)

    def sync(self, name: str) -> None:
        """Make sure that a file, or without a name the entries, survive a power cut."""
        descriptor = self.open(name or ".", os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def opened(path: str | os.PathLike[str]) -> Place:
    """A folder that the user named; links on the way are the user's own."""
    return Place(os.open(path, _FOLDER))


def hold(descriptor: int) -> bool:
    """Lock a file for as long as it is open; False: another process has it.

    The kernel drops the lock with its process.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(descriptor: int) -> bool:
    """True if another process has locked a file."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def is_private(status: os.stat_result) -> bool:
    """True if only this user can read or write a file."""
    return status.st_uid == os.getuid() and not status.st_mode & 0o077


def home(folder: str) -> str:
    """A folder of the user's own, by its usual path below the home."""
    return os.path.expanduser(f"~/{folder}")


def shared() -> str:
    """A private folder in a place that all users share; "" if none can be made."""
    return f"{SHARED}/scaffold-{os.getuid()}"


def link_or_copy(entry: str | os.PathLike[str], new: str | os.PathLike[str]) -> None:
    """Let a file or folder appear under a second path, to be read."""
    os.symlink(entry, new)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold signals back until the block is done."""
    import signal  # slow to import, and readers do not need it

    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
