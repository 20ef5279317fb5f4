"""The project a command works on: its root folder and its settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scaffold.disk import folders
from scaffold.errors import UnreadableFile, UsageError
from scaffold.escaping import escaped
from scaffold.layout.style import PLAIN, Style, style_of

FORMAT = 4
"""The current `[tool.scaffold] format` of projects. `scaffold.formats` has the steps to it."""

_FIRST = 2
"""The oldest format that can be upgraded. Format 1 copied the runtime and had no `format`."""

_KEYS = ("format", "package", "skip", "templates")


_TEMPLATES = PurePosixPath("templates")


class Project(NamedTuple):
    """One checkout.

    Attributes:
        root: the folder of its `pyproject.toml`.
        package: the import package of its handlers.
        style: layout settings of its Python.
        skip: shared files of documentation in which nothing is registered.
        format: format of the project: `FORMAT` or an older one that can be upgraded.
        templates: folder of the templates that it overrides.
    """

    root: Path
    package: str = "runtime"
    style: Style = PLAIN
    skip: frozenset[PurePosixPath] = frozenset()
    format: int = FORMAT
    templates: PurePosixPath = _TEMPLATES

    def meant(self, given: str, folder: Path) -> list[PurePosixPath]:
        """The paths below the root that a person may mean; links are not resolved.

        Args:
            given: a path.
            folder: the folder that the path may be relative to, besides the root.

        Raises:
            UsageError: it leads out of the project.
        """
        found: list[PurePosixPath] = []
        for start in (folder.resolve(), self.root):
            whole = Path(os.path.normpath(start / given))
            if whole.is_relative_to(self.root):
                found.append(PurePosixPath(whole.relative_to(self.root).as_posix()))
        if not found:
            raise UsageError(f"{escaped(given)!r}: is not in the project")
        return list(dict.fromkeys(found))


def find(start: Path) -> Project:
    """The project that `start` lies in: the nearest `[tool.scaffold]` upwards.

    Raises:
        UsageError: there is no project.
        UnreadableFile: a `pyproject.toml` on the way is a link, or invalid.
    """
    try:
        start = start.resolve()
        is_folder = start.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise unusable(start, error) from None
    if not is_folder:
        raise UsageError(f"{start}: no such folder")
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        try:
            with folders.opened(folder) as top:
                data = folders.read(top, file.name) or b""
        except folders.NotPlainError as error:
            raise UnreadableFile(file.as_posix(), error.problem) from None
        except OSError:
            continue
        # Most `pyproject.toml` above a folder are of other projects: search before parsing.
        if b"scaffold" in data:
            settings = _settings(file, data)
            if settings is not None:
                return _project(file, settings, style_of(data))
    raise UsageError(
        f"{start}: not in a project (no pyproject.toml with [tool.scaffold] here "
        "or above)",
        fix="scaffold init my-alerts",
    )


def unusable(folder: Path, error: Exception) -> UsageError:
    """The refusal of a folder, by the error of a first look at it."""
    if isinstance(error, FileNotFoundError):
        return UsageError(
            "the current folder no longer exists", fix="cd to another folder"
        )
    problem = getattr(error, "strerror", "") or "is not a path"
    return UsageError(f"{str(folder)!r}: {problem}")


def _settings(file: Path, data: bytes) -> dict[str, object] | None:
    import tomllib

    try:
        tables = tomllib.loads(data.decode())
    except ValueError as error:  # not TOML, or an integer of thousands of digits
        raise UnreadableFile(file.as_posix(), f"invalid TOML: {error}") from None
    except RecursionError:
        raise UnreadableFile(file.as_posix(), "is nested too deeply") from None
    tools = tables.get("tool")
    settings = tools.get("scaffold") if isinstance(tools, dict) else None
    return settings if isinstance(settings, dict) else None


def _project(file: Path, settings: Mapping[str, object], style: Style) -> Project:
    unknown = sorted(set(settings) - set(_KEYS))
    if unknown:
        raise _refusal(
            file, f"unknown key {unknown[0]!r} (allowed: {', '.join(_KEYS)})"
        )
    package = settings.get("package", "runtime")
    if not isinstance(package, str) or not package.isidentifier():
        raise _refusal(file, "package must be the name of an import package")
    skip = settings.get("skip", [])
    if not isinstance(skip, list) or not all(isinstance(each, str) for each in skip):
        raise _refusal(file, 'skip must be a list of paths, as ["CHANGELOG.md"]')
    skipped = frozenset(map(PurePosixPath, skip))
    format = _format(file, settings, package)
    templates = _folder(file, settings.get("templates", str(_TEMPLATES)))
    return Project(file.parent, package, style, skipped, format, templates)


def _folder(file: Path, folder: object) -> PurePosixPath:
    """A folder inside of the project."""
    path = PurePosixPath(folder) if isinstance(folder, str) else None
    if path is None or path.is_absolute() or not path.parts or ".." in path.parts:
        raise _refusal(
            file, 'templates must be a folder of the project, as "templates"'
        )
    return path


def _format(file: Path, settings: Mapping[str, object], package: str) -> int:
    """The format of a project; refuses those that cannot be upgraded."""
    format = settings.get("format", _FIRST)
    if type(format) is not int or format < 1:
        raise _refusal(file, f"format must be {FORMAT}")
    if format > FORMAT:
        raise _refusal(
            file,
            f"format {format} needs a newer scaffold; this one supports {FORMAT}",
            fix="pip install -U scaffold-alerts",
        )
    has_runtime = (file.parent / package / "task_master.py").exists()
    if format < _FIRST or ("format" not in settings and has_runtime):
        raise UsageError(
            f"{file.parent}: contains a copy of the runtime, created by an earlier "
            "scaffold: "
            "make a project with `scaffold init`, copy the handler.toml of each handler "
            "into it, and run `scaffold new-handler --spec` for each",
            fix="scaffold init ../alerts",
        )
    return format


def _refusal(file: Path, problem: str, fix: str = "") -> UsageError:
    return UsageError(f"{file}: [tool.scaffold]: {problem}", fix=fix)
