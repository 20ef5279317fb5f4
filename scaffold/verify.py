"""Tries changes out in a copy of the project, before the first byte of it changes.

The copy is made of links to everything that stays as it is, so it costs nothing; the
trial runs in a process of its own and leaves no compiled files behind. What only a trial
needs is imported for it alone.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from scaffold.change import Change
from scaffold.errors import VerificationFailed

_TIMEOUT_S = 300


def compiles(changes: Sequence[Change], proven: Collection[PurePosixPath]) -> None:
    """Compile every changed Python file that is not `proven` already.

    Raises:
        VerificationFailed: one is no Python.
    """
    for change in changes:
        if change.after is None or change.path.suffix != ".py" or change.path in proven:
            continue
        try:
            compile(change.after, str(change.path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise VerificationFailed(
                f"{change.path}: would not compile: {error}"
            ) from error


def imports(root: Path, changes: Sequence[Change], package: str) -> None:
    """Import every module that would change.

    Raises:
        VerificationFailed: one does not import.
    """
    modules = [
        ".".join(change.path.with_suffix("").parts).removesuffix(".__init__")
        for change in changes
        if change.path.suffix == ".py"
        and change.after is not None
        and change.path.parts[0] == package
    ]
    code = (
        "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    )
    _trial(
        root, changes, ["-c", code, *modules], "the changed modules would not import"
    )


def tests_pass(root: Path, changes: Sequence[Change], folders: Sequence[str]) -> None:
    """Run the tests in these folders.

    Raises:
        VerificationFailed: one fails, or there is no pytest.
    """
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *folders]
    _trial(root, changes, arguments, "the generated tests would not pass")


def _trial(
    root: Path, changes: Sequence[Change], arguments: Sequence[str], problem: str
) -> None:
    import subprocess

    with _copy(root, changes) as copy:
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        environment["PYTHONPATH"] = str(copy)
        try:
            done = subprocess.run(
                [sys.executable, *arguments],
                cwd=copy,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise VerificationFailed(
                f"{problem}: no result after {_TIMEOUT_S} s"
            ) from error
        if done.returncode:
            output = done.stdout.replace(f"{copy}{os.sep}", "")
            raise VerificationFailed(problem, output)


@contextlib.contextmanager
def _copy(root: Path, changes: Sequence[Change]) -> Iterator[Path]:
    """A folder that looks like the project after the changes."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="scaffold-"))
    try:
        changed = {change.path: change.after for change in changes}
        folders = {parent for path in changed for parent in path.parents}
        for parent in sorted(folders, key=lambda path: len(path.parts)):
            (folder / parent).mkdir(exist_ok=True)
            _link_others(root, folder, parent, {*changed, *folders})
        for path, data in changed.items():
            if data is not None:
                (folder / path).write_bytes(data)
        yield folder
    finally:
        shutil.rmtree(folder)


def _link_others(
    root: Path, copy: Path, parent: PurePosixPath, own: set[PurePosixPath]
) -> None:
    """Link what stands in a folder and does not change."""
    if not (root / parent).is_dir():
        return
    for entry in (root / parent).iterdir():
        if parent / entry.name not in own:
            (copy / parent / entry.name).symlink_to(entry)
