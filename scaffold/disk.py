"""The only module that writes: all changes or none, whatever happens in between.

A transaction lives in `.scaffold/txn/`:

    new/N, old/N   what the N-th file becomes and what it was, on disk before anything moves
    commit         the record, renamed into place: from now on the change is to be completed
    abort          the same record, renamed again when completing failed: to be undone

The next command that finds a record completes or undoes it; one that finds none, but a
folder, drops the folder. A file that is neither as before nor as after was changed by
somebody else meanwhile: then nothing is touched and a person must choose.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scaffold.change import Change
from scaffold.errors import (
    Locked,
    PlanError,
    RecoveryFailed,
    StaleTree,
    UnreadableFile,
    WriteFailed,
)
from scaffold.tree import DiskTree, file_status, is_plain_folder

STATE = PurePosixPath(".scaffold")
_TRANSACTION = STATE / "txn"
_LOCK = STATE / "lock"
_MODE = 0o644
_THREADS = 8


class _Step(NamedTuple):
    """One file of a transaction, as its record has it.

    Attributes:
        path: below the root.
        old: the digest of the file before, or "" if there was none.
        new: the digest of the file after, or "" if it goes.
        mode: the permissions that it has and keeps.
    """

    path: str
    old: str
    new: str
    mode: int


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Keep every other writer out, and clear up what an interrupted one left.

    Raises:
        Locked: another run is writing.
        RecoveryFailed: what was left cannot be cleared up.
    """
    _check_state_folder(root)
    try:
        (root / STATE).mkdir(exist_ok=True)
        # Opened for appending: the holder's pid must survive our attempt.
        lock = (root / _LOCK).open("a+b")
    except OSError as error:
        raise WriteFailed(f"{_LOCK}: {error.strerror}") from error
    # The kernel drops the lock with its process. (`filelock` would do the same at a
    # third of this program's start-up.)
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Locked(lock.read().decode(errors="replace").strip()) from None
        except OSError as error:
            raise PlanError(_LOCK, f"cannot be locked: {error.strerror}") from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n".encode())
        lock.flush()
        _recover(root)
        yield


def recover(root: Path) -> None:
    """Clear up what an interrupted run left; leave alone what a running one does."""
    if (root / _TRANSACTION).exists():
        with contextlib.suppress(Locked), locked(root):
            pass


def apply(root: Path, changes: Sequence[Change]) -> None:
    """Make all changes, or none; to be called while `locked`.

    Raises:
        PlanError: a target cannot be replaced safely, or changed since it was read.
        WriteFailed: the disk refused; the tree is as before.
        RecoveryFailed: it is not, because somebody else wrote there at the same time.
    """
    changes = [change for change in changes if change.before != change.after]
    if not changes:
        return
    steps = [_step(root, change) for change in changes]
    folder = root / _TRANSACTION
    try:
        _stage(root, changes, steps)
        for change in changes:
            if DiskTree(root).read(change.path) != change.before:
                raise StaleTree(change.path)
        _commit(folder, steps)
    except BaseException as error:
        _drop(folder)
        raise _translated(error) from error
    try:
        _complete(root, steps)
    except BaseException as error:
        with _uninterrupted():
            _roll_back(root, steps)
        raise _translated(error) from error
    _drop(folder)


def remember(root: Path, path: PurePosixPath, data: bytes) -> None:
    """Keep something that can be made again; a disk that refuses is no failure."""
    with contextlib.suppress(OSError):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target.with_suffix(".new"), data, _MODE)
        target.with_suffix(".new").replace(target)


def _check_state_folder(root: Path) -> None:
    """Refuse state that leads out of the tree."""
    is_plain_folder(root, STATE)
    is_plain_folder(root, _TRANSACTION)
    file_status(root, _LOCK)


def _step(root: Path, change: Change) -> _Step:
    """The record of a change, after checking that its target can be replaced."""
    path = change.path
    if path.is_absolute() or ".." in path.parts:
        raise UnreadableFile(path, "is outside the project")
    folder = root
    for parent in reversed(path.parents):
        if is_plain_folder(root, parent):
            folder = root / parent
    status = file_status(root, path)
    if status is not None and status.st_nlink > 1:
        raise UnreadableFile(path, "has a second name (a hard link)")
    # Renaming would succeed over a file that nobody may write.
    if status is not None and not os.access(root / path, os.W_OK):
        raise PlanError(path, "may not be written")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PlanError(path, "its folder may not be written")
    mode = status.st_mode & 0o7777 if status else _MODE
    return _Step(str(path), _digest(change.before), _digest(change.after), mode)


def _stage(root: Path, changes: Sequence[Change], steps: Sequence[_Step]) -> None:
    folder = root / _TRANSACTION
    for part in (folder, folder / "new", folder / "old"):
        part.mkdir()
    for number, (change, step) in enumerate(zip(changes, steps, strict=True)):
        if change.after is not None:
            _write(folder / "new" / str(number), change.after, step.mode)
        if change.before is not None:
            _keep(root / step.path, folder / "old" / str(number), change.before, step)
    staged = [*(folder / "new").iterdir(), *(folder / "old").iterdir()]
    _sync([*staged, folder / "new", folder / "old", folder, folder.parent])


