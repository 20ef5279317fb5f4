"""The only module that writes in a project: all changes or none, whatever happens.

A transaction lives in `.scaffold/txn/`:

    owner              proof that it was made by this user on this machine
    new/N-NAME         what the N-th file becomes, on disk before anything moves
    old/N-NAME         what it was
    commit             the record, renamed into place: from now on the change is completed
    abort              the same record, renamed again when completing failed: to be undone

The next command that writes completes or undoes it; one without a record is dropped. A
file that is neither as before nor as after was changed by somebody else meanwhile: then
nothing is touched and a person must choose.

A checkout may come from a stranger, with such a folder in it. `owner` and the record are
sealed with a key that lies outside (`scaffold.machine`); what has no seal is left alone.
All paths are followed part by part (`scaffold.folders`), so that no link leads out.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import signal
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from scaffold import folders
from scaffold.change import Change
from scaffold.errors import (
    ForeignTransaction,
    Locked,
    PlanError,
    RecoveryFailed,
    StaleTree,
    UnreadableFile,
    WriteFailed,
)
from scaffold.folders import Folder, NotPlainError
from scaffold.machine import Keys

STATE = PurePosixPath(".scaffold")
_TRANSACTION = STATE / "txn"
_LOCK = STATE / "lock"
_KEPT = STATE / "kept"
_OWNED = b"a transaction of scaffold"
_THREADS = 8
_NAME_LENGTH = 100
_PID_LENGTH = 20
_AS_BEFORE = "the tree is as before"
_AS_AFTER = "the changes were made"
_IN_BETWEEN = "the tree is partly changed; `scaffold recover` restores it"

Choice = Literal["", "continue", "abort"]
"""Choice where somebody changed a file meanwhile; "": ask."""


class _Step(NamedTuple):
    """One file of a transaction, as its record has it.

    Attributes:
        path: below the root.
        old: the digest of the file before, or "" if there was none.
        new: the digest of the file after, or "" if it goes.
        mode: the permissions that it has and keeps; None: those of a new file.
        name: what its versions are called in the transaction.
    """

    path: str
    old: str
    new: str
    mode: int | None
    name: str


class _Transaction(NamedTuple):
    """An open transaction.

    Attributes:
        top: the project's folder.
        folder: its own folder.
        keys: what seals its record.
    """

    top: Folder
    folder: Folder
    keys: Keys


@contextlib.contextmanager
def locked(root: Path, choice: Choice = "") -> Iterator[None]:
    """Keep every other writer out, and clear up what an interrupted one left.

    Raises:
        Locked: another run is writing.
        RecoveryFailed: what was left cannot be cleared up.
        ForeignTransaction: it was left by somebody else.
    """
    with contextlib.ExitStack() as stack:
        with _worded(_LOCK):
            top = stack.enter_context(folders.opened(root))
            state = stack.enter_context(top.made(str(STATE)))
            # The kernel drops the lock with its process. (`filelock` would do the same
            # at a third of this program's start-up.)
            stack.callback(os.close, _lock(state))
        try:
            _recover(top, state, Keys(root), choice)
        except (OSError, NotPlainError) as error:
            raise _translated(error, _TRANSACTION, _IN_BETWEEN) from error
        yield


def recover(root: Path, choice: Choice = "") -> bool:
    """Clear up what an interrupted run left.

    Returns:
        whether there was something.

    Raises:
        Locked: another run is writing.
        RecoveryFailed: a person must choose.
        ForeignTransaction: it was left by somebody else.
    """
    if not os.path.lexists(root / _TRANSACTION):
        return False
    with locked(root, choice):
        return True


def is_interrupted(root: Path) -> bool:
    """True if a command of this user was interrupted, and left the tree in between."""
    try:
        with folders.opened(root) as top, top.folder(str(STATE)) as state:
            if _is_held(state):
                return False
            with state.folder("txn") as folder:
                return _is_ours(folder, Keys(root))
    except (OSError, NotPlainError):
        return False


def apply(root: Path, changes: Sequence[Change]) -> str:
    """Make all changes, or none; to be called while `locked`.

    Returns:
        a message about files that could not be cleared up, or "".

    Raises:
        PlanError: a target cannot be replaced safely, or changed since it was read.
        WriteFailed: the disk refused; the tree is as before.
        RecoveryFailed: it is not, because somebody else wrote there at the same time.
    """
    changes = [change for change in changes if change.before != change.after]
    if not changes:
        return ""
    with (
        _worded(_TRANSACTION),
        folders.opened(root) as top,
        top.folder(str(STATE)) as state,
    ):
        steps = [_step(top, *each) for each in enumerate(changes)]
        with _staged(root, top, state, changes, steps) as made:
            try:
                _complete(made, steps)
            except BaseException as error:
                with _uninterrupted():
                    _roll_back(state, made, steps)
                raise _translated(error) from error
            with standing():
                return _cleared(state, made.folder)


def overwrite(file: Path, data: bytes) -> None:
    """Write a file that another program made to be written, in place.

    Raises:
        OSError: the disk refused.
    """
    file.write_bytes(data)


@contextlib.contextmanager
def standing() -> Iterator[None]:
    """Report an interruption in the block as one after the changes were made."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_AS_AFTER) from None


