"""The HTTP API of deliveries: list, resend, discard."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from runtime.compute.thread import Compute
from runtime.delivery import Backlog
from runtime.delivery.messages import Address, DeliveryFilter, Message
from runtime.errors import ConflictError, InvalidError, NotFoundError
from runtime.golang.quoting import quote
from runtime.services.httpd.credentials import IN_QUERY
from runtime.services.httpd.listing import Page, natural
from runtime.services.httpd.messages import (
    BASE,
    NO_CONTENT,
    Answer,
    Request,
    pretty,
    self_link,
)
from runtime.services.httpd.router import Router
from runtime.units import rfc3339

PATH = "/deliveries"
_FILTERS = ("state", "topic", "handler")
STATES = ("pending", "dead", "cancelled")
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


class DeliveriesAPI:
    """Answers below `/kapacitor/v1/deliveries`."""

    def __init__(self, backlog: Backlog, compute: Compute) -> None:
        """Create the API of `backlog`, with changes on the compute thread."""
        self._backlog = backlog
        self._compute = compute

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        for method, pattern in (
            ("GET", PATH),
            ("GET", f"{PATH}/"),
            ("POST", f"{PATH}/"),
            ("DELETE", f"{PATH}/"),
        ):
            router.add(method, pattern, self)

    async def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        parts = request.rest.split("/") if request.rest else []
        match request.method, parts:
            case "GET", []:
                return await self._compute.reader.run(self._list, request)
            case "POST", ["resend"]:
                _check(request, _FILTERS)
                return pretty({"count": await self.resend(_filter(request))})
            case "POST", [number, "resend"]:
                _check(request, ())
                return pretty({"count": await self.resend_one(number)})
            case _:
                if request.method != "GET":
                    _check(request, ())
                return await self._compute.run(self._answer, request.method, parts)

    def _answer(self, method: str, parts: list[str]) -> Answer:
        match method, parts:
            case "GET", [number]:
                return pretty(self._tree(self._message(number)))
            case ("POST", [number, "discard"]) | ("DELETE", [number]):
                return self._discard(self._message(number))
            case _:
                raise NotFoundError("Not Found")

    def _list(self, request: Request) -> Answer:
        wanted = _filter(request)
        page = Page.of(request, DEFAULT_LIMIT, MAX_LIMIT)
        messages = self._backlog.outbox.lookup.messages(
            wanted.state,
            topic=wanted.topic,
            handler=wanted.handler,
            after=natural(request, "after", 0),
            offset=page.offset,
            limit=page.limit,
        )
        link = self_link(request.uri)
        return pretty(
            {"link": link, "deliveries": [self._tree(each) for each in messages]}
        )

    def _message(self, number: str) -> Message:
        message = None
        if number.isascii() and number.isdigit() and len(number) < 19:
            message = self._backlog.outbox.lookup.get(int(number))
        if message is None:
            raise NotFoundError(f"unknown delivery: {number}")
        return message

    async def resend(self, wanted: DeliveryFilter) -> int:
        """Resend dead and cancelled deliveries; return their number.

        Raises:
            RefusedError: the messages are pending anyway.
            StoreError: the database cannot be written.
        """
        if wanted.state == "pending":
            raise InvalidError(
                "pending deliveries cannot be resent: they are sent anyway"
            )
        slices = self._compute.each(self._backlog.resend(wanted))
        return sum([count async for count in slices])

    async def resend_one(self, number: str) -> int:
        """Resend one delivery; return 1, or 0 if another request already did.

        Args:
            number: id of the delivery.

        Raises:
            RefusedError: the delivery does not exist, is pending, or has no running
                handler.
            StoreError: the database cannot be written.
        """
        return await self._compute.run(self._resend_one, number)

    def _resend_one(self, number: str) -> int:
        message = self._message(number)
        if message.state == "pending":
            raise ConflictError(f"delivery {message.id} is pending: it is sent anyway")
        self.check_handler(message.address)
        return sum(self._backlog.resend(DeliveryFilter(), message.id))

    def check_handler(self, address: Address) -> None:
        """Refuse to send to a handler that does not run.

        Raises:
            RefusedError: the handler does not run.
        """
        if not self._backlog.queues.has_handler(address):
            topic, handler = address
            text = f"handler {handler} of topic {topic} does not run"
            raise ConflictError(text)

    def _discard(self, message: Message) -> Answer:
        if not self._backlog.discard(message):
            raise ConflictError(
                f"delivery {message.id} is running: try again when its "
                "attempt has ended"
            )
        return NO_CONTENT

    def _tree(self, message: Message) -> dict[str, Any]:
        event, timeline = message.event, self._backlog.timeline
        is_pending = message.state == "pending"
        return {
            "link": self_link(f"{BASE}{PATH}/{message.id}"),
            "id": message.id,
            "topic": message.address.topic,
            "handler": message.address.handler,
            "state": message.state,
            "event": event.state.id,
            "level": str(event.state.level),
            "message": event.state.message,
            "time": rfc3339(event.state.time),
            "attempts": message.attempts,
            "error": message.error,
            "maybe-duplicate": message.maybe_duplicate,
            "created": rfc3339(timeline.shown(message.created)),
            "due": rfc3339(self._backlog.next_attempt(message)) if is_pending else None,
            "key": self._backlog.outbox.key(message),
        }


def _check(request: Request, known: Collection[str]) -> None:
    """Refuse a misspelled request, which would do more than intended.

    Raises:
        RefusedError: a parameter is unknown, empty, given twice or cannot be read, or
            there is a body.
    """
    does = f"{request.method} {BASE}{PATH}/{request.rest}"
    takes = f"takes {', '.join(known)}" if known else "takes no parameters"
    sent = [part for part in request.query_string.split("&") if part]
    if len(sent) > sum(map(len, request.query.values())):
        raise InvalidError("invalid query: write % as %25 and ; as %3B")
    for name, values in request.query.items():
        if name in IN_QUERY:
            continue
        if name not in known:
            raise InvalidError(f"unknown parameter {quote(name)}: {does} {takes}")
        if len(values) > 1:
            raise InvalidError(f"parameter {quote(name)} is given {len(values)} times")
        if not values[0]:
            text = f"parameter {quote(name)} is empty: leave it out to select all"
            raise InvalidError(text)
    if request.body.strip() not in (b"", b"{}", b"null"):
        raise InvalidError(f"{does} accepts no body, only parameters in the URL")


def _filter(request: Request) -> DeliveryFilter:
    state = request.parameter("state")
    if state and state not in STATES:
        raise InvalidError(f"invalid state {state}, must be one of {', '.join(STATES)}")
    return DeliveryFilter(
        state, request.parameter("topic"), request.parameter("handler")
    )
