"""The project a command works on: its root folder and its settings."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from scaffold import folders
from scaffold.errors import UnreadableFile, UsageError


class Project(NamedTuple):
    """One checkout.

    Attributes:
        root: the folder of its `pyproject.toml`.
        package: the import package that holds the runtime.
    """

    root: Path
    package: str = "runtime"


def find(start: Path) -> Project:
    """The project that `start` lies in: the nearest `[tool.scaffold]` upwards.

    Raises:
        UsageError: there is none.
        UnreadableFile: a `pyproject.toml` on the way is a link, or invalid.
    """
    try:
        start = start.resolve()
        is_folder = start.is_dir()
    except FileNotFoundError:
        raise UsageError(
            "the current folder does not exist any more", fix="cd to another folder"
        ) from None
    except (OSError, RuntimeError, ValueError) as error:
        problem = getattr(error, "strerror", "") or "is not a path"
        raise UsageError(f"{str(start)!r}: {problem}") from None
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
        # Most projects above a folder are other people's: look before parsing.
        if b"scaffold" in data:
            settings = _settings(file, data)
            if settings is not None:
                return Project(folder, _package(file, settings))
    raise UsageError(
        f"{start}: not in a project (no pyproject.toml with [tool.scaffold] here "
        "or above)",
        fix="scaffold init my-alerts",
    )


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


def _package(file: Path, settings: dict[str, object]) -> str:
    package = settings.get("package", "runtime")
    unknown = sorted(set(settings) - {"package"})
    if unknown:
        raise UsageError(
            f"{file}: [tool.scaffold]: unknown key {unknown[0]!r} (allowed: package)"
        )
    if not isinstance(package, str) or not package.isidentifier():
        raise UsageError(
            f"{file}: [tool.scaffold]: package must be the name of an import package"
        )
    return package
