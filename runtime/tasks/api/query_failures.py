"""Queries of batch tasks that fail."""

from __future__ import annotations

from collections.abc import Iterable

from runtime.alert.types import Level
from runtime.tasks.api.health import TaskEvents


class QueryFailures:
    """The queries whose last run failed. For the compute thread only."""

    def __init__(self, events: TaskEvents) -> None:
        """Begin without failures.

        Args:
            events: creates events of the topic `_internal`.
        """
        self._events = events
        self._failing: dict[str, dict[str, str]] = {}

    def note(self, task: str, node: str, failure: str) -> str:
        """Note the error of a node's query; "" if it succeeded.

        Returns:
            The errors of all failing queries of the task; "" for none.
        """
        failing = self._failing.setdefault(task, {})
        name = f"{node} of task {task}"
        if not failure:
            failing.pop(node, None)
            self._events.settle(task, f"{name} succeeds", node)
        else:
            before = self._events.state(task, node)
            # reported once, however often the query fails
            if before is None or before.level is Level.OK:
                text = f"{name} fails: {failure}"
                self._events.report(task, Level.CRITICAL, text, node)
            failing[node] = failure
        errors = [f"{node}: {text}" for node, text in sorted(failing.items())]
        if not failing:
            del self._failing[task]
        return "; ".join(errors)

    def forget(self, task: str) -> None:
        """Forget failures from before the task was restarted."""
        self._failing.pop(task, None)

    def ended(self, task: str, nodes: Iterable[str]) -> None:
        """Report the recovery of a task that was disabled, renamed or deleted.

        Args:
            task: its id.
            nodes: nodes with a query.
        """
        self.forget(task)
        for node in nodes:
            self._events.settle(task, f"task {task} was disabled or deleted", node)
