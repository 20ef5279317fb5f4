"""Limits of memory and time of a task, so that no task takes the server down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from runtime.errors import TaskError
from runtime.units import MINUTE, SECOND, Nanoseconds, go_duration

# A node checks its budget after this number of points or other steps of a loop. It is
# small, since an expression with long strings may take half a second each time.
STEPS = 8
# Intervals between estimates of a task's memory: during a long write, and otherwise.
_MEASURED_EVERY: Nanoseconds = SECOND
_IDLE_INTERVAL: Nanoseconds = 4 * SECOND
_MIB = 1 << 20
# A single point may cause much work if a node keeps more than this many bytes for each
# group (the four hundred points of a window take a millisecond), or in all groups
# together, as most of these may be in one group.
_HEAVY_EACH = _MIB // 4
_HEAVY = 64 * _MIB


class TaskLimits(NamedTuple):
    """Limits of a task.

    Attributes:
        memory: estimated bytes that its nodes may keep, and four times the bytes of texts
            and events that they may create in one write; 0 for no limit.
        time: time for the points of one write; 0 for no limit.
    """

    memory: int = 1024 * _MIB
    time: Nanoseconds = MINUTE


_DEFAULT = TaskLimits()
# Bytes that a node keeps for a group, besides points. Not in `sizes`, since the
# configuration imports this module for the limits and should not import numpy.
GROUP = 500


class Keeper(Protocol):
    """A node that keeps data between writes."""

    @property
    def name(self) -> str:
        """The node's name, such as `window2`."""

    def held(self) -> int:
        """Estimated bytes that it keeps."""

    @property
    def working_cardinality(self) -> int:
        """Number of groups with state."""


class BudgetError(TaskError):
    """A task exceeds its limits."""


class Budget:
    """Memory and time that one task has taken.

    Time and created texts are counted per write. Nodes whose output may be much
    larger than their input (windows that overlap, combinations) check the budget now and
    then, and count texts before they create them.

    Attributes:
        clock: monotonic clock.
        keepers: the nodes whose memory counts.
        heavy: budgets of all tasks in which a single point may cause much work.
        spent: time that the task has taken for earlier parts of the same write.
    """

    __slots__ = (
        "_deadline",
        "_is_fed",
        "_limits",
        "_made",
        "_measure_at",
        "clock",
        "heavy",
        "keepers",
        "spent",
    )

    def __init__(
        self,
        limits: TaskLimits = _DEFAULT,
        *,
        clock: Callable[[], Nanoseconds] = time.monotonic_ns,
    ) -> None:
        """Make a budget.

        Args:
            limits: limits of memory and time.
            clock: monotonic clock.
        """
        self.keepers: Iterable[Keeper] = ()
        self.heavy: set[object] = set()
        self.spent: Nanoseconds = 0
        self._limits = limits
        self.clock = clock
        self._made = 0
        self._measure_at = 0
        self._is_fed = False
        # nodes can run without a task, and then without a deadline
        self._deadline = 2**63

    def fresh(self) -> Budget:
        """An unused budget with the same limits."""
        made = Budget(self._limits, clock=self.clock)
        made.heavy = self.heavy
        return made

    def release(self) -> None:
        """Remove it from `heavy`, when its task has ended."""
        self.heavy.discard(self)

    def begin(self) -> None:
        """Begin a write, or continue one.

        Raises:
            BudgetError: the task keeps too much memory, or has taken too long already.
        """
        now = self.clock()
        self._deadline = now + self._limits.time - self.spent
        if self.spent:
            self._check_time(now)
        self._made = 0
        self._is_fed = True
        if now >= self._measure_at + _IDLE_INTERVAL:
            self._measure(now)

    def look(self) -> None:
        """Check that the task may continue its write.

        Raises:
            BudgetError: the task takes too long, or keeps too much memory.
        """
        now = self.clock()
        self._check_time(now)
        if now >= self._measure_at:
            self._measure(now)

    def _check_time(self, now: Nanoseconds) -> None:
        if now > self._deadline and self._limits.time:
            limit = go_duration(self._limits.time)
            raise BudgetError(
                f"one write takes longer than {limit}, the limit [task] max-write-time"
            )

    def make(self, size: int) -> None:
        """Count bytes of created strings or events.

        Raises:
            BudgetError: the task has created too much in one write.
        """
        self._made += size
        if 4 * self._made > self._limits.memory > 0:
            raise BudgetError(
                f"texts and events of one write take some {self._made // _MIB} MiB, more "
                f"than a quarter of the {self._limits.memory // _MIB} MiB of [task] "
                "max-memory"
            )

    def measure_idle(self) -> None:
        """Measure the memory kept after the writes of the last seconds.

        The next write may end a long window, and may come much later.
        """
        now = self.clock()
        if self._is_fed and now >= self._measure_at + _IDLE_INTERVAL:
            self._held(now)

    def _measure(self, now: Nanoseconds) -> None:
        held = self._held(now)
        total = sum(held.values())
        if total > self._limits.memory > 0:
            most = max(held, key=lambda name: held[name])
            raise BudgetError(
                f"the task keeps some {total // _MIB} MiB, most of it in {most}: more "
                f"than the {self._limits.memory // _MIB} MiB of [task] max-memory"
            )

    def _held(self, now: Nanoseconds) -> dict[str, int]:
        self._measure_at = now + _MEASURED_EVERY
        self._is_fed = False
        held = {keeper.name: keeper.held() for keeper in self.keepers}
        if any(_is_heavy(each, held[each.name]) for each in self.keepers):
            self.heavy.add(self)
        else:
            self.heavy.discard(self)
        return held


def _is_heavy(keeper: Keeper, held: int) -> bool:
    groups = keeper.working_cardinality
    return held - GROUP * groups > min(_HEAVY, _HEAVY_EACH * max(1, groups))
