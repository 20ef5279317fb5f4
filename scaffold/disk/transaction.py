"""A change of files that is made as a whole: staged, recorded, completed or undone.

A transaction lives in `.scaffold/txn/`:

    owner              proof that it was made by this user on this machine
    new/N-NAME         the N-th file afterwards, on disk before anything moves
    old/N-NAME         the N-th file before
    commit             the record, renamed into place: from now on the change is completed
    abort              the same record, renamed again when completing failed: to be undone
    .gitignore         hides the folder from git, wherever it is moved to

A completed one is moved to `.scaffold/undo/`, which `last` reads.

A checkout may come from a stranger and contain such a folder. `owner` and the record are
sealed with a key that lies outside (`machine`); a transaction without a seal is left alone.
All paths are followed part by part (`folders`), so that no link leads out.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import stat
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scaffold.change import Change
from scaffold.disk import AS_BEFORE, folders, platform
from scaffold.disk.folders import Folder, NotPlainError
from scaffold.disk.machine import Keys
from scaffold.errors import (
    ForeignTransaction,
    PlanError,
    RecoveryFailed,
    StaleTree,
    UnreadableFile,
    WriteFailed,
)

STATE = PurePosixPath(".scaffold")
FOLDER = STATE / "txn"
IN_BETWEEN = "the tree is partly changed; `scaffold recover` restores it"
_OWNED = b"a transaction of scaffold"
_IGNORED = ".gitignore"
_THREADS = 8


class Step(NamedTuple):
    """One file of a transaction, as its record has it.

    Attributes:
        path: path below the root.
        old: the digest of the file before, or "" if there was none.
        new: the digest of the file afterwards, or "" if it is removed.
        mode: the permissions that it has and keeps; None: those of a new file.
        name: name of its versions in the transaction.
    """

    path: str
    old: str
    new: str
    mode: int | None
    name: str


class Recorded(NamedTuple):
    """The record of a transaction.

    Attributes:
        command: the command that it was made by, or "".
        steps: its files.
    """

    command: str
    steps: list[Step]


class Transaction(NamedTuple):
    """An open transaction.

    Attributes:
        top: the project's folder.
        folder: its own folder.
        keys: keys that seal its record.
    """

    top: Folder
    folder: Folder
    keys: Keys


@contextlib.contextmanager
def staged(
    root: Path,
    top: Folder,
    state: Folder,
    changes: Sequence[Change],
    record: Recorded,
) -> Iterator[Transaction]:
    """A transaction with its record in place."""
    with contextlib.ExitStack() as stack:
        try:
            state.place.mkdir(FOLDER.name)
            folder = stack.enter_context(state.folder(FOLDER.name))
            made = Transaction(top, folder, Keys(root))
            _stage(made, changes, record.steps)
            for change in changes:
                if folders.read(top, str(change.path)) != change.before:
                    raise StaleTree(change.path)
            _commit(made, record)
        except BaseException as error:
            # a transaction that cannot be dropped has no record; the next command drops it
            with (
                platform.system.uninterrupted(),
                contextlib.suppress(OSError, NotPlainError),
            ):
                drop(state)
            raise translated(error) from error
        yield made


def _stage(made: Transaction, changes: Sequence[Change], steps: Sequence[Step]) -> None:
    folder = made.folder
    folder.write("owner", _sealed(made.keys, _OWNED))
    folder.write(_IGNORED, b"*\n")
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
        _sync([(made.top, ""), (state, "")])  # the first command makes it


def _sealed(keys: Keys, data: bytes) -> bytes:
    try:
        return keys.seal(data)
    except OSError as error:
        raise WriteFailed(
            f"{error.filename}: {error.strerror}; the key of this machine is kept "
            f"there (set XDG_STATE_HOME to keep it elsewhere); {AS_BEFORE}"
        ) from error


def _keep(top: Folder, old: Folder, name: str, change: Change) -> None:
    """Keep the content of a target: a second name for it, or else a copy.

    The target is replaced instead of written to, so that its old content is not changed.
    State is copied: it is not read where it has a second name.
    """
    path = change.path
    data = change.before or b""
    if change.is_state:
        old.write(name, data)
        return
    with top.at(path.parent.parts) as folder:
        try:
            folder.place.link(path.name, old.place, name)
        except OSError:
            status = folder.file(path.name)
            old.write(name, data, stat.S_IMODE(status.st_mode) if status else None)


def _commit(made: Transaction, record: Recorded) -> None:
    data = json.dumps(record)
    made.folder.write("record", _sealed(made.keys, data.encode()), 0o600)
    # a name that outlives its content would be a record without a seal
    made.folder.sync("record")
    made.folder.rename("record", made.folder, "commit")
    made.folder.sync()


def complete(made: Transaction, steps: Sequence[Step]) -> None:
    """Bring every file to its new state. Can be repeated."""
    _bring(made, "new", [(step, step.old, step.new) for step in steps])


def undo(made: Transaction, steps: Sequence[Step]) -> None:
    """Bring every file back to its old state. Can be repeated."""
    _bring(made, "old", [(step, step.new, step.old) for step in steps])


def _bring(
    made: Transaction, part: str, moves: Sequence[tuple[Step, str, str]]
) -> None:
    """Bring files from one version to the other, which is staged in a part."""
    paths = [PurePosixPath(step.path) for step, _, _ in moves]
    with made.folder.folder(part) as staged:
        for path, (step, before, after) in zip(paths, moves, strict=True):
            _move(made.top, staged, step, before, after)
            if not after:
                _clear_up(made.top, path)
    # Also of files that an interrupted run moved, and the names of new folders.
    touched = dict.fromkeys(parent for path in paths for parent in path.parents)
    with contextlib.ExitStack() as stack:
        opened = [_opened_again(stack, made.top, path) for path in touched]
        _sync([(folder, "") for folder in opened if folder is not None])


def _move(top: Folder, staged: Folder, step: Step, before: str, after: str) -> None:
    """Bring one file from one version to the other, unless it has that already."""
    path = PurePosixPath(step.path)
    now = digest(folders.read(top, step.path))
    if now == after:
        return
    if now != before:
        raise RecoveryFailed({step.path: versions(step)})
    if not after:
        with top.at(path.parent.parts) as folder:
            folder.unlink(path.name)
        return
    if digest(staged.read(step.name)) != after:
        raise PlanError(f"{staged.path}/{step.name}", "is damaged")
    with top.at(path.parent.parts, make=True) as folder:
        _replace(staged, step.name, folder, path.name)


def versions(step: Step) -> tuple[str, str]:
    """Paths of the versions of a file before and after."""
    before = str(FOLDER / "old" / step.name) if step.old else ""
    after = str(FOLDER / "new" / step.name) if step.new else ""
    return before, after


def _opened_again(
    stack: contextlib.ExitStack, top: Folder, path: PurePosixPath
) -> Folder | None:
    """A folder, unless it went with its last file."""
    try:
        return stack.enter_context(top.at(path.parts))
    except FileNotFoundError:
        return None


def _replace(staged: Folder, name: str, folder: Folder, target: str) -> None:
    """Move a staged file to its target, which keeps its owner."""
    target_status, staged_status = folder.status(target), staged.status(name)
    owners = {
        (each.st_uid, each.st_gid)
        for each in (target_status, staged_status)
        if each is not None
    }
    if target_status is not None and len(owners) > 1:
        staged.place.give(name, target_status)
    staged.rename(name, folder, target)


def _clear_up(top: Folder, path: PurePosixPath) -> None:
    """Remove the remains of a removed file: its compiled forms, and folders without files."""
    if path.suffix == ".py":
        with (
            contextlib.suppress(OSError, NotPlainError),
            top.at(path.parent.parts) as folder,
        ):
            _remove_compiled(folder, path.stem)
    _remove_empty(top, path.parent)


def _remove_compiled(folder: Folder, stem: str) -> None:
    """Remove a module's bytecode, and the cache folder once it is empty."""
    with folder.folder("__pycache__") as cache:
        for name in cache.names():
            if name.startswith(f"{stem}.") and name.endswith(".pyc"):
                cache.unlink(name)
    folder.rmdir("__pycache__")


