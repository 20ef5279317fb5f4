# ruff: noqa: PTH109, PTH110, PTH118, PTH120, PTH123, PTH208
"""Answers `scaffold check` without examining anything again.

A clean verdict depends on the content of some files and folders alone. `check` keeps
their list with one digest of it all; while the digest is the same, so is the verdict.
Nothing but the bare minimum is imported here: `pathlib` alone costs half of what it saves.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable

MEMO = ".scaffold/cache/check"
_VERSION = "1"


def check() -> bool:
    """Print the verdict if it is known; tell whether it was."""
    started = time.perf_counter()
    root = _root(os.getcwd())
    if root is None or os.path.exists(f"{root}/.scaffold/txn"):
        return False
    try:
        with open(f"{root}/{MEMO}", encoding="utf-8") as memo:
            known, verdict, *inputs = memo.read().splitlines()
    except (OSError, ValueError):
        return False
    if digest(root, inputs) != known:
        return False
    elapsed_s = time.perf_counter() - started
    sys.stderr.write(f"{'done':>12} {verdict} in {elapsed_s:.2f} s\n")
    return True


def digest(root: str, inputs: Iterable[str]) -> str:
    """One digest of files and, where a path ends in `/`, of the names in a folder.

    Paths are below `root`, or absolute. What is not there counts as empty.
    """
    total = hashlib.sha256(f"{_VERSION} {sys.version}".encode())
    for path in inputs:
        full = os.path.join(root, path)
        try:
            if path.endswith("/"):
                data = "\n".join(sorted(os.listdir(full))).encode()
            else:
                with open(full, "rb", buffering=0) as file:
                    data = file.read()
        except OSError:
            data = b""
        total.update(b"%s %d\n" % (path.encode("utf-8", "surrogateescape"), len(data)))
        total.update(data)
    return total.hexdigest()


def _root(folder: str) -> str | None:
    """The folder of the nearest project upwards, if it has a memo."""
    while True:
        if os.path.exists(f"{folder}/{MEMO}"):
            return folder
        if _is_project(f"{folder}/pyproject.toml"):
            return None
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _is_project(file: str) -> bool:
    try:
        with open(file, "rb") as settings:
            return b"scaffold" in settings.read()
    except OSError:
        return False
