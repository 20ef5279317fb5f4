"""Requests and answers of the API, independent of any HTTP library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runtime.errors import (
    BusyError,
    ConflictError,
    CredentialsError,
    FailedError,
    ForbiddenError,
    InvalidError,
    KapacitorError,
    NotFoundError,
    StoreError,
    TooLargeError,
    TooManyError,
)
from runtime.golang.json import encode
from runtime.golang.queries import parse_query
from runtime.services.httpd.users import User

BASE = "/kapacitor/v1"
PREVIEW = "/kapacitor/v1preview"
# Path of the status page.
STATUS_PATH = "/"

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"

# Maximum size of the body of a write, compressed or not.
MAX_BODY_BYTES = 25 * 1024 * 1024
# Seconds after which a client that was refused for lack of room may try again.
RETRY_AFTER_S = 5


@dataclass(slots=True)
class Request:
    """One request.

    Attributes:
        method: `GET`, `POST`, …
        path: decoded path, below the current base path even if requested below the
            preview's.
        uri: path and query, as sent.
        query_string: query string as sent, without `?`.
        body: body as sent, not decompressed.
        content_encoding: value of the `Content-Encoding` header.
        rest: remainder of the path after a route pattern that ends in `/`.
        authorization: value of the `Authorization` header.
        accept: value of the `Accept` header.
        user: authenticated user; None if authentication is disabled.
        remote: address of the client, or "".
    """

    method: str
    path: str
    uri: str = ""
    query_string: str = ""
    body: bytes = b""
    content_encoding: str = ""
    rest: str = ""
    authorization: str = field(default="", repr=False)
    accept: str = ""
    user: User | None = None
    remote: str = ""

    @property
    def query(self) -> dict[str, list[str]]:
        """All parameters, in the order sent."""
        return parse_query(self.query_string)

    def parameter(self, name: str, default: str = "") -> str:
        """The first value of a parameter of the query."""
        values = self.query.get(name)
        return values[0] if values else default


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: HTTP status.
        body: complete body, not compressed.
        content_type: value of the `Content-Type` header; None to omit it.
        headers: headers in addition to those of every response.
        marked: True to send version and request id.
        stream: parts that follow `body`; a response with a stream is not compressed.
    """

    status: int = 200
    body: bytes = b""
    content_type: str | None = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    marked: bool = True
    stream: AsyncIterator[bytes] | None = None


# Statuses of errors; all other errors have status 500.
STATUSES: Mapping[type[KapacitorError], int] = {
    InvalidError: 400,
    CredentialsError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    TooLargeError: 413,
    TooManyError: 429,
    FailedError: 500,
    BusyError: 503,
    StoreError: 503,
}


_TEMPORARY = frozenset((429, 503))


def status_of(error: KapacitorError) -> int:
    """The status of the response to a request that failed with `error`."""
    found = (STATUSES[each] for each in type(error).__mro__ if each in STATUSES)
    return next(found, 500)


Handler = Callable[[Request], Awaitable[Answer]]

NO_CONTENT = Answer(204)


def pretty(value: Any, status: int = 200, *, sort_keys: bool = False) -> Answer:
    """An answer in the form of tasks, topics and errors."""
    return Answer(status, encode(value, indent="    ", sort_keys=sort_keys))


def compact(value: Any, status: int = 200, *, newline: bool = True) -> Answer:
    """An answer in the form of configuration and service tests."""
    return Answer(status, encode(value, newline=newline))


def failure(text: str, status: int) -> Answer:
    """An error in the API's shape."""
    return pretty({"error": text, "message": text}, status)


def overloaded(text: str, status: int = 503) -> Answer:
    """A temporary error: the client may try again soon."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return replace(failure(text, status), headers=headers)


def answer_to(error: KapacitorError) -> Answer:
    """The response to a request that failed with `error`."""
    status = status_of(error)
    return (overloaded if status in _TEMPORARY else failure)(str(error), status)


def self_link(href: str) -> dict[str, str]:
    """The link of an object to itself."""
    return {"rel": "self", "href": href}


NOT_FOUND = failure("Not Found", 404)
UNMARKED_NOT_FOUND = Answer(404, NOT_FOUND.body, marked=False)
TOO_SLOW = failure("the request took too long", 408)