def _remove_empty(top: Folder, path: PurePosixPath) -> None:
    """Remove folders that hold nothing, upwards: git does not know them either."""
    while path.parts and path != STATE:
        try:
            with top.at(path.parent.parts) as parent:
                parent.rmdir(path.name)
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return
        path = path.parent


def is_ours(folder: Folder, keys: Keys) -> bool:
    """True if a transaction was made by this user on this machine."""
    owner = folder.read("owner")
    return owner is not None and keys.unsealed(owner) == _OWNED


def drop(state: Folder, name: str = FOLDER.name) -> None:
    """Remove a transaction: its record first, the proof that it is ours last."""
    try:
        with state.folder(name) as folder:
            for file in ("record", "commit", "abort", _IGNORED):
                folder.unlink(file)
            for part in ("new", "old"):
                if folder.status(part) is None:
                    continue
                with folder.folder(part) as staged:
                    for file in staged.names():
                        staged.unlink(file)
                folder.rmdir(part)
            folder.unlink("owner")
        state.rmdir(name)
    except FileNotFoundError:
        pass


def _sync(files: Sequence[tuple[Folder, str]]) -> None:
    """Make sure that files, and the names in folders, survive a power cut.

    In parallel: file systems combine requests that are made at the same time.
    """
    pending = deque(files)
    errors: list[BaseException] = []

    def sync_pending() -> None:
        with contextlib.suppress(IndexError):
            while not errors:
                folder, name = pending.popleft()
                try:
                    folder.sync(name)
                except BaseException as error:  # raised again below, in one thread
                    errors.append(error)

    threads = [threading.Thread(target=sync_pending) for _ in files[1:_THREADS]]
    for thread in threads:
        thread.start()
    sync_pending()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def recorded(keys: Keys, sealed: bytes, folder: PurePosixPath = FOLDER) -> Recorded:
    """A record.

    Raises:
        ForeignTransaction: it was not sealed here.
    """
    data = keys.unsealed(sealed)
    if data is None:
        raise ForeignTransaction(folder)
    parsed = json.loads(data)
    # an earlier version recorded the steps alone
    command, steps = parsed if isinstance(parsed[0], str) else ("", parsed)
    return Recorded(command, [Step(*values) for values in steps])


def digest(data: bytes | None) -> str:
    """The digest of a file's content; "" for a file that does not exist."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def worded(path: PurePosixPath) -> Iterator[None]:
    """Translate errors of the system into errors about a file."""
    try:
        yield
    except (OSError, NotPlainError) as error:
        raise translated(error, path) from error


def translated(
    error: BaseException,
    path: PurePosixPath = FOLDER,
    outcome: str = AS_BEFORE,
) -> BaseException:
    """An error of the system as one of ours; any other error unchanged."""
    if isinstance(error, NotPlainError):
        return UnreadableFile(error.path, error.problem)
    if isinstance(error, OSError):
        name = error.filename if isinstance(error.filename, str) else path
        return WriteFailed(f"{name}: {error.strerror}; {outcome}")
    return error
