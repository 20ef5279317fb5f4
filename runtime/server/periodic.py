"""Periodic work of a running server: timers of tasks, and sweeps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from functools import partial

from runtime.compute.bridge import Bridge
from runtime.compute.thread import Compute
from runtime.services.alert.service import AlertService
from runtime.tasks.task_master import TaskMaster
from runtime.trouble import Trouble
from runtime.units import SECOND

_SWEEP_S = 1.0
# Timers of tasks that are due within this time run together.
_TIMERS_INTERVAL_S = 0.005
# Interval for reading the clock while nothing is due, as it may have been set.
_LOOK_S = 1.0

_log = logging.getLogger("kapacitor.server")


async def run_timers(master: TaskMaster, compute: Compute) -> None:
    """Run the due timers of tasks; sleep while none is due."""
    timers, bridge = master.timers, Bridge()
    trouble = Trouble(
        _log, "failed to run timers of tasks", "timers of tasks run again"
    )
    earlier = asyncio.Event()
    bridge.start()
    timers.earlier = partial(bridge.soon, earlier.set)
    while True:
        earlier.clear()
        due = timers.next_due
        wait_s = _LOOK_S if due is None else (due - timers.clock()) / SECOND
        if wait_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(earlier.wait(), min(wait_s, _LOOK_S))
            continue
        await _guarded(compute, master.tick, trouble)
        await asyncio.sleep(_TIMERS_INTERVAL_S)


async def sweep(master: TaskMaster, alerts: AlertService, compute: Compute) -> None:
    """Measure the memory of tasks and forget old topic states, every second."""
    trouble = Trouble(_log, "failed to sweep topics", "sweeping topics succeeds again")
    while True:
        await asyncio.sleep(_SWEEP_S)
        await _guarded(compute, master.measure, trouble)
        await _guarded(compute, alerts.sweep, trouble)


async def _guarded(
    compute: Compute, work: Callable[[], Iterator[None] | None], trouble: Trouble
) -> None:
    """Do periodic work on the compute thread.

    Args:
        compute: compute thread.
        work: function that does the work, or an iterator over its slices.
        trouble: notified of failures and successes.
    """
    try:
        slices = await compute.run(work)
        if slices is not None:
            async for _ in compute.each(slices):
                pass
    # go on after any error: without this loop, barriers and deadmans would stop
    except Exception as error:
        trouble.failed(error)
    else:
        trouble.ended()
