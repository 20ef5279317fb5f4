"""One writer at a time, and recovery after an interrupted one.

The next command that writes completes or undoes an interrupted transaction, or drops one
without a record. A file in neither its old nor its new state was changed in the meantime:
then nothing is touched and a person must choose.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from scaffold.disk import folders, kept, last, platform, transaction
from scaffold.disk.folders import Folder, NotPlainError
from scaffold.disk.machine import Keys
from scaffold.disk.transaction import Step, Transaction
from scaffold.errors import ForeignTransaction, Locked, PlanError, RecoveryFailed

_LOCK = transaction.STATE / "lock"
# on Windows one byte is locked and cannot be read, so the process ID follows it
_PID_AT, _PID_LENGTH = 1, 20
_POLL_S = 0.02

Choice = Literal["", "continue", "abort"]
"""Choice for files that were changed in the meantime; "": ask."""


@contextlib.contextmanager
def locked(root: Path, choice: Choice = "", *, wait_s: float = 0) -> Iterator[None]:
    """Keep other writers out, and recover from an interrupted one.

    Args:
        root: the project's folder.
        choice: the choice for files that were changed since an interrupted run.
        wait_s: the time to wait for another run, in seconds.

    Raises:
        Locked: another run is still writing.
        RecoveryFailed: a person must choose.
        ForeignTransaction: another user or machine left it.
    """
    with _alone(root, wait_s) as (top, state):
        try:
            _recover(top, state, Keys(root), choice)
        except (OSError, NotPlainError) as error:
            raise transaction.translated(
                error, transaction.FOLDER, transaction.IN_BETWEEN
            ) from error
        yield


def recover(root: Path, choice: Choice = "") -> bool:
    """Recover from an interrupted run.

    Returns:
        True if there was one.

    Raises:
        Locked: another run is writing.
        RecoveryFailed: a person must choose.
        ForeignTransaction: another user or machine left it.
    """
    if not os.path.lexists(root / transaction.FOLDER):
        return False
    with locked(root, choice):
        return True


def set_aside(root: Path) -> list[PurePosixPath]:
    """Move transactions that this user did not write on this machine out of the way.

    Returns:
        Their new paths.

    Raises:
        Locked: another run is writing.
    """
    moved: list[PurePosixPath] = []
    keys = Keys(root)
    with _alone(root) as (top, state), transaction.worded(transaction.FOLDER):
        for path in (transaction.FOLDER, last.FOLDER):
            if state.status(path.name) is None or _is_whole(state, path, keys):
                continue
            with top.at(kept.FOLDER.parts, make=True) as folder:
                name = kept.free_name(path.name, folder.status)
                state.rename(path.name, folder, name)
            moved.append(kept.FOLDER / name)
    return moved


def _is_whole(state: Folder, path: PurePosixPath, keys: Keys) -> bool:
    """True if a transaction and its record were written by this user on this machine."""
    with state.folder(path.name) as folder:
        if not transaction.is_ours(folder, keys):
            return False
        records = [folder.read(name) for name in ("commit", "abort")]
    return all(keys.unsealed(each) is not None for each in records if each is not None)


@contextlib.contextmanager
def _alone(root: Path, wait_s: float = 0) -> Iterator[tuple[Folder, Folder]]:
    """The folders of a project and of the state, with other writers kept out."""
    with contextlib.ExitStack() as stack:
        with transaction.worded(_LOCK):
            top = stack.enter_context(folders.opened(root))
            state = stack.enter_context(top.made(str(transaction.STATE)))
            stack.callback(os.close, _lock(state, wait_s))
        yield top, state


def is_interrupted(root: Path) -> bool:
    """True if a command of this user was interrupted, and left the tree partly changed."""
    try:
        with folders.opened(root) as top, top.folder(str(transaction.STATE)) as state:
            with state.folder("txn") as folder:
                is_ours = transaction.is_ours(folder, Keys(root))
            return is_ours and not _is_held(state)
    except (OSError, NotPlainError):
        return False


def _lock(state: Folder, wait_s: float) -> int:
    """Take the lock once it is free, and return the descriptor that holds it."""
    end = time.monotonic() + wait_s
    while True:
        try:
            return _taken(state)
        except Locked:
            if time.monotonic() >= end:
                raise
        # locks of files cannot be waited for with a time limit
        time.sleep(_POLL_S)


def _taken(state: Folder) -> int:
    state.file("lock", single=True)
    lock = state.place.open("lock", os.O_RDWR | os.O_CREAT)
    try:
        _hold(lock)
        os.ftruncate(lock, 0)
        os.write(lock, f"{'':{_PID_AT}}{os.getpid()}\n".encode())
    except BaseException:
        os.close(lock)
        raise
    return lock


def _hold(lock: int) -> None:
    try:
        if platform.system.hold(lock):
            return
    except OSError as error:
        raise PlanError(_LOCK, f"cannot be locked: {error.strerror}") from error
    os.lseek(lock, _PID_AT, os.SEEK_SET)
    pid = os.read(lock, _PID_LENGTH).decode(errors="replace").strip()
    raise Locked(pid if pid.isdecimal() else "unknown")


def _is_held(state: Folder) -> bool:
    """True if another run is writing."""
    if state.file("lock") is None:
        return False
    lock = state.place.open("lock", os.O_RDONLY)
    try:
        return platform.system.is_held(lock)
    finally:
        os.close(lock)


def _recover(top: Folder, state: Folder, keys: Keys, choice: Choice) -> None:
    if state.status("txn") is None:
        return
    with state.folder("txn") as folder:
        if not transaction.is_ours(folder, keys):
            # killed before its owner was written
            if set(folder.names()) - {"owner"}:
                raise ForeignTransaction(transaction.FOLDER)
            transaction.drop(state)
            return
        made = Transaction(top, folder, keys)
        command = _finish(made, choice)
    last.keep(state, command)


def _finish(made: Transaction, choice: Choice) -> str:
    """Complete or undo the recorded transaction, unless a file was changed since.

    Returns:
        The command that is completed by it, or "".
    """
    command = ""
    actions: dict[str, Callable[[Transaction, Sequence[Step]], None]] = {
        "abort": transaction.undo,
        "commit": transaction.complete,
    }
    for name, action in actions.items():
        sealed = made.folder.read(name)
        if sealed is None:
            continue
        recorded = transaction.recorded(made.keys, sealed)
        steps = recorded.steps
        changed = [step for step in steps if _is_changed(made.top, step)]
        if changed and not choice:
            raise RecoveryFailed(
                {step.path: transaction.versions(step) for step in changed}
            )
        for step in changed:
            _set_aside(made, step)
        if choice:
            action = actions["abort" if choice == "abort" else "commit"]
        action(made, [step for step in steps if step not in changed])
        command = recorded.command if action is transaction.complete else ""
    return command


def _is_changed(top: Folder, step: Step) -> bool:
    """True if a file is in neither its old nor its new state."""
    try:
        return transaction.digest(folders.read(top, step.path)) not in (
            step.old,
            step.new,
        )
    except NotPlainError:
        return True


def _set_aside(made: Transaction, step: Step) -> None:
    """Keep both versions of a file where a person finds them, under its own path."""
    path = PurePosixPath(step.path)
    with made.top.at((kept.FOLDER / path.parent).parts, make=True) as folder:
        for part, digest in (("old", step.old), ("new", step.new)):
            word = "before" if part == "old" else "after"
            with made.folder.folder(part) as staged:
                if digest and staged.file(step.name):
                    name = kept.free_name(f"{path.name}.{word}", folder.status)
                    staged.rename(step.name, folder, name)
