"""The file with the server's process id, for other programs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from runtime.errors import ConfigError


@contextlib.contextmanager
def pid_file(path: Path) -> Iterator[None]:
    """Write this process's id to `path`; at the end, remove an unchanged file.

    Raises:
        ConfigError: the file cannot be written.
    """
    own = str(os.getpid())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(own)
    except OSError as error:
        raise ConfigError(f"write pid file {path}: {error.strerror}") from error
    try:
        yield
    finally:
        # another server may have replaced or removed the file meanwhile
        with contextlib.suppress(OSError):
            if path.read_text() == own:
                path.unlink()
