"""The files of a new project: one for each template below `templates/init/`."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from scaffold import testing
from scaffold.project import FORMAT
from scaffold.rendering.product import templates_path
from scaffold.rendering.render import filled
from scaffold.rendering.vocabulary import vocabulary_files

_FOLDER = "init"


def project_files(package: str, name: str = "alerts") -> dict[PurePosixPath, str]:
    """The text of every file of a new project.

    Args:
        package: the import package of its handlers.
        name: name of its folder, and of its distribution.
    """
    from importlib import metadata

    values = {
        "package": package,
        "name": re.sub("[^A-Za-z0-9._-]+", "-", name).strip("-._") or "alerts",
        "version": metadata.version(testing.DISTRIBUTION),
        "format": FORMAT,
        "install": testing.install(),
        "source": testing.source(),
    }
    files = vocabulary_files()
    root = templates_path() / _FOLDER
    for file in sorted(root.rglob("*.j2")):
        template = file.relative_to(root).with_suffix("")
        parts = (package if part == "PACKAGE" else part for part in template.parts)
        files[PurePosixPath(*parts)] = filled(f"{_FOLDER}/{template}.j2", **values)
    return files


def project_file(path: PurePosixPath, package: str) -> str | None:
    """A Python module of a new project; None if a new project lacks it."""
    parts = ("PACKAGE" if part == package else part for part in path.parts)
    template = f"{PurePosixPath(_FOLDER, *parts)}.j2"
    if path.suffix != ".py" or not (templates_path() / template).is_file():
        return None
    return filled(template, package=package)
