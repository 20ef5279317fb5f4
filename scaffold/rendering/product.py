"""The files of this product that decide the output: its modules and templates."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

_OWN = ("scaffold", "runtime")
_PACKAGE = Path(__file__).parents[1]


def templates_path() -> Path:
    """Folder of the templates: inside the wheel, or beside the package in a clone."""
    inside = _PACKAGE / "templates"
    return inside if inside.is_dir() else _PACKAGE.parent / "templates"


def vocabulary_path() -> Path:
    """The page that describes specs: inside the wheel, or in the docs of a clone."""
    inside = _PACKAGE / "specs.md"
    return inside if inside.is_file() else _PACKAGE.parent / "docs/specs.md"


def files() -> list[Path]:
    """All modules and templates."""
    return sorted([*_PACKAGE.rglob("*.py"), *templates_path().rglob("*.j2")])


def loaded() -> list[str]:
    """The paths of all files and folders that this run depends on, besides Python.

    They are the imported modules of this product, all templates, and the folders of
    libraries. The entries of those folders change with the installed versions.
    """
    names = [name for name in sys.modules if name.partition(".")[0] in _OWN]
    modules = [getattr(sys.modules[name], "__file__", None) or "" for name in names]
    # modules that are generated for a trial have no file
    files = [*filter(Path.is_file, map(Path, modules)), *templates_path().rglob("*.j2")]
    folders = [path for path in map(Path, sys.path) if path.name.endswith("-packages")]
    return [*map(str, files), *(f"{path}/" for path in folders if path.is_absolute())]


def digest() -> str:
    """One digest of all modules and templates."""
    total = hashlib.sha256()
    for file in files():
        data = file.read_bytes()
        total.update(b"%s %d\n" % (file.name.encode(), len(data)))
        total.update(data)
    return total.hexdigest()
