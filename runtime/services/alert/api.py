"""The HTTP API of topics, their events and their handlers.

Source: Kapacitor services/alert/api.go.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runtime.alert.topics import Topic
from runtime.alert.types import EventState, Level
from runtime.compute.thread import Compute
from runtime.errors import (
    FailedError,
    InvalidError,
    NotFoundError,
    OptionsError,
    RefusedError,
)
from runtime.golang.glob import PatternError
from runtime.golang.json import quote as literal
from runtime.golang.json_decode import JsonError, first_value, plain
from runtime.golang.json_syntax import syntax_error
from runtime.golang.quoting import quote
from runtime.services.alert.json_patch import Json, PatchError, apply
from runtime.services.alert.policy import OPEN, Policy
from runtime.services.alert.service import AlertService
from runtime.services.alert.specs import HandlerSpec, decoded_fields, redacted
from runtime.services.alert.subscriptions import Subscription
from runtime.services.httpd.listing import Listed, Page
from runtime.services.httpd.messages import (
    BASE,
    PREVIEW,
    Answer,
    Request,
    pretty,
    status_of,
)
from runtime.services.httpd.router import Router
from runtime.units import go_duration, rfc3339

_ROUTE = "/alerts/topics"
PATH = f"{BASE}{_ROUTE}"


class Reply(NamedTuple):
    """An answer, before it is encoded.

    Attributes:
        status: HTTP status.
        value: the body as a tree for JSON; None for no body at all.
    """

    status: int
    value: Any = None


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters of a request.

    Attributes:
        pattern: pattern of the ids to list; "" for all.
        min_level: lowest level to list; "" for all.
        page: part of the list to return.
    """

    pattern: str = ""
    min_level: str = ""
    page: Page = field(default_factory=Page)


