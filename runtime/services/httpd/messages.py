"""Requests and answers of the API, free of any HTTP library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from runtime.golang.json import encode
from runtime.golang.queries import parse_query
from runtime.services.httpd.users import User

BASE = "/kapacitor/v1"
PREVIEW = "/kapacitor/v1preview"
# The page for people, where the server's own address leads.
STATUS_PATH = "/"

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"

# Most bytes of the body of a write, compressed or not.
MAX_BODY_BYTES = 25 * 1024 * 1024
# Seconds after which a client that was refused for lack of room may try again.
RETRY_AFTER_S = 5


@dataclass(slots=True)
class Request:
    """One request.

    Attributes:
        method: `GET`, `POST`, …
        path: decoded, below the current base path even when asked for by the preview's.
        uri: path and query as sent.
        query_string: undecoded, without `?`.
        body: as sent, not decompressed.
        content_encoding: the header's value.
        rest: what follows the route's pattern in the path, where that ends in `/`.
        authorization: the header's value.
        accept: the header's value.
        user: whose credentials it has; None where requests need none.
        remote: address of the client, "" where there is none.
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
        body: complete, not compressed.
        content_type: None for none at all.
        headers: besides those that every answer has.
        marked: whether version and request id are sent.
        stream: what comes after `body`, as it comes; such an answer is not compressed.
    """

    status: int = 200
    body: bytes = b""
    content_type: str | None = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    marked: bool = True
    stream: AsyncIterator[bytes] | None = None


class RefusedError(Exception):
    """A request is answered with an error.

    Attributes:
        status: of the answer.
    """

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status

    def answer(self) -> Answer:
        """What the client is told."""
        return failure(str(self), self.status)


class WriteError(RefusedError):
    """A write is refused as a whole."""

    def answer(self) -> Answer:
        """The answer for the writer: plain text, labelled JSON as Kapacitor has it."""
        return Answer(self.status, f"{self}\n".encode())


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
    """An error that passes: the client may try again soon."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return replace(failure(text, status), headers=headers)


def self_link(href: str) -> dict[str, str]:
    """The link of an object to itself."""
    return {"rel": "self", "href": href}


NOT_FOUND = failure("Not Found", 404)
TOO_SLOW = failure("the request took too long", 408)