def _keep(target: Path, old: Path, data: bytes, step: _Step) -> None:
    """Keep what a target holds: a second name for it, or else a copy.

    The target is not written to but replaced, so that its old content stays as it is.
    """
    try:
        os.link(target, old)
    except FileNotFoundError:
        raise StaleTree(step.path) from None
    except OSError:
        _write(old, data, step.mode)


def _commit(folder: Path, steps: Sequence[_Step]) -> None:
    record = [[step.path, step.old, step.new, step.mode] for step in steps]
    _write(folder / "record", json.dumps(record).encode(), 0o600)
    (folder / "record").replace(folder / "commit")
    _sync([folder / "commit", folder])


def _complete(root: Path, steps: Sequence[_Step]) -> None:
    """Bring every file to what it shall be. Can be repeated."""
    new = root / _TRANSACTION / "new"
    folders: dict[Path, None] = {}
    for number, step in enumerate(steps):
        target = root / step.path
        now = _digest(DiskTree(root).read(PurePosixPath(step.path)))
        if now == step.new:
            continue
        if now != step.old:
            raise _somebody_else(step)
        if step.new:
            # A new folder's name must survive a power cut as well.
            for parent in target.parents:
                folders[parent] = None
                if parent.exists():
                    break
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(new / str(number), target)
        else:
            target.unlink()
        folders[target.parent] = None
    _sync(list(folders))


def _undo(root: Path, steps: Sequence[_Step]) -> None:
    """Bring every file back to what it was. Can be repeated."""
    old = root / _TRANSACTION / "old"
    for number, step in enumerate(steps):
        target = root / step.path
        now = _digest(DiskTree(root).read(PurePosixPath(step.path)))
        if now != step.old:
            if now != step.new:
                raise _somebody_else(step)
            if step.old:
                _replace(old / str(number), target)
            else:
                target.unlink()
        if not step.old:
            _remove_empty(root, target.parent)


def _roll_back(root: Path, steps: Sequence[_Step]) -> None:
    """Undo what `_complete` did, or leave it to the next command."""
    folder = root / _TRANSACTION
    try:
        (folder / "commit").replace(folder / "abort")
        _undo(root, steps)
        _drop(folder)
    except OSError as error:
        raise WriteFailed(
            f"{error.filename}: {error.strerror}; the next command restores the tree"
        ) from error


def _replace(new: Path, target: Path) -> None:
    """Put `new` in the place of `target`, which keeps its owner."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        there, here = target.lstat(), new.lstat()
        if (there.st_uid, there.st_gid) != (here.st_uid, here.st_gid):
            os.chown(new, there.st_uid, there.st_gid)
    new.replace(target)


def _remove_empty(root: Path, folder: Path) -> None:
    """Remove folders that hold nothing, upwards: git does not know them either."""
    while folder != root and folder != root / STATE:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = folder.parent


def _recover(root: Path) -> None:
    folder = root / _TRANSACTION
    if not folder.exists():
        return
    actions: dict[str, Callable[[Path, Sequence[_Step]], None]] = {
        "abort": _undo,
        "commit": _complete,
    }
    for name, action in actions.items():
        if (folder / name).exists():
            action(root, _record(folder / name))
    _drop(folder)


def _record(file: Path) -> list[_Step]:
    try:
        return [_Step(*values) for values in json.loads(file.read_bytes())]
    except (ValueError, TypeError) as error:
        raise RecoveryFailed(f"{file}: is damaged") from error


def _drop(folder: Path) -> None:
    """Remove a transaction's folder, its record last but for undone files' copies."""
    for name in ("record", "commit", "abort"):
        with contextlib.suppress(FileNotFoundError):
            (folder / name).unlink()
    for part in (folder / "new", folder / "old"):
        if part.exists():
            for file in part.iterdir():
                file.unlink()
            part.rmdir()
    if folder.exists():
        folder.rmdir()


def _write(file: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    descriptor = os.open(file, flags, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _sync(paths: Sequence[Path]) -> None:
    """Make sure that files, and the names in folders, survive a power cut.

    In parallel: file systems put what is asked for at the same time into one go.
    """
    rest = deque(paths)
    errors: list[BaseException] = []

    def sync_rest() -> None:
        with contextlib.suppress(IndexError):
            while not errors:
                path = rest.popleft()
                try:
                    _sync_one(path)
                except BaseException as error:  # raised again below, in one thread
                    errors.append(error)

    threads = [threading.Thread(target=sync_rest) for _ in paths[1:_THREADS]]
    for thread in threads:
        thread.start()
    sync_rest()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, OSError):
        name = error.filename or "the disk"
        return WriteFailed(f"{name}: {error.strerror}; the tree is as before")
    return error


def _somebody_else(step: _Step) -> RecoveryFailed:
    return RecoveryFailed(
        f"{step.path}: was changed by somebody else while it was being written; "
        f"what it was and was to become are in {_TRANSACTION}"
    )


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold signals back until the block is done."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