class AlertAPI:
    """Answers the requests below `/kapacitor/v1/alerts/topics`."""

    def __init__(self, service: AlertService, policy: Policy = OPEN) -> None:
        self._service = service
        self._policy = policy

    def add_routes(self, router: Router, compute: Compute) -> None:
        """Add the routes.

        Changes are made on the compute thread; reads run beside it.
        """
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            for pattern in (_ROUTE, f"{_ROUTE}/"):
                router.add(method, pattern, _Answering(self, compute, pattern))

    def handle(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: bytes = b"",
        uri: str = PATH,
    ) -> Reply:
        """Answer one request: any thread may read, only the compute thread may change.

        Args:
            method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
            path: decoded path after `/kapacitor/v1/alerts/topics`: "" for the list,
                `/cpu`, `/cpu/handlers/h1`.
            query: its parameters.
            body: its body.
            uri: path and query as sent.

        Returns:
            The answer; the caller encodes lists.

        Raises:
            StoreError: the database cannot be written.
        """
        query = query or Query()
        parts = path.removeprefix("/").split("/")
        try:
            match method:
                case "GET":
                    return self._get(path, parts, query, uri)
                case "POST" if path:
                    return self._create(parts[0], body)
                case "PUT" | "PATCH" if path:
                    return self._change(method, parts, body)
                case "DELETE" if path:
                    return self._delete(parts)
                case _:
                    raise NotFoundError("Not Found")
        except RefusedError as refusal:
            text = str(refusal)
            return Reply(status_of(refusal), {"error": text, "message": text})

    def _get(self, path: str, parts: list[str], query: Query, uri: str) -> Reply:
        if not path:
            return self._topics(query, uri)
        match parts:
            case [topic, "handlers"]:
                return self._handlers(topic, query, uri)
            case [topic, "handlers", handler]:
                return Reply(200, self._handler_tree(self._spec(topic, handler)))
            case [topic, "events"]:
                return self._events(topic, query)
            case [topic, "events", event]:
                # as in Kapacitor, the last part of the path is the id
                return self._event(topic, event or "events")
            case _:
                return Reply(200, _topic_tree(_shown(self._topic(parts[0]))))

    def _topics(self, query: Query, uri: str) -> Reply:
        level = _level(query)
        try:
            topics = self._service.topics.matching(query.pattern, level)
        except PatternError as error:
            raise InvalidError(f"invalid pattern: {error}") from None
        shown = [_shown(topic) for topic in query.page.pick(topics)]
        head = {"link": _link(uri)}
        return Reply(200, Listed(head, "topics", shown, _topic_tree))

    def _topic(self, topic: str) -> Topic:
        found = self._service.topics.get(topic)
        if found is None:
            raise NotFoundError(f"unknown topic: {quote(topic)}")
        return found

    def _events(self, topic: str, query: Query) -> Reply:
        level = _level(query)
        found = self._service.topics.get(topic)
        if found is None:
            text = f"failed to get topic events: unknown topic {quote(topic)}"
            raise FailedError(text)
        head = {"link": _link(f"{PATH}/{topic}/events"), "topic": topic}
        states = query.page.pick(found.at_least(level))
        link = f"{PATH}/{topic}/events/"
        listed = Listed(
            head,
            "events",
            states,
            lambda state: _event_tree(topic, state),
            lambda state: _event_text(link, state),
        )
        return Reply(200, listed)

    def _event(self, topic: str, event: str) -> Reply:
        state = self._service.event_state(topic, event)
        if state is None:
            text = f"unknown event {quote(event)} in topic {quote(topic)}"
            raise NotFoundError(text)
        return Reply(200, _event_tree(topic, state))

    def _handlers(self, topic: str, query: Query, uri: str) -> Reply:
        try:
            specs = self._service.handlers.matching(topic, query.pattern)
        except PatternError as error:
            raise InvalidError(f"invalid pattern: {error}") from None
        shown = [
            (spec, self._service.handlers.running(spec))
            for spec in query.page.pick(specs)
        ]
        head = {"link": _link(uri), "topic": topic}
        return Reply(200, Listed(head, "handlers", shown, _handler_tree))

    def _create(self, topic: str, body: bytes) -> Reply:
        try:
            fields = decoded_fields(body)
        except JsonError as error:
            raise InvalidError(f"invalid handler json: {error}") from None
        spec = _received({**fields, "topic": topic})
        with _failing("create"):
            spec = self._service.admission.create(spec, self._policy)
        return Reply(200, self._handler_tree(spec))

    def _change(self, method: str, parts: list[str], body: bytes) -> Reply:
        handler = parts[2] if len(parts) == 3 and parts[1] == "handlers" else ""
        before = self._spec(parts[0], handler)
        fields = _put(body) if method == "PUT" else _patched(before, body)
        if method == "PUT":
            fields["topic"] = before.topic
        elif fields.get("topic", "") != before.topic:
            text = "failed to update handler: cannot change topic in update"
            raise FailedError(text)
        spec = _received(fields)
        with _failing("update"):
            spec = self._service.admission.update(before, spec, self._policy)
        return Reply(200, self._handler_tree(spec))

    def _delete(self, parts: list[str]) -> Reply:
        if len(parts) == 3 and parts[1] == "handlers":
            self._service.handlers.delete(parts[0], parts[2])
        else:
            self._service.delete_topic(parts[0])
        return Reply(204)

    def _spec(self, topic: str, handler: str) -> HandlerSpec:
        return self._service.handlers.get(topic, handler)

    def _handler_tree(self, spec: HandlerSpec) -> dict[str, Any]:
        return _handler_tree((spec, self._service.handlers.running(spec)))


class _Answering:
    """The API behind one pattern."""

    def __init__(self, api: AlertAPI, compute: Compute, pattern: str) -> None:
        self._api = api
        self._compute = compute
        self._slash = "/" if pattern.endswith("/") else ""

    async def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        reads = request.method == "GET"
        run = self._compute.reader.run if reads else self._compute.run
        reply = await run(
            self._api.handle,
            request.method,
            self._slash + request.rest,
            Query(
                request.parameter("pattern"),
                request.parameter("min-level"),
                Page.of(request) if reads else Page(),
            ),
            request.body,
            # links use one base path, whatever the path of the request
            request.uri.replace(f"{PREVIEW}/", f"{BASE}/", 1),
        )
        if isinstance(reply.value, Listed):
            return await reply.value.answer(self._compute.reader)
        if reply.value is None:
            return Answer(reply.status)
        return pretty(reply.value, reply.status)


