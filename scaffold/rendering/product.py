"""The files of this product that decide what is generated: its modules and templates."""

from __future__ import annotations

import hashlib
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def templates_path() -> Path:
    """Folder of the templates: inside the wheel, or beside the package in a clone."""
    inside = _PACKAGE / "templates"
    return inside if inside.is_dir() else _PACKAGE.parent / "templates"


def files() -> list[Path]:
    """All modules and templates."""
    return sorted([*_PACKAGE.rglob("*.py"), *templates_path().rglob("*.j2")])


def digest() -> str:
    """One digest of all modules and templates."""
    total = hashlib.sha256()
    for file in files():
        data = file.read_bytes()
        total.update(b"%s %d\n" % (file.name.encode(), len(data)))
        total.update(data)
    return total.hexdigest()