def _lock(state: Folder) -> int:
    """Take the lock; the descriptor that holds it."""
    state.file("lock", single=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    lock = os.open("lock", flags, 0o666, dir_fd=state.descriptor)
    try:
        _hold(lock)
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
    except BaseException:
        os.close(lock)
        raise
    return lock


def _hold(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(lock, _PID_LENGTH, 0).decode(errors="replace").strip()
        raise Locked(pid if pid.isdecimal() else "unknown") from None
    except OSError as error:
        raise PlanError(_LOCK, f"cannot be locked: {error.strerror}") from error


def _is_held(state: Folder) -> bool:
    """True if another run is writing."""
    if state.file("lock") is None:
        return False
    lock = os.open("lock", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=state.descriptor)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _step(top: Folder, number: int, change: Change) -> _Step:
    """The record of a change, after checking that its target can be replaced."""
    path, mode = change.path, None
    with _worded(path), _nearest(top, path) as (folder, is_parent):
        status = folder.file(path.name, single=True) if is_parent else None
        if status is not None:
            mode = stat.S_IMODE(status.st_mode)
            # Renaming would succeed over a file that nobody may write.
            if not os.access(path.name, os.W_OK, dir_fd=folder.descriptor):
                raise PlanError(path, "may not be written")
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder.descriptor):
            raise PlanError(path, "its folder may not be written")
    name = f"{number}-{path.name[-_NAME_LENGTH:]}"
    old, new = _digest(change.before), _digest(change.after)
    return _Step(str(path), old, new, mode, name)


@contextlib.contextmanager
def _nearest(top: Folder, path: PurePosixPath) -> Iterator[tuple[Folder, bool]]:
    """The deepest existing folder above a file; True if it is the file's own."""
    parts = path.parent.parts
    if path.is_absolute():
        raise UnreadableFile(path, "is outside the project")
    for count in range(len(parts), -1, -1):
        try:
            folder = top.at(parts[:count])
        except FileNotFoundError:
            continue
        with folder:
            yield folder, count == len(parts)
        return


@contextlib.contextmanager
def _staged(
    root: Path,
    top: Folder,
    state: Folder,
    changes: Sequence[Change],
    steps: Sequence[_Step],
) -> Iterator[_Transaction]:
    """A transaction with its record in place."""
    with contextlib.ExitStack() as stack:
        try:
            os.mkdir("txn", dir_fd=state.descriptor)
            folder = stack.enter_context(state.folder("txn"))
            made = _Transaction(top, folder, Keys(root))
            _stage(made, changes, steps)
            for change in changes:
                if folders.read(top, str(change.path)) != change.before:
                    raise StaleTree(change.path)
            _commit(made, steps)
        except BaseException as error:
            # what cannot be dropped has no record, and the next command drops it
            with _uninterrupted(), contextlib.suppress(OSError, NotPlainError):
                _drop(state)
            raise _translated(error) from error
        yield made


def _stage(
    made: _Transaction, changes: Sequence[Change], steps: Sequence[_Step]
) -> None:
    folder = made.folder
    folder.write("owner", _sealed(made.keys, _OWNED))
    with folder.made("new") as new, folder.made("old") as old:
        files: list[tuple[Folder, str]] = []
        for change, step in zip(changes, steps, strict=True):
            if change.after is not None:
                new.write(step.name, change.after, step.mode)
                files.append((new, step.name))
            if change.before is not None:
                _keep(made.top, old, step.name, change)
                files.append((old, step.name))
        _sync([*files, (folder, "owner"), (new, ""), (old, ""), (folder, "")])
    with made.top.folder(str(STATE)) as state:
        state.sync()


def _sealed(keys: Keys, data: bytes) -> bytes:
    try:
        return keys.seal(data)
    except OSError as error:
        raise WriteFailed(
            f"{error.filename}: {error.strerror}; the key of this machine is kept "
            f"there (set XDG_STATE_HOME to keep it elsewhere); {_AS_BEFORE}"
        ) from error


def _keep(top: Folder, old: Folder, name: str, change: Change) -> None:
    """Keep what a target holds: a second name for it, or else a copy.

    The target is not written to but replaced, so that its old content stays as it is.
    State is copied: it is not read where it has a second name.
    """
    path = change.path
    data = change.before or b""
    if change.is_state:
        old.write(name, data)
        return
    with top.at(path.parent.parts) as folder:
        try:
            os.link(
                path.name,
                name,
                src_dir_fd=folder.descriptor,
                dst_dir_fd=old.descriptor,
                follow_symlinks=False,
            )
        except FileNotFoundError:
            raise StaleTree(path) from None
        except OSError:
            status = folder.file(path.name)
            old.write(name, data, stat.S_IMODE(status.st_mode) if status else None)


def _commit(made: _Transaction, steps: Sequence[_Step]) -> None:
    record = json.dumps([list(step) for step in steps])
    made.folder.write("record", _sealed(made.keys, record.encode()), 0o600)
    made.folder.rename("record", made.folder, "commit")
    _sync([(made.folder, "commit"), (made.folder, "")])


def _complete(made: _Transaction, steps: Sequence[_Step]) -> None:
    """Bring every file to what it shall be. Can be repeated."""
    touched: dict[PurePosixPath, None] = {}
    with made.folder.folder("new") as new:
        for step in steps:
            if _move(made.top, new, step, step.old, step.new):
                # A new folder's name must survive a power cut as well.
                touched |= dict.fromkeys(PurePosixPath(step.path).parents)
    with contextlib.ExitStack() as stack:
        opened = [_opened_again(stack, made.top, path) for path in touched]
        _sync([(folder, "") for folder in opened if folder is not None])


def _undo(made: _Transaction, steps: Sequence[_Step]) -> None:
    """Bring every file back to what it was. Can be repeated."""
    with made.folder.folder("old") as old:
        for step in steps:
            _move(made.top, old, step, step.new, step.old)
            if not step.old:
                _remove_empty(made.top, PurePosixPath(step.path).parent)


def _move(top: Folder, staged: Folder, step: _Step, before: str, after: str) -> bool:
    """Bring one file from one version to the other; True if it was not there yet."""
    path = PurePosixPath(step.path)
    now = _digest(folders.read(top, step.path))
    if now == after:
        return False
    if now != before:
        raise RecoveryFailed({step.path: _versions(step)})
    if not after:
        with top.at(path.parent.parts) as folder:
            folder.unlink(path.name)
        return True
    if _digest(staged.read(step.name)) != after:
        raise PlanError(f"{staged.path}/{step.name}", "is damaged")
    with top.at(path.parent.parts, make=True) as folder:
        _replace(staged, step.name, folder, path.name)
    return True


def _versions(step: _Step) -> tuple[str, str]:
    """Paths of the versions of a file before and after."""
    before = str(_TRANSACTION / "old" / step.name) if step.old else ""
    after = str(_TRANSACTION / "new" / step.name) if step.new else ""
    return before, after


def _opened_again(
    stack: contextlib.ExitStack, top: Folder, path: PurePosixPath
) -> Folder | None:
    """A folder, unless it went with its last file."""
    try:
        return stack.enter_context(top.at(path.parts))
    except FileNotFoundError:
        return None


def _roll_back(state: Folder, made: _Transaction, steps: Sequence[_Step]) -> None:
    """Undo what `_complete` did, or leave it to the next command."""
    try:
        made.folder.rename("commit", made.folder, "abort")
        _undo(made, steps)
        _drop(state)
    except OSError as error:
        raise _translated(error, _TRANSACTION, _IN_BETWEEN) from error


def _replace(staged: Folder, name: str, folder: Folder, target: str) -> None:
    """Put a staged file in the place of its target, which keeps its owner."""
    there, here = folder.status(target), staged.status(name)
    if there is not None and here is not None:
        with contextlib.suppress(PermissionError):
            if (there.st_uid, there.st_gid) != (here.st_uid, here.st_gid):
                os.chown(
                    name,
                    there.st_uid,
                    there.st_gid,
                    dir_fd=staged.descriptor,
                    follow_symlinks=False,
                )
    staged.rename(name, folder, target)


def _remove_empty(top: Folder, path: PurePosixPath) -> None:
    """Remove folders that hold nothing, upwards: git does not know them either."""
    while path.parts and path != STATE:
        try:
            with top.at(path.parent.parts) as parent:
                parent.rmdir(path.name)
        except FileNotFoundError:
            pass
        except OSError:
            return
        path = path.parent


def _recover(top: Folder, state: Folder, keys: Keys, choice: Choice) -> None:
    if state.status("txn") is None:
        return
    with state.folder("txn") as folder:
        if not _is_ours(folder, keys):
            # killed before its owner was written
            if set(folder.names()) - {"owner"}:
                raise ForeignTransaction(_TRANSACTION)
            _drop(state)
            return
        made = _Transaction(top, folder, keys)
        _finish(made, choice)
    _drop(state)


def _finish(made: _Transaction, choice: Choice) -> None:
    """Complete or undo what is recorded, where nobody changed a file meanwhile."""
    actions: dict[str, Callable[[_Transaction, Sequence[_Step]], None]] = {
        "abort": _undo,
        "commit": _complete,
    }
    for name, action in actions.items():
        sealed = made.folder.read(name)
        if sealed is None:
            continue
        steps = _record(made.keys, sealed)
        changed = [step for step in steps if _is_changed(made.top, step)]
        if changed and not choice:
            raise RecoveryFailed({step.path: _versions(step) for step in changed})
        for step in changed:
            _set_aside(made, step)
        if choice:
            action = actions["abort" if choice == "abort" else "commit"]
        action(made, [step for step in steps if step not in changed])


def _is_changed(top: Folder, step: _Step) -> bool:
    """True if a file is neither as before nor as after."""
    try:
        return _digest(folders.read(top, step.path)) not in (step.old, step.new)
    except NotPlainError:
        return True


def _set_aside(made: _Transaction, step: _Step) -> None:
    """Keep both versions of a file where a person finds them, under its own path."""
    path = PurePosixPath(step.path)
    with made.top.at([*_KEPT.parts, *path.parent.parts], make=True) as kept:
        for part, digest in (("old", step.old), ("new", step.new)):
            word = "before" if part == "old" else "after"
            with made.folder.folder(part) as staged:
                if digest and staged.file(step.name):
                    staged.rename(step.name, kept, _free(kept, f"{path.name}.{word}"))


def _free(folder: Folder, name: str) -> str:
    """A name that nothing has yet."""
    tries = itertools.chain([name], (f"{name}.{n}" for n in itertools.count(2)))
    return next(each for each in tries if folder.status(each) is None)


def _record(keys: Keys, sealed: bytes) -> list[_Step]:
    data = keys.unsealed(sealed)
    if data is None:
        raise ForeignTransaction(_TRANSACTION)
    return [_Step(*values) for values in json.loads(data)]


def _is_ours(folder: Folder, keys: Keys) -> bool:
    """True if a transaction was made by this user on this machine."""
    owner = folder.read("owner")
    return owner is not None and keys.unsealed(owner) == _OWNED


def _cleared(state: Folder, folder: Folder) -> str:
    """Drop a transaction that is completed; the reason why it could not be, or ""."""
    try:
        with _uninterrupted():
            _drop(state)
    except OSError as error:
        return (
            f"{_AS_AFTER}, but {folder.path} could not be removed ({error.strerror}); "
            "the next command that writes removes it"
        )
    return ""


def _drop(state: Folder) -> None:
    """Remove a transaction: its record first, what shows that it is ours last."""
    try:
        with state.folder("txn") as folder:
            for name in ("record", "commit", "abort"):
                folder.unlink(name)
            for part in ("new", "old"):
                if folder.status(part) is None:
                    continue
                with folder.folder(part) as staged:
                    for name in staged.names():
                        staged.unlink(name)
                folder.rmdir(part)
            folder.unlink("owner")
        state.rmdir("txn")
    except FileNotFoundError:
        pass


def _sync(files: Sequence[tuple[Folder, str]]) -> None:
    """Make sure that files, and the names in folders, survive a power cut.

    In parallel: file systems put what is asked for at the same time into one go.
    """
    rest = deque(files)
    errors: list[BaseException] = []

    def sync_rest() -> None:
        with contextlib.suppress(IndexError):
            while not errors:
                folder, name = rest.popleft()
                try:
                    folder.sync(name)
                except BaseException as error:  # raised again below, in one thread
                    errors.append(error)

    threads = [threading.Thread(target=sync_rest) for _ in files[1:_THREADS]]
    for thread in threads:
        thread.start()
    sync_rest()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def _worded(path: PurePosixPath) -> Iterator[None]:
    """Translate errors of the system into errors about a file."""
    try:
        yield
    except (OSError, NotPlainError) as error:
        raise _translated(error, path) from error


def _translated(
    error: BaseException,
    path: PurePosixPath = _TRANSACTION,
    outcome: str = _AS_BEFORE,
) -> BaseException:
    if isinstance(error, NotPlainError):
        return UnreadableFile(error.path, error.problem)
    if isinstance(error, OSError):
        name = error.filename if isinstance(error.filename, str) else path
        return WriteFailed(f"{name}: {error.strerror}; {outcome}")
    return error


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold signals back until the block is done."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
