"""Room on the disk, reserved for when the disk is full."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

# The database may grow by as much when its log is moved into it.
RESERVE_BYTES = 8 * 1024 * 1024
_UNSUPPORTED = frozenset((errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL))


class Reserve:
    """File that only reserves space.

    Attributes:
        is_reserved: True while the space is reserved.
    """

    def __init__(self, path: Path) -> None:
        """Keep the reserve at `path`; it is not created yet."""
        self._path = path
        self.is_reserved = False

    def make(self) -> bool:
        """Reserve the space; return False if the disk lacks it."""
        if self.is_reserved:
            return True
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            file = os.open(self._path, flags, 0o600)
            try:
                _allocate(file)
            finally:
                os.close(file)
        except OSError:
            self.give_up()
            return False
        self.is_reserved = True
        return True

    def give_up(self) -> None:
        """Release the space."""
        self.is_reserved = False
        # a disk that refuses even this is broken, not full
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _allocate(file: int) -> None:
    if os.fstat(file).st_blocks * 512 >= RESERVE_BYTES:
        return
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, RESERVE_BYTES)
            return
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
    # random bytes: some file systems allocate no space for zeros
    for _ in range(RESERVE_BYTES // (1 << 20)):
        os.write(file, os.urandom(1 << 20))
