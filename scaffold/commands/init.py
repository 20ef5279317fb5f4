"""`scaffold init`: a project of the user's own, a plugin of the runtime."""

from __future__ import annotations

import importlib.metadata
import keyword
import re
import sys
from pathlib import Path

from scaffold import state, testing
from scaffold.change import Change
from scaffold.disk import commit, recovery
from scaffold.errors import UsageError, WriteFailed
from scaffold.generate import ChangeSet
from scaffold.outcomes import Created
from scaffold.project import find, unusable
from scaffold.report import Report
from scaffold.tree import MemoryTree

# entries that a folder may have before it becomes a project
_LEFT_ALONE = frozenset({".git", ".venv", ".idea", ".vscode", "LICENSE", "LICENSE.md"})
_FOLDERS = frozenset({"runtime", "scaffold", "tests", "docs", "etc", "examples"})
_TOOLS = frozenset({"black", "hatchling", "mypy", "pip", "pytest", "ruff", "syrupy"})


def init(folder: Path, package: str, *, dry_run: bool, shown: str) -> Report:
    """Fill a new or empty folder with a project.

    Args:
        folder: the folder.
        package: the import package of its handlers.
        dry_run: write nothing.
        shown: the folder as the user wrote it.

    Raises:
        UsageError: the folder is not empty, or the package's name is taken.
        WriteFailed: the folder cannot be made.
    """
    _check_package(package)
    is_recovered = not dry_run and _is_recovered(folder, package)
    if not is_recovered:
        _check_folder(folder)
    from scaffold.rendering.projects import project_files

    files = project_files(package, folder.resolve().name)
    changes = [
        Change(path, None, text.encode()) for path, text in sorted(files.items())
    ]
    created = [Created(change.path) for change in changes]
    # already now, before the first handler, since git must ignore the lock
    changes += state.settings(MemoryTree({}))
    note = ""
    if not dry_run and not is_recovered:
        try:
            commit.make(folder)
        except OSError as error:
            raise WriteFailed(f"{shown}: {error.strerror}") from error
        with recovery.locked(folder):
            note = commit.apply(folder, changes)
    return Report(
        "init",
        result=ChangeSet(tuple(changes), tuple(created)),
        summary=f"{len(created)} files in {shown}, handlers go into `{package}`",
        next=[
            *([] if folder.resolve() == Path.cwd() else [f"cd {shown}"]),
            "scaffold new-handler huddle --field channel:str",
            *testing.commands(folder),
        ],
        dry_run=dry_run,
        brief=True,
        notes=[note] if note else [],
    )


def _check_package(package: str) -> None:
    if not re.fullmatch("[a-z][a-z0-9_]*", package) or keyword.iskeyword(package):
        raise UsageError(
            f"--package {package!r}: must be a name of a to z, 0 to 9 and _, and not a "
            "keyword"
        )
    if package in _FOLDERS:
        raise UsageError(f"--package {package!r}: is already used in the project")
    if package in sys.stdlib_module_names:
        raise UsageError(
            f"--package {package!r}: would shadow a module of the standard library"
        )
    if package in _TOOLS | _dependencies():
        raise UsageError(
            f"--package {package!r}: would shadow a package that the project needs"
        )


def _dependencies() -> set[str]:
    """Import packages of everything that this distribution needs to run."""
    needed: set[str] = set()
    waiting = [testing.DISTRIBUTION]
    while waiting:
        distribution = _normalized(waiting.pop())
        if distribution in needed:
            continue
        needed.add(distribution)
        try:
            requirements = importlib.metadata.requires(distribution) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for requirement in requirements:
            name = re.match(r"[A-Za-z0-9._-]+", requirement)
            if name and "extra ==" not in requirement:
                waiting.append(name[0])
    packages = importlib.metadata.packages_distributions()
    return {
        package.lower()
        for package, owners in packages.items()
        if needed.intersection(map(_normalized, owners))
    }


def _normalized(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _is_recovered(folder: Path, package: str) -> bool:
    """True if an interrupted `init` of the folder is completed now.

    Until its settings are written the folder is not a project, so that no other command
    would complete it.
    """
    try:
        if (folder / "pyproject.toml").exists() or not recovery.recover(folder):
            return False
        return (folder / "pyproject.toml").exists() and find(folder).package == package
    except (OSError, ValueError) as error:
        raise unusable(folder, error) from None


def _is_unused(entry: Path) -> bool:
    """True for the state of a command that wrote nothing but its lock."""
    if entry.name != ".scaffold" or not entry.is_dir():
        return False
    return [each.name for each in entry.iterdir()] == ["lock"]


def _check_folder(folder: Path) -> None:
    try:
        folder.absolute()  # needs the current folder
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise UsageError(f"{folder}: is not a folder")
        if folder.exists():
            found = sorted(folder.iterdir())
            others = [
                entry.name
                for entry in found
                if not (entry.name in _LEFT_ALONE or _is_unused(entry))
            ]
            if others:
                raise UsageError(f"{folder}: is not empty ({others[0]})")
    except (OSError, ValueError) as error:
        raise unusable(folder, error) from None