def _level(query: Query) -> Level:
    try:
        return Level.parse(query.min_level)
    except ValueError as error:
        raise InvalidError(str(error)) from None


def _received(fields: dict[str, Any]) -> HandlerSpec:
    try:
        return HandlerSpec.received(fields)
    except OptionsError as error:
        raise InvalidError(str(error)) from None


@contextlib.contextmanager
def _failing(action: str) -> Iterator[None]:
    """Prefix the refusal of a handler with the attempted action."""
    try:
        yield
    except RefusedError as error:
        error.prefix(f"failed to {action} handler")
        raise
    except OptionsError as error:
        raise FailedError(f"failed to {action} handler: {error}") from None


def _put(body: bytes) -> dict[str, Any]:
    try:
        return decoded_fields(body)
    except JsonError as error:
        raise InvalidError(f"failed to unmarshal JSON: {error}") from None


def _patched(before: HandlerSpec, body: bytes) -> dict[str, Any]:
    patch = _patch(body)
    try:
        document = apply(patch, before.tree)
    except PatchError as error:
        raise InvalidError(f"failed to apply patch: {error}") from None
    try:
        return decoded_fields(json.dumps(document).encode())
    except JsonError as error:
        raise FailedError(f"failed to unmarshal patched json: {error}") from None


def _patch(body: bytes) -> list[Json]:
    text = body.decode("utf-8", "replace")
    try:
        json.loads(text)
        value = plain(first_value(body))
    except (ValueError, RecursionError):
        raise InvalidError(f"invalid patch json: {_whole(text)}") from None
    if value is None:
        return []
    if not isinstance(value, list):
        kinds = {dict: "object", str: "string", bool: "bool", float: "number"}
        text = (
            f"json: cannot unmarshal {kinds[type(value)]} "
            "into Go value of type jsonpatch.Patch"
        )
        raise InvalidError(f"invalid patch json: {text}")
    return value


def _whole(text: str) -> str:
    """The error for a body that must be exactly one JSON value.

    Source: Go json.Unmarshal, which words an unexpected end differently from Decoder.
    """
    problem = syntax_error(text.lstrip())
    if problem in ("EOF", "unexpected EOF"):
        return "unexpected end of JSON input"
    return problem


def _link(href: str) -> dict[str, str]:
    return {"rel": "self", "href": href}


def _shown(topic: Topic) -> tuple[str, str, int]:
    """The current state of a topic for clients."""
    return topic.id, str(topic.level), topic.collected


def _topic_tree(shown: tuple[str, str, int]) -> dict[str, Any]:
    id, level, collected = shown
    href = f"{PATH}/{id}"
    return {
        "link": _link(href),
        "id": id,
        "level": level,
        "collected": collected,
        "events-link": {"rel": "events", "href": f"{href}/events"},
        "handlers-link": {"rel": "handlers", "href": f"{href}/handlers"},
    }


def _handler_tree(shown: tuple[HandlerSpec, Subscription | None]) -> dict[str, Any]:
    spec, running = shown
    return {
        "link": _link(f"{PATH}/{spec.topic}/handlers/{spec.id}"),
        "id": spec.id,
        "kind": spec.kind,
        "options": redacted(spec.options, running and running.options),
        "match": spec.match,
    }


def _event_text(link: str, state: EventState) -> str:
    """The JSON of `_event_tree`, faster, for lists of a hundred thousand events."""
    return f"""{{
    "link": {{
        "rel": "self",
        "href": {literal(link + state.id)}
    }},
    "id": {literal(state.id)},
    "state": {{
        "message": {literal(state.message)},
        "details": {literal(state.details)},
        "time": "{rfc3339(state.time)}",
        "duration": "{go_duration(state.duration)}",
        "level": "{state.level}"
    }}
}}"""


def _event_tree(topic: str, state: EventState) -> dict[str, Any]:
    return {
        "link": _link(f"{PATH}/{topic}/events/{state.id}"),
        "id": state.id,
        "state": {
            "message": state.message,
            "details": state.details,
            "time": rfc3339(state.time),
            "duration": go_duration(state.duration),
            "level": str(state.level),
        },
    }
