"""The templates that a project overrides, and the templates that they were copied from.

`.scaffold/overrides` keeps the product's text of each template as it was copied, in the
format of handlers' records. Comparing it with the product's template shows later changes,
and it is the base for merging them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold import state
from scaffold.change import Change
from scaffold.errors import StateError, TemplateFailed, UnreadableFile
from scaffold.project import Project
from scaffold.rendering.overrides import Override, Overrides
from scaffold.rendering.product import templates_path
from scaffold.state import Record
from scaffold.tree import Tree

RECORD = PurePosixPath(".scaffold/overrides")
_ROOMS = ("create", "edit", "parts")
_SUFFIX = ".j2"
_MAX_BYTES = 65_536


class Found(NamedTuple):
    """The templates of a project.

    Attributes:
        overrides: those that stand in for a template of the product.
        unknown: those whose name no template of the product has.
    """

    overrides: Overrides = ()
    unknown: tuple[PurePosixPath, ...] = ()


def product() -> dict[str, str]:
    """The product's templates that can be overridden, by name."""
    top = templates_path()
    return {
        file.relative_to(top).as_posix(): file.read_text("utf-8")
        for room in _ROOMS
        for file in sorted((top / room).rglob(f"*{_SUFFIX}"))
    }


def find(tree: Tree, project: Project) -> Found:
    """The templates of a project.

    Raises:
        TemplateFailed: one is not text, or too large.
        UnreadableFile: one is a link, or cannot be read.
    """
    folder = project.templates
    if (project.root / folder).is_symlink():
        raise UnreadableFile(folder, "is a symbolic link")
    if not set(_ROOMS) & {*tree.names(folder)} or _is_product(project):
        return Found()
    known = product()
    folders = sorted({parent for name in known for parent in _parents(name)})
    overrides: list[Override] = []
    unknown: list[PurePosixPath] = []
    for each in folders:
        for entry in tree.names(folder / each):
            name = (each / entry).as_posix()
            if name in known:
                text = _text(tree, folder / name)
                overrides.append(Override(name, text, folder / name))
            elif entry.endswith(_SUFFIX):
                unknown.append(folder / name)
    return Found(tuple(overrides), tuple(unknown))


def recorded(tree: Tree) -> Mapping[str, str]:
    """The product's templates as they were copied, by name.

    Raises:
        StateError: the record is damaged.
    """
    data = tree.read(RECORD)
    if data is None:
        return {}
    try:
        files = state.parse(data).files
    except ValueError as error:
        problem = f"is damaged: {error}; restore it from version control"
        raise StateError(RECORD, problem, fix="") from None
    return {str(path): text for path, text in files.items()}


def record(tree: Tree, texts: Mapping[str, str]) -> Iterator[Change]:
    """The changes that keep the product's templates as they were copied."""
    yield from state.settings(tree)
    files = {PurePosixPath(name): text for name, text in texts.items()}
    now = tree.read(RECORD)
    after = state.text(Record(files, {})).encode() if files else None
    yield Change(RECORD, now, after)


def _is_product(project: Project) -> bool:
    """True in the repository of scaffold itself."""
    ours, theirs = templates_path(), project.root / project.templates
    return theirs.exists() and theirs.samefile(ours)


def _parents(name: str) -> list[PurePosixPath]:
    return list(PurePosixPath(name).parents)[:-1]


def _text(tree: Tree, path: PurePosixPath) -> str:
    data = tree.read(path) or b""
    if len(data) > _MAX_BYTES:
        raise TemplateFailed(path, f"is larger than {_MAX_BYTES // 1024} KiB")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise TemplateFailed(path, "is not UTF-8 text") from None
