"""The last command that wrote, kept so that it can be undone.

A completed transaction is moved to `.scaffold/undo/`, where it replaces the one before:
its record has the digests of every file before and after, and `old/` the replaced files.
"""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scaffold.change import Change
from scaffold.disk import folders, kept, transaction
from scaffold.disk.folders import Folder, NotPlainError
from scaffold.disk.machine import Keys
from scaffold.disk.transaction import Step
from scaffold.errors import PlanError

FOLDER = transaction.STATE / "undo"


class Touched(NamedTuple):
    """A file that was changed after the last command.

    Attributes:
        change: the change that undoes the command and the later edit.
        kept: the path at which its version before the command can be kept.
    """

    change: Change
    kept: PurePosixPath


class Last(NamedTuple):
    """The last command that wrote.

    Attributes:
        command: its name.
        changes: the changes that undo it.
        touched: the files that were changed since.
    """

    command: str
    changes: tuple[Change, ...]
    touched: tuple[Touched, ...]


def keep(state: Folder, command: str) -> str:
    """Keep the completed transaction; one without a command is dropped.

    Args:
        state: the folder of the generator's state.
        command: the command that it was made by, or "".

    Returns:
        The reason why it could not be kept, or "".

    Raises:
        OSError: it could not be dropped either.
    """
    problem = ""
    if command:
        try:
            transaction.drop(state, FOLDER.name)
            state.rename(transaction.FOLDER.name, state, FOLDER.name)
            return ""
        except OSError as error:
            problem = f"{FOLDER}: {error.strerror}"
        except NotPlainError as error:
            problem = str(error)
    transaction.drop(state)
    return problem


def read(root: Path) -> Last | None:
    """The last command that wrote; None if no command is kept.

    Raises:
        PlanError: a kept version is damaged.
        ForeignTransaction: another user or machine kept it.
        UnreadableFile: a file is a link, or cannot be read.
    """
    with (
        transaction.worded(FOLDER),
        folders.opened(root) as top,
        folders.Walk(top) as walk,
    ):
        keys = Keys(root)
        sealed = walk.read(f"{FOLDER}/commit")
        if sealed is None:
            return None
        record = transaction.recorded(keys, sealed, FOLDER)
        changes: list[Change] = []
        touched: list[Touched] = []
        for step in record.steps:
            now = walk.read(step.path)
            path, digest = PurePosixPath(step.path), transaction.digest(now)
            if digest == step.old or (digest != step.new and _is_set_aside(top, step)):
                continue
            before, mode = _before(top, step)
            change = Change(path, now, before, mode)
            if digest != step.new:
                touched.append(Touched(change, _free(walk, path)))
                continue
            changes.append(change)
    return Last(record.command, tuple(changes), tuple(touched))


def _free(walk: folders.Walk, path: PurePosixPath) -> PurePosixPath:
    """A path for its version before the command, where no version is kept yet."""
    folder = kept.FOLDER / path.parent
    name = f"{path.name}.before"
    return folder / kept.free_name(name, lambda each: walk.read(str(folder / each)))


def _is_set_aside(top: Folder, step: Step) -> bool:
    """True if the command was recovered without this file, whose versions a person has."""
    if not step.old:
        return False
    with top.at((FOLDER / "old").parts) as old:
        return old.status(step.name) is None


def _before(top: Folder, step: Step) -> tuple[bytes | None, int | None]:
    """A file before the command, and its permissions."""
    if not step.old:
        return None, None
    kept = f"{FOLDER}/old/{step.name}"
    with top.at((FOLDER / "old").parts) as old:
        data, status = old.read(step.name, single=True), old.status(step.name)
    if data is None or status is None or transaction.digest(data) != step.old:
        raise PlanError(kept, "is damaged, so the last command cannot be undone")
    return data, stat.S_IMODE(status.st_mode)
