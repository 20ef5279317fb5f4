"""`scaffold merge-driver`: git's merge driver for shared files and records.

scaffold merge-driver %O %A %B %P
"""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from scaffold import branches, project
from scaffold.disk import commit, git, recovery
from scaffold.errors import ScaffoldError, UsageError
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import DiskTree


def merge(files: Sequence[Path], name: str) -> Report:
    """Merge three files into the second one, as git asks its drivers to.

    Args:
        files: the versions base, ours and theirs.
        name: the path of the file in the checkout, seen from the current folder.

    Returns:
        A report with exit code 1 if a conflict is left.

    Raises:
        UsageError: a version cannot be read or written, or git is missing.
    """
    try:
        versions = branches.Versions(*(file.read_bytes() for file in files))
        merged = branches.by_lines(versions)
        # git must find its own conflict in the file, even after a failure
        commit.overwrite(files[1], merged.data)
        with contextlib.suppress(ScaffoldError):  # such as settings in conflict
            found = project.find(Path(name).parent)
            path = PurePosixPath(
                Path(name).resolve().relative_to(found.root).as_posix()
            )
            merged = branches.by_entries(path, versions, merged, found.package)
            commit.overwrite(files[1], merged.data)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    return Report("merge-driver", exit_code=0 if merged.is_clean else 1)


def install(found: Project) -> Report:
    """Have git merge this checkout with the driver.

    Raises:
        UsageError: the project is not in a git checkout, or git refuses.
    """
    command = [sys.executable, "-P", "-m", "scaffold", "merge-driver"]
    settings = {
        "merge.scaffold.name": "registrations of scaffold",
        "merge.scaffold.driver": f"{shlex.join(command)} %O %A %B %P",
    }
    for key, value in settings.items():
        _git(found.root, "config", "--local", key, value)
    change = branches.attributed(DiskTree(found.root), found.package)
    with recovery.locked(found.root):
        note = commit.apply(found.root, [change])
    return Report(
        "merge-driver",
        summary="git now merges registrations with scaffold in this checkout",
        next=(
            [f"git add {change.path}; git commit -m 'Merge registrations by scaffold'"]
            if change.before != change.after
            else []
        ),
        notes=[note] if note else [],
    )


def _git(folder: Path, *arguments: str) -> None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise UsageError(f"git: {error.strerror}") from error
    if done.returncode:
        problem = done.stderr.strip() or "refused"
        fix = "" if git.folder(folder) else "git init"
        raise UsageError(f"git {arguments[0]}: {problem}", fix=fix)
