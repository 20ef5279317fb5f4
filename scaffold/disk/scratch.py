"""Temporary folders: a project as it would be, files for another program."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from scaffold.change import Change
from scaffold.disk import platform

_PREFIX = "scaffold-"


@contextlib.contextmanager
def files(contents: Mapping[str, bytes]) -> Iterator[list[Path]]:
    """Files with these names and contents, in a folder of their own."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        made = [Path(folder, name) for name in contents]
        for file, data in zip(made, contents.values(), strict=True):
            file.write_bytes(data)
        yield made


@contextlib.contextmanager
def changed(root: Path, changes: Sequence[Change]) -> Iterator[Path]:
    """A folder that looks like the project after the changes.

    It consists of links to all unchanged files and folders, so it costs little.
    """
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        after = {change.path: change.after for change in changes}
        folders = {parent for path in after for parent in path.parents}
        for parent in sorted(folders, key=lambda path: len(path.parts)):
            (folder / parent).mkdir(exist_ok=True)
            _link_others(root, folder, parent, {*after, *folders})
        for path, data in after.items():
            if data is not None:
                (folder / path).write_bytes(data)
        yield folder
    finally:
        shutil.rmtree(folder)


def _link_others(
    root: Path, copy: Path, parent: PurePosixPath, own: set[PurePosixPath]
) -> None:
    """Link the entries of a folder that do not change."""
    if not (root / parent).is_dir():
        return
    for entry in (root / parent).iterdir():
        if parent / entry.name not in own:
            platform.system.link_or_copy(entry, copy / parent / entry.name)
