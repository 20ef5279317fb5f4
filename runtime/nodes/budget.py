"""Limits of memory and time of a task, so that no task takes the server down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from runtime.errors import TaskError
from runtime.units import MINUTE, SECOND, Nanoseconds, go_duration

# After how many points, or other steps of a loop, a node looks at its budget: few, since
# an expression with long strings may take half a second each time.
STEPS = 8
# Intervals between estimates of what a task keeps: during a long write, and otherwise.
_MEASURED_EVERY: Nanoseconds = SECOND
_RESTING: Nanoseconds = 4 * SECOND
_MIB = 1 << 20
# A single point may cause much work if a node keeps this many bytes for each group: the
# four hundred points of a window end in a millisecond. Or this many altogether: they may
# be of one group.
_HEAVY_EACH = _MIB // 4
_HEAVY = 64 * _MIB


class Limits(NamedTuple):
    """Limits of a task.

    Attributes:
        memory: bytes that its nodes keep, as far as can be estimated; and four times the
            bytes of texts and events that they make of one write. 0: without limit.
        time: time for the points of one write; 0 for no limit.
    """

    memory: int = 1024 * _MIB
    time: Nanoseconds = MINUTE


_DEFAULT = Limits()
# Bytes that a node keeps for a group, besides points. Not in `sizes`, which needs numpy:
# the configuration loads this module for the limits.
GROUP = 500


class Keeper(Protocol):
    """A node that keeps data between writes."""

    @property
    def name(self) -> str:
        """Such as `window2`."""

    def held(self) -> int:
        """Bytes that it keeps, roughly."""

    @property
    def working_cardinality(self) -> int:
        """Number of groups with state."""


class BudgetError(TaskError):
    """A task exceeds its limits."""


class Budget:
    """Memory and time that one task has taken.

    A task starts over with each write. Nodes that make much of little (windows that
    overlap, combinations) look at the budget now and then, and count texts that they
    make before anybody has room for them.

    Attributes:
        clock: monotonic clock.
        keepers: the nodes whose memory counts.
        heavy: set to be in while a single point may cause much work.
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
        limits: Limits = _DEFAULT,
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
        # nodes may work without a task
        self._deadline = 2**63

    def fresh(self) -> Budget:
        """An unused budget with the same limits."""
        made = Budget(self._limits, clock=self.clock)
        made.heavy = self.heavy
        return made

    def release(self) -> None:
        """Take nothing from now on."""
        self.heavy.discard(self)

    def begin(self) -> None:
        """Begin with a write, or go on with it.

        Raises:
            BudgetError: the task keeps more than it may, or has taken too long already.
        """
        now = self.clock()
        self._deadline = now + self._limits.time - self.spent
        if self.spent:
            self._check_time(now)
        self._made = 0
        self._is_fed = True
        if now >= self._measure_at + _RESTING:
            self._measure(now)

    def look(self) -> None:
        """Check that the task may continue its write.

        Raises:
            BudgetError: it takes too long, or keeps more than it may.
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
            BudgetError: that is more than the task may make of one write.
        """
        self._made += size
        if 4 * self._made > self._limits.memory > 0:
            raise BudgetError(
                f"texts and events of one write take some {self._made // _MIB} MiB, more "
                f"than a quarter of the {self._limits.memory // _MIB} MiB of [task] "
                "max-memory"
            )

    def rest(self) -> None:
        """Measure the memory kept after the writes of the last seconds.

        The next one may be the point that ends a long window, and come much later.
        """
        now = self.clock()
        if self._is_fed and now >= self._measure_at + _RESTING:
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
