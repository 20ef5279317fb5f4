"""Finds uncommitted lines that a change would lose.

Merging keeps hand edits, so it needs no clean tree. Only lines that a change removes
(`--on-conflict generated`, `--discard-edits`) are looked for in git's index.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from scaffold.disk import git
from scaffold.errors import PlanError, Uncommitted
from scaffold.generate import ChangeSet
from scaffold.outcomes import Moved
from scaffold.project import Project

_WORD = re.compile(r"\w+")
_TIMEOUT_S = 60


def refuse_losses(project: Project, result: ChangeSet) -> None:
    """Check that no line is lost that was edited by hand and is not in git.

    Only files that would change are looked at. Without git there is nothing to check.

    Raises:
        Uncommitted: lines would be lost; each file is reported.
    """
    if any(isinstance(each, Moved) for each in result.outcomes):
        return  # a rename carries the edits
    lost = dict(_lost(result))
    if not lost or not git.top(project.root):
        return
    unknown = _unknown(project.root, lost)
    errors = [
        PlanError(f"{path}:{line}", _problem(text))
        for path, (line, text) in lost.items()
        if path in unknown
    ]
    if errors:
        paths = [str(error.path) for error in errors]
        raise Uncommitted(errors, fix=shlex.join(["git", "add", "--", *paths]))


def _problem(text: str) -> str:
    shown = text.strip()
    return (
        f"an uncommitted line would be lost: {shown!r}. Commit or stage the file, or pass "
        "--allow-dirty"
    )


def _lost(result: ChangeSet) -> Iterator[tuple[PurePosixPath, tuple[int, str]]]:
    """The first line of each file that a change removes and scaffold did not write."""
    ours: dict[PurePosixPath, list[str]] = defaultdict(list)
    roles = {}
    for each in result.outcomes:
        ours[each.path] += [each.text, each.base or ""]
        roles[each.path] = each.role
    for change in result.changes:
        # changing the spec is the purpose of its command
        if change.before is None or change.is_state or roles.get(change.path) == "spec":
            continue
        kept = _words(_text(change.after), *ours[change.path])
        for number, line in enumerate(_text(change.before).split("\n"), start=1):
            # a line that is reformatted, or joined with another import, is not lost
            if not _words(line) <= kept:
                yield change.path, (number, line)
                break


def _unknown(root: Path, paths: Iterable[PurePosixPath]) -> set[PurePosixPath]:
    """The files whose content is not in git's index; none if git does not know."""
    # the option keeps git from running a program that the repository names
    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "-z", "-m", "-o", "--"]
    try:
        done = subprocess.run(
            [*command, *map(str, paths)],
            cwd=root,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return set()
    if done.returncode:
        return set()
    names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    return {PurePosixPath(name) for name in names if name}


def _words(*texts: str) -> set[str]:
    return {word for text in texts for word in _WORD.findall(text)}


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")
