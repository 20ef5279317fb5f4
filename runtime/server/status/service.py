"""Answers at `/`: the status page and its re-send button."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from runtime.compute.thread import Compute
from runtime.delivery import Backlog
from runtime.delivery.messages import Address, DeliveryFilter, exactly
from runtime.errors import (
    BusyError,
    InvalidError,
    NotFoundError,
    RefusedError,
    StoreError,
)
from runtime.nodes.environment import ServerInfo
from runtime.server.status.html import Link
from runtime.server.status.overview import Overviews, Query
from runtime.server.status.page import HEADERS, HTMLPages
from runtime.server.status.tables import count
from runtime.services.alert.service import AlertService
from runtime.services.deliveries.api import DeliveriesAPI
from runtime.services.httpd.listing import natural
from runtime.services.httpd.messages import (
    HTML,
    RETRY_AFTER_S,
    STATUS_PATH,
    Answer,
    Request,
    status_of,
)
from runtime.services.httpd.router import Router
from runtime.tasks.api.tasks import Tasks
from runtime.units import Clock

NO_HEADERS: Mapping[str, str] = {}


class StatusPage:
    """Shows tasks, topics, handlers and deliveries; resends deliveries."""

    def __init__(
        self,
        info: ServerInfo,
        tasks: Tasks,
        alerts: AlertService,
        backlog: Backlog,
        compute: Compute,
        clock: Clock,
    ) -> None:
        """Create the page.

        Args:
            info: identity and versions of the server.
            tasks: tasks to show.
            alerts: alert service, source of the topics.
            backlog: backlog, source of the deliveries.
            compute: compute thread; its reader computes pages, the thread itself makes
                changes.
            clock: wall clock, in ns since 1970 UTC.
        """
        self._overviews = Overviews(tasks, alerts, backlog, clock)
        self._deliveries = DeliveriesAPI(backlog, compute)
        self._compute = compute
        self._pages = HTMLPages(info)

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        pattern = f"{STATUS_PATH}{{$}}"
        for method, work in (
            ("GET", self._show),
            ("HEAD", self._show),
            ("POST", self._resend),
        ):
            router.add(method, pattern, self._answering(work), base="")

    def _answering(
        self, work: Callable[[Request], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Answer]]:
        """`work` with its refusals as pages."""

        async def handler(request: Request) -> Answer:
            try:
                return await work(request)
            except (RefusedError, BusyError, StoreError) as error:
                return self._failure(str(error), status_of(error))

        return handler

    async def _show(self, request: Request) -> Answer:
        if request.user is not None and not request.user.may("GET", STATUS_PATH):
            # HEAD requires no privilege
            return Answer(403, content_type=None)
        return await self._compute.reader.run(self._page, request)

    def _page(self, request: Request) -> Answer:
        query = Query.of(request)
        now = self._overviews.now()
        if "of" in request.query:
            topic = request.parameter("of")
            events = self._overviews.events(topic, query)
            if events is None:
                raise NotFoundError(f"There is no topic {topic}.")
            return _answer(self._pages.events(topic, events, now, query))
        if request.parameter("resend") == "all":
            address = self._address(query)
            dead = self._overviews.dead(address)
            if not dead:
                raise NotFoundError("This handler has no dead deliveries.")
            return _answer(self._pages.confirmation(address, dead, now))
        notice = ""
        if "resent" in request.query:
            notice = _resent_notice(natural(request, "resent", 0))
        return _answer(self._pages.overview(self._overviews.of(query), notice))

    async def _resend(self, request: Request) -> Answer:
        query = Query.of(request)
        match request.parameter("resend"):
            case "":
                raise InvalidError("Choose a delivery to re-send.")
            case "all":
                address = self._address(query)
                wanted = DeliveryFilter("dead", *map(exactly, address))
                resent = await self._deliveries.resend(wanted)
                query = Query()
            case number:
                resent = await self._deliveries.resend_one(number)
        shown = Link("", {**query.parameters, "resent": resent}, "dead")
        headers = {**HEADERS, "Location": str(shown)}
        return Answer(303, content_type=None, headers=headers)

    def _address(self, query: Query) -> Address:
        """The handler that a request names.

        Raises:
            RefusedError: it names no handler, or one that is not running.
        """
        address = Address(query.topic, query.handler)
        if not all(address):
            raise InvalidError("Topic and handler are required.")
        self._deliveries.check_handler(address)
        return address

    def _failure(self, problem: str, status: int) -> Answer:
        page = self._pages.failure(problem, self._overviews.now())
        later = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
        return _answer(page, status, later)


def _answer(
    page: bytes, status: int = 200, headers: Mapping[str, str] = NO_HEADERS
) -> Answer:
    return Answer(status, page, HTML, {**HEADERS, **headers})


def _resent_notice(size: int) -> str:
    """The notice about resent deliveries."""
    if not size:
        return "No dead deliveries were left to re-send."
    return f"{count(size, 'delivery was', 'deliveries were')} put back in the queue."
