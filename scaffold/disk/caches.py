# ruff: noqa: PTH103, PTH105, PTH108, PTH120, PTH123 - pathlib costs too much time
"""Caches: files that may be missing, each written whole or not at all."""

from __future__ import annotations

import contextlib
import os


def keep(file: str, data: bytes) -> None:
    """Write a cache; failing to do so is not an error.

    Args:
        file: its path; folders on the way are made, for this user alone.
        data: its content.
    """
    new = f"{file}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)
        with open(new, "wb") as stream:
            stream.write(data)
        os.replace(new, file)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(new)
