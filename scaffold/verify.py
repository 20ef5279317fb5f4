"""Tries changes out in a copy of the project, before the first byte of it changes.

The trial runs in a process of its own and leaves no compiled files behind. What only a
trial needs is imported when one runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from scaffold.change import Change
from scaffold.disk import scratch
from scaffold.errors import VerificationFailed

_TIMEOUT_S = 300
_IMPORTING = """\
import importlib, sys
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for table, entries in list(vars(module).items()):
        if ".integrations." in name and table.isupper() and isinstance(entries, dict):
            for each in filter(lambda value: isinstance(value, str), entries.values()):
                getattr(importlib.import_module(each.partition(":")[0]), each.partition(":")[2])
"""


def compiles(changes: Sequence[Change], proven: Collection[PurePosixPath]) -> None:
    """Compile every changed Python file that is not `proven` already.

    Raises:
        VerificationFailed: one is not valid Python.
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
    """Import every module that would change, and the classes that their tables refer to.

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
    arguments = ["-c", _IMPORTING, *modules]
    _trial(root, changes, arguments, "the changed modules would not import")


def tests_pass(root: Path, changes: Sequence[Change], folders: Sequence[str]) -> None:
    """Run the tests in these folders.

    Raises:
        VerificationFailed: one fails, or pytest is missing.
    """
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *folders]
    _trial(root, changes, arguments, "the generated tests would not pass")


def _trial(
    root: Path, changes: Sequence[Change], arguments: Sequence[str], problem: str
) -> None:
    import subprocess

    with scratch.changed(root, changes) as copy:
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
