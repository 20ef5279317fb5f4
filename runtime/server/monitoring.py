"""Statistics of the server over HTTP: `/debug/vars` and `/metrics`."""

from __future__ import annotations

from runtime.compute.thread import Compute
from runtime.nodes.environment import ServerInfo
from runtime.server.statistics import Statistics
from runtime.services.httpd.messages import Answer, Request, pretty
from runtime.services.httpd.router import Router


class Monitoring:
    """Serves the server's statistics."""

    def __init__(
        self, info: ServerInfo, statistics: Statistics, compute: Compute
    ) -> None:
        self._info = info
        self._statistics = statistics
        self._compute = compute

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/debug/vars", self._vars)
        router.add("GET", "/metrics", self._metrics, base="")

    async def _vars(self, request: Request) -> Answer:
        reader = self._compute.reader
        return await reader.run(lambda: pretty(self._statistics.variables()))

    async def _metrics(self, request: Request) -> Answer:
        # imported here: most servers are not scraped
        from runtime.server.metrics import exposition

        def exposed() -> Answer:
            now = self._statistics.snapshot()
            body, content_type = exposition(self._info, now, request.accept)
            return Answer(200, body, content_type)

        return await self._compute.reader.run(exposed)
