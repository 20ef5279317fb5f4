"""From method and path to the handler, by the rules of Go's ServeMux."""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from runtime.services.httpd.messages import BASE, PREVIEW, Handler

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS")


class Found(NamedTuple):
    """The handler of a request.

    Attributes:
        handler: the route's handler.
        path: path of the route.
        rest: remainder of the path after a pattern that ends in `/`.
    """

    handler: Handler
    path: str
    rest: str = ""


class Router:
    """Routes, each method with its own table.

    A pattern that ends in `/` matches all paths below it; the longest pattern wins. A
    pattern that ends in `/{$}` matches that path only.
    """

    def __init__(self) -> None:
        self._exact: dict[tuple[str, str], Handler] = {}
        self._subtrees: dict[str, dict[str, Handler]] = {}

    def add(
        self, method: str, pattern: str, handler: Handler, *, base: str = BASE
    ) -> None:
        """Let `handler` answer `method` on `pattern` below `base`.

        Raises:
            ValueError: the method is unknown, or the pattern is taken.
        """
        full = (base + pattern).removesuffix("{$}")
        if method not in METHODS:
            raise ValueError(f"unknown method {method}")
        table = self._subtrees.setdefault(method, {})
        if (method, full) in self._exact or full in table:
            raise ValueError(f"{method} {full} already has a handler")
        if pattern.endswith("/"):
            table[full] = handler
        else:
            self._exact[method, full] = handler

    def find(self, method: str, path: str) -> Found | None:
        """Find the handler, or None; the preview's paths lead to the current ones."""
        found = self._find(method, path)
        if found is None and path.startswith(f"{PREVIEW}/"):
            found = self._find(method, BASE + path.removeprefix(PREVIEW))
        return found

    def routes(self) -> dict[str, list[str]]:
        """The methods of each pattern."""
        methods: dict[str, list[str]] = {}
        for method, pattern in self._exact:
            methods.setdefault(pattern, []).append(method)
        for method, table in self._subtrees.items():
            for pattern in table:
                methods.setdefault(pattern, []).append(method)
        return methods

    def _find(self, method: str, path: str) -> Found | None:
        exact = self._exact.get((method, path))
        if exact is not None:
            return Found(exact, path)
        table = self._subtrees.get(method, {})
        # the patterns are few, the slashes of a path may be many
        pattern = max(filter(path.startswith, table), key=len, default=None)
        if pattern is None:
            return None
        return Found(table[pattern], path, path.removeprefix(pattern))


def cleaned(path: str) -> str:
    """`path` without `//`, `/./` and `/../`; a final slash stays.

    Source: Go net/http, cleanPath.
    """
    # posixpath keeps two leading slashes, which have no meaning in a URL
    clean = posixpath.normpath(f"/{path.lstrip('/')}")
    return f"{clean}/" if path.endswith("/") and clean != "/" else clean
