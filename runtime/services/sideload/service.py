"""The API of sideloaded values."""

from __future__ import annotations

import asyncio

from runtime.compute.thread import Compute
from runtime.errors import FailedError
from runtime.golang.quoting import quote
from runtime.services.httpd.messages import NO_CONTENT, Answer, Request
from runtime.services.httpd.router import Router
from runtime.services.sideload.sources import SideloadError, Sources, Values, read


class SideloadService:
    """Answers below `/sideload`."""

    def __init__(self, sources: Sources, compute: Compute) -> None:
        """Create the API.

        Args:
            sources: the directories in use.
            compute: compute thread, which owns the sources.
        """
        self._sources = sources
        self._compute = compute

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        router.add("POST", "/sideload/reload", self._reload)

    async def _reload(self, request: Request) -> Answer:
        """Reload all directories; if one fails, no values change."""
        found: dict[str, Values] = {}
        for directory in await self._compute.run(lambda: self._sources.directories):
            try:
                # in a thread: reading files may be slow, and tasks go on meanwhile
                found[directory] = await asyncio.to_thread(read, directory)
            except SideloadError as error:
                text = f"failed to update source {quote(directory)}: {error}"
                raise FailedError(text) from error
        await self._compute.run(self._sources.replace, found)
        return NO_CONTENT
