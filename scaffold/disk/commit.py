"""Makes changes of a project's files, all or none."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from scaffold.change import Change
from scaffold.disk import AS_AFTER, folders, last, platform, transaction
from scaffold.disk.folders import Folder
from scaffold.disk.transaction import Recorded, Step, Transaction
from scaffold.errors import PlanError, StaleTree, UnreadableFile

_NAME_LENGTH = 100


def apply(root: Path, changes: Sequence[Change], command: str = "") -> str:
    """Make all changes, or none; to be called while `locked`.

    Args:
        root: the project's folder.
        changes: changes of its files.
        command: the command that makes them, which `last` keeps for `undo`; "" to keep
            the one before.

    Returns:
        a message about files that could not be cleared up, or "".

    Raises:
        PlanError: a target cannot be replaced safely, or changed since it was read.
        WriteFailed: writing failed; the tree is as before.
        RecoveryFailed: the tree is partly changed, since another program wrote there at
            the same time.
    """
    changes = [change for change in changes if change.before != change.after]
    if not changes:
        return ""
    with (
        transaction.worded(transaction.FOLDER),
        folders.opened(root) as top,
        top.folder(str(transaction.STATE)) as state,
    ):
        steps = [_step(top, *each) for each in enumerate(changes)]
        record = Recorded(command, steps)
        with transaction.staged(root, top, state, changes, record) as made:
            try:
                transaction.complete(made, steps)
            except BaseException as error:
                with platform.system.uninterrupted():
                    _roll_back(state, made, steps)
                raise transaction.translated(error) from error
            with standing():
                return _put_away(state, made.folder, command)


def permissions(root: Path, path: PurePosixPath) -> int | None:
    """The permissions of a file; None: it does not exist.

    Raises:
        UnreadableFile: it is not a regular file.
    """
    with (
        transaction.worded(path),
        folders.opened(root) as top,
        _nearest(top, path) as (folder, is_parent),
    ):
        status = folder.file(path.name) if is_parent else None
        return None if status is None else stat.S_IMODE(status.st_mode)


def make(folder: Path) -> None:
    """Make a folder that becomes a project, if it does not exist.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)


def overwrite(file: Path, data: bytes) -> None:
    """Write in place to a file that another program created for this purpose.

    Raises:
        OSError: writing failed.
    """
    file.write_bytes(data)


def create(file: Path, data: bytes) -> None:
    """Write a file that the user named, whole or not at all; a link is replaced.

    Raises:
        OSError: writing failed.
    """
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        new.write_bytes(data)
        new.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


@contextlib.contextmanager
def standing() -> Iterator[None]:
    """Report an interruption in the block as one after the changes were made."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(AS_AFTER) from None


def _step(top: Folder, number: int, change: Change) -> Step:
    """The record of a change, after checking that its target can be replaced."""
    path, mode = change.path, change.mode
    with transaction.worded(path), _nearest(top, path) as (folder, is_parent):
        status = folder.file(path.name, single=True) if is_parent else None
        if status is not None:
            mode = stat.S_IMODE(status.st_mode)
            # Renaming would also replace a read-only file.
            if not folder.place.is_writable(path.name):
                raise PlanError(path, "is not writable")
        elif change.before is not None:
            raise StaleTree(path)
        if not folder.place.is_writable(""):
            raise PlanError(path, "its folder is not writable")
    name = f"{number}-{path.name[-_NAME_LENGTH:]}"
    old, new = transaction.digest(change.before), transaction.digest(change.after)
    return Step(str(path), old, new, mode, name)


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


def _roll_back(state: Folder, made: Transaction, steps: Sequence[Step]) -> None:
    """Undo `transaction.complete`, or leave that to the next command."""
    try:
        made.folder.rename("commit", made.folder, "abort")
        # or else a power cut could bring back a record whose files are gone
        made.folder.sync()
        transaction.undo(made, steps)
        transaction.drop(state)
    except OSError as error:
        raise transaction.translated(
            error, transaction.FOLDER, transaction.IN_BETWEEN
        ) from error


def _put_away(state: Folder, folder: Folder, command: str) -> str:
    """Keep or drop a completed transaction; the reason why it could not be done, or ""."""
    try:
        with platform.system.uninterrupted():
            problem = last.keep(state, command)
    except OSError as error:
        return (
            f"{AS_AFTER}, but {folder.path} could not be removed ({error.strerror}); "
            "the next command that writes removes it"
        )
    return f"{AS_AFTER}, but cannot be undone: {problem}" if problem else ""
