"""The pages that `httpOut` nodes fill."""

from __future__ import annotations

from runtime.alert.types import Row


class Page:
    """The latest row of every group, in order of the groups' first appearance."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}


class HTTPOutputs:
    """The pages of all `httpOut` nodes, by task and name."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str], Page] = {}

    def open(self, task_id: str, endpoint: str) -> Page:
        """A fresh page of a task."""
        page = self._pages[task_id, endpoint] = Page()
        return page

    def close(self, task_id: str, endpoint: str) -> None:
        """Take a page away."""
        self._pages.pop((task_id, endpoint), None)

    def page(self, task_id: str, endpoint: str) -> Page | None:
        """The page of a task, if a node has opened it."""
        return self._pages.get((task_id, endpoint))
