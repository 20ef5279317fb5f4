"""A fair lock: waiting threads go first."""

from __future__ import annotations

import threading
from types import TracebackType


class FairLock:
    """A re-entrant lock: who releases it gets it again after those who wait for it.

    With a plain lock, a thread that does one piece of work after the other hardly lets
    anybody in between: it takes the lock again before the others have woken up.
    """

    __slots__ = ("_depth", "_lock", "_owner", "_turn")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # held by the one who gets the lock next
        self._turn = threading.Lock()
        self._owner = 0
        self._depth = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        """Take the lock.

        Args:
            blocking: True to wait; otherwise fail at once if it is taken.

        Returns:
            Whether it is taken now.
        """
        me = threading.get_ident()
        if self._owner == me:
            self._depth += 1
            return True
        if not self._turn.acquire(blocking):
            return False
        try:
            if not self._lock.acquire(blocking):
                return False
        finally:
            self._turn.release()
        self._owner, self._depth = me, 1
        return True

    def release(self) -> None:
        """Release it, once for each time it was taken."""
        self._depth -= 1
        if not self._depth:
            self._owner = 0
            self._lock.release()

    def __enter__(self) -> None:
        # as `acquire`, which would cost twice as much from here
        me = threading.get_ident()
        if self._owner == me:
            self._depth += 1
            return
        with self._turn:
            self._lock.acquire()
        self._owner, self._depth = me, 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
