"""A fair lock: waiting threads go first."""

from __future__ import annotations

import threading
from types import TracebackType


class FairLock:
    """A re-entrant lock that waiting threads get before the thread that releases it.

    With a plain lock, a thread that works in many small steps starves the others: it
    takes the lock again before they have woken up.
    """

    __slots__ = ("_depth", "_lock", "_owner", "_turn")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # held by the thread that gets the lock next
        self._turn = threading.Lock()
        self._owner = 0
        self._depth = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        """Take the lock.

        Args:
            blocking: True to wait; False to fail at once if the lock is taken.

        Returns:
            True if the lock was taken.
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
        """Release the lock, once for each time it was taken."""
        self._depth -= 1
        if not self._depth:
            self._owner = 0
            self._lock.release()

    def __enter__(self) -> None:
        # a copy of `acquire`, as calling it from here would cost twice as much
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
