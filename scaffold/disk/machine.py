# ruff: noqa: PTH103, PTH104, PTH108, PTH111, PTH117, PTH123
"""Files that scaffold keeps on this machine, outside of any project.

    $XDG_STATE_HOME/scaffold/key       seals the records of transactions: only what this
                                       user wrote on this machine is ever completed
    $XDG_CACHE_HOME/scaffold/check/N   what `check` found last, one file per project

A project may come from a stranger, so nothing of this is looked for inside it. For
`verdicts` it does without `pathlib`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator

_KEY_BYTES = 32
_SEAL_BYTES = 32
_SHARED = "/var/tmp"


class Keys:
    """The keys of this user on this machine.

    Attributes:
        root: the project at work; a folder inside it is not used.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)

    def seal(self, data: bytes) -> bytes:
        """`data` behind a line that only who has the key can write.

        Raises:
            OSError: the key can neither be read nor created.
        """
        return _mark(self._key(), data) + b"\n" + data

    def unsealed(self, sealed: bytes) -> bytes | None:
        """The data behind a seal; None: it was not sealed here."""
        mark, _, data = sealed.partition(b"\n")
        for folder in _state_folders(self.root):
            key = _read_key(folder)
            if key is not None and _same(mark, _mark(key, data)):
                return data
        return None

    def _key(self) -> bytes:
        error: OSError | None = None
        for folder in _state_folders(self.root):
            try:
                return _read_key(folder) or _made_key(folder)
            except OSError as problem:
                error = error or problem
        raise error or FileNotFoundError(2, "no folder for it", "$XDG_STATE_HOME")


def memo(root: str) -> str:
    """Path of the verdict of `check` on a project; "" if it is not kept."""
    # caches of a build machine may come from another build
    if os.environ.get("CI"):
        return ""
    base = _base("XDG_CACHE_HOME", ".cache")
    if not base or _is_inside(base, root):
        return ""
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
    return f"{base}/scaffold/check/{name}"


def _state_folders(root: str) -> Iterator[str]:
    base = _base("XDG_STATE_HOME", ".local/state")
    if base and not _is_inside(base, root):
        yield f"{base}/scaffold"
    # for a read-only home, or a project inside it
    yield f"{_SHARED}/scaffold-{os.getuid()}"


def _base(variable: str, default: str) -> str:
    """A folder of the user's, by the rules of XDG; "": there is none."""
    base = os.environ.get(variable, "")
    if not os.path.isabs(base):
        base = os.path.expanduser(f"~/{default}")
    return base if os.path.isabs(base) else ""


def _is_inside(folder: str, root: str) -> bool:
    folder, root = os.path.realpath(folder), os.path.realpath(root)
    return f"{folder}/".startswith(root.rstrip("/") + "/")


def _is_private(folder: str) -> bool:
    """True if a folder, where everybody may make one, is this user's alone."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    is_own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return is_own and not status.st_mode & 0o077


def _read_key(folder: str) -> bytes | None:
    """The key in a folder; None: there is none, or others may know it."""
    if folder.startswith(f"{_SHARED}/") and not _is_private(folder):
        return None
    try:
        file = os.open(f"{folder}/key", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with open(file, "rb", buffering=0) as stream:
        status = os.fstat(file)
        is_own = stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid()
        if not is_own or status.st_mode & 0o077:
            return None
        key = stream.read(_KEY_BYTES + 1)
    return key if len(key) == _KEY_BYTES else None


def _made_key(folder: str) -> bytes:
    """A new key, on disk before it is used; that of another run which was faster."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    # an unpredictable name: where others may write, it could be taken
    own = f"{folder}/key.{os.urandom(8).hex()}"
    file = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            os.write(file, os.urandom(_KEY_BYTES))
            os.fsync(file)
        finally:
            os.close(file)
        _named(own, f"{folder}/key")
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(own)
    # imported only where a key is made: it needs pathlib
    from pathlib import Path

    from runtime.store.durable import sync

    sync(Path(folder))
    key = _read_key(folder)
    if key is None:
        raise PermissionError(1, "is not a key of yours alone", f"{folder}/key")
    return key


def _named(own: str, key: str) -> None:
    """Give a key its name, unless another run was faster."""
    try:
        os.link(own, key)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        os.rename(own, key)


def _mark(key: bytes, data: bytes) -> bytes:
    made = hashlib.blake2b(data, key=key, digest_size=_SEAL_BYTES)
    return made.hexdigest().encode()


def _same(first: bytes, second: bytes) -> bool:
    import hmac  # only where a transaction was interrupted

    return hmac.compare_digest(first, second)
