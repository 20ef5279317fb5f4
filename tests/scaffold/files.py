"""The files of a project on the disk."""

from __future__ import annotations

from pathlib import Path

SERVICE = "runtime/services/huddle/service.py"
SPEC = "runtime/services/huddle/handler.toml"


def edit(root: Path, path: str, old: str, new: str) -> str:
    """Replace a piece of a file, which must be there; the file as it is then."""
    file = root / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return file.read_text()


def files(root: Path) -> dict[str, bytes]:
    """People's files of a project, by path: without caches, locks and git's files."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and not path.relative_to(root)
        .as_posix()
        .startswith((".scaffold/lock", ".scaffold/cache", ".scaffold/undo/", ".git/"))
    }
