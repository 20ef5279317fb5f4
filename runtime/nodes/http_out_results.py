"""The pages that `httpOut` nodes fill."""

from __future__ import annotations

from collections.abc import Callable

from runtime.alert.types import Row
from runtime.nodes.rows import row_json


class ResultPage:
    """The latest row of every group, in order of the groups' first appearance."""

    def __init__(self) -> None:
        self._rows: dict[str, Callable[[], Row]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def show(self, group: str, row: Callable[[], Row]) -> None:
        """Replace the row of a group; the row is built when the page is requested."""
        self._rows[group] = row

    def forget(self, group: str) -> None:
        """Remove the row of a group."""
        self._rows.pop(group, None)

    def rows(self) -> list[Row]:
        """The rows of the page."""
        return [row() for row in self._rows.values()]

    def json(self) -> dict[str, object]:
        """The page as a tree of JSON values: `{"series": […]}`, null when empty."""
        return {"series": [row_json(row) for row in self.rows()] or None}


class HTTPOutputs:
    """The pages of all `httpOut` nodes, by task and name."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str], ResultPage] = {}

    def open(self, task_id: str, endpoint: str) -> ResultPage:
        """Open an empty page of a task."""
        page = self._pages[task_id, endpoint] = ResultPage()
        return page

    def close(self, task_id: str, endpoint: str) -> None:
        """Remove a page."""
        self._pages.pop((task_id, endpoint), None)

    def page(self, task_id: str, endpoint: str) -> ResultPage | None:
        """The page of a task, or None."""
        return self._pages.get((task_id, endpoint))
