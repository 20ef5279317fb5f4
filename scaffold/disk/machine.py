# ruff: noqa: PTH102, PTH112, PTH117, PTH118, PTH120, PTH123
"""Files that scaffold keeps on this machine, outside of any project.

    $XDG_STATE_HOME/scaffold/key       seals the records of transactions: only those that
                                       this user wrote on this machine are completed
    $XDG_CACHE_HOME/scaffold/check/N   the last findings of `check`, one file per project;
                                       beside it those of `regenerate`

On Windows both are below %LOCALAPPDATA% unless these variables are set.

A project may come from a stranger, so these files are never looked for inside it. `pathlib`
is not imported, to keep `verdicts` fast.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator

from scaffold.disk import platform

TYPE_CHECKING = False  # as in `typing`, which costs as much as half of Python's start
if TYPE_CHECKING:
    from scaffold.disk.posix import Place

_KEY_BYTES = 32
_SEAL_BYTES = 32


class Keys:
    """The keys of this user on this machine.

    Attributes:
        root: the project at work; a folder inside it is not used.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)

    def seal(self, data: bytes) -> bytes:
        """`data` behind a line that only the owner of the key can write.

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


def memo(root: str, command: str) -> str:
    """Path of the verdict of a command on a project; "" if it is not kept."""
    # caches of a build machine may come from another build
    if os.environ.get("CI"):
        return ""
    base = _base("XDG_CACHE_HOME", ".cache")
    if not base or _is_inside(base, root):
        return ""
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
    return f"{base}/scaffold/{command}/{name}"


def _state_folders(root: str) -> Iterator[str]:
    base = _base("XDG_STATE_HOME", ".local/state")
    if base and not _is_inside(base, root):
        yield f"{base}/scaffold"
    shared = platform.system.shared()
    if shared:  # for a read-only home, or a project inside it
        yield shared


def _base(variable: str, default: str) -> str:
    """A folder of the user's, by the rules of XDG; "": there is none."""
    base = os.environ.get(variable, "")
    if not os.path.isabs(base):
        base = platform.system.home(default)
    return base if os.path.isabs(base) else ""


def _is_inside(folder: str, root: str) -> bool:
    inner, outer = (
        os.path.join(os.path.normcase(os.path.realpath(each)), "")
        for each in (folder, root)
    )
    return inner.startswith(outer)


def _is_private(folder: str) -> bool:
    """True if a folder, in a place where everyone may create one, is this user's alone."""
    status = os.lstat(folder)
    return stat.S_ISDIR(status.st_mode) and platform.system.is_private(status)


def _read_key(folder: str) -> bytes | None:
    """The key in a folder; None: there is none, or others may know it."""
    try:
        if folder == platform.system.shared() and not _is_private(folder):
            return None
        with contextlib.closing(platform.system.opened(folder)) as place:
            file = place.open("key", os.O_RDONLY)
    except OSError:
        return None
    with open(file, "rb", buffering=0) as stream:
        status = os.fstat(file)
        if not (stat.S_ISREG(status.st_mode) and platform.system.is_private(status)):
            return None
        key = stream.read(_KEY_BYTES + 1)
    return key if len(key) == _KEY_BYTES else None


def _made_key(folder: str) -> bytes:
    """A new key, on disk before it is used; or that of another run which was faster."""
    _make(folder)
    # an unpredictable name: where others may write, it could be taken
    own = f"key.{os.urandom(8).hex()}"
    with contextlib.closing(platform.system.opened(folder)) as place:
        try:
            file = place.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(file, os.urandom(_KEY_BYTES))
                os.fsync(file)
            finally:
                os.close(file)
            _named(place, own)
        finally:
            with contextlib.suppress(FileNotFoundError):
                place.unlink(own)
        place.sync("")
    key = _read_key(folder)
    if key is None:
        raise PermissionError(1, "is not a key of yours alone", f"{folder}/key")
    return key


def _make(folder: str) -> None:
    """Make a folder and its missing parents for this user alone, and sync them."""
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    _make(parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, mode=0o700)
    with contextlib.closing(platform.system.opened(parent)) as place:
        place.sync("")


def _named(place: Place, own: str) -> None:
    """Give a key its name, unless another run was faster."""
    try:
        place.link(own, place, "key")
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        place.replace(own, place, "key")


def _mark(key: bytes, data: bytes) -> bytes:
    made = hashlib.blake2b(data, key=key, digest_size=_SEAL_BYTES)
    return made.hexdigest().encode()


def _same(first: bytes, second: bytes) -> bool:
    import hmac  # only where a transaction was interrupted

    return hmac.compare_digest(first, second)
