"""Another process that holds the lock of a project."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_CODE = """\
import sys
from pathlib import Path
from scaffold.disk import recovery
with recovery.locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def locked_elsewhere(root: Path) -> Iterator[int]:
    """The ID of a process that holds the lock, and is killed at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", _CODE, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        try:
            assert other.stdout.readline() == b"locked\n"
            yield other.pid
        finally:
            other.kill()
