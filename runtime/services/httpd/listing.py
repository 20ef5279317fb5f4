"""Lists: the requested page, and responses with long lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from runtime.compute.worker import Worker, paced
from runtime.errors import InvalidError
from runtime.golang.glob import PatternError, match
from runtime.golang.json import dumps
from runtime.golang.quoting import quote
from runtime.services.httpd.messages import Answer, Request

T = TypeVar("T")

# Kapacitor's limit, for lists that it divides into pages
KAPACITORS_LIMIT = 100
# limit for lists that Kapacitor does not divide
DEFAULT_LIMIT = 1000

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_INDENT = "    "
# Number of items that are sent at a time.
_SLICE = 500
# Number of items to encode before the worker's thread sleeps.
_TURN = 25


@dataclass(frozen=True, slots=True)
class Listing:
    """The selection of a list request.

    Attributes:
        pattern: glob on the id; "" for all.
        fields: names of the fields to return.
        offset: number of items to skip.
        limit: maximum number of items; negative for all, with any pattern.
    """

    pattern: str
    fields: frozenset[str]
    offset: int
    limit: int

    @classmethod
    def of(cls, request: Request, known: Collection[str]) -> Listing:
        """Read from a request.

        Raises:
            RefusedError: a field is unknown, or a number is invalid.
        """
        fields = [each for each in request.query.get("fields", []) if each]
        for field in fields:
            if field not in known:
                raise InvalidError(f"unsupported field {quote(field)}")
        return cls(
            request.parameter("pattern"),
            frozenset((*fields, "id", "link")) if fields else frozenset(known),
            integer(request, "offset", 0),
            integer(request, "limit", KAPACITORS_LIMIT),
        )

    def pick(self, ids: Sequence[str]) -> list[str]:
        """The ids on the page, out of all in order."""
        if self.limit < 0:
            return list(ids)[max(0, self.offset) :]
        try:
            matching = [id for id in ids if not self.pattern or match(self.pattern, id)]
        except PatternError:
            return []
        start = max(0, self.offset)
        return matching[start : start + self.limit]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list that Kapacitor always sends completely.

    Attributes:
        offset: number of items to skip.
        limit: maximum number of items.
    """

    offset: int = 0
    limit: int = DEFAULT_LIMIT

    @classmethod
    def of(
        cls, request: Request, limit: int = DEFAULT_LIMIT, most: int | None = None
    ) -> Page:
        """The page that a request selects.

        Args:
            request: request with optional parameters `offset` and `limit`.
            limit: default of `limit`.
            most: maximum of `limit`.

        Raises:
            RefusedError: a number is not an integer, or is negative.
        """
        wanted = natural(request, "limit", limit)
        return cls(
            natural(request, "offset", 0), wanted if most is None else min(wanted, most)
        )

    def pick(self, items: Sequence[T]) -> Sequence[T]:
        """The items to show."""
        return items[self.offset : self.offset + self.limit]


def integer(request: Request, name: str, default: int) -> int:
    """A parameter that is a number.

    Raises:
        RefusedError: it is not an integer, or needs more than 64 bits.

    Source: the texts of Kapacitor and of Go strconv.ParseInt.
    """
    text = request.parameter(name)
    if not text:
        return default
    problem, value = "", 0
    if not _INTEGER.fullmatch(text):
        problem = "invalid syntax"
    # Python refuses to convert thousands of digits, zeros included
    elif len(digits := text.lstrip("+-0")) > 19:
        problem = "value out of range"
    else:
        value = int(digits or "0") * (-1 if text[0] == "-" else 1)
        problem = "" if value in _INT64 else "value out of range"
    if problem:
        raise InvalidError(
            f"invalid {name} parameter {quote(text)} must be an integer: "
            f"strconv.ParseInt: parsing {quote(text)}: {problem}"
        )
    return value


def natural(request: Request, name: str, default: int) -> int:
    """A parameter that is a number and not negative.

    Raises:
        RefusedError: it is not an integer, or is negative.
    """
    value = integer(request, name, default)
    if value < 0:
        text = quote(request.parameter(name))
        raise InvalidError(f"invalid {name} parameter {text} must not be negative")
    return value


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """An answer that consists mainly of a list.

    Attributes:
        head: fields before the list.
        name: name of the list's field.
        items: items of the list; they must not change.
        tree: returns the JSON tree of an item.
        text: returns an item as JSON text, indented as at top level; by default derived
            from its tree.
    """

    head: Mapping[str, Any]
    name: str
    items: Sequence[T]
    tree: Callable[[T], Any]
    text: Callable[[T], str] | None = None

    @property
    def value(self) -> dict[str, Any]:
        """The answer as a tree."""
        return {**self.head, self.name: [self.tree(each) for each in self.items]}

    async def answer(self, worker: Worker) -> Answer:
        """Encode the list on `worker`; send a long one while it is encoded."""
        if len(self.items) > DEFAULT_LIMIT:
            return Answer(stream=worker.each(self.parts()))
        return Answer(body=await worker.run(b"".join, self.parts()))

    def parts(self) -> Iterator[bytes]:
        """The text, in parts."""
        whole = dumps({**self.head, self.name: []}, indent=_INDENT)
        head, _, tail = whole.rpartition("[]")
        if not self.items:
            yield whole.encode()
            return
        line = "\n" + 2 * _INDENT
        between = head + "[" + line
        for start in range(0, len(self.items), _SLICE):
            texts = map(self._text, paced(self.items[start : start + _SLICE], _TURN))
            # line ends occur only in the layout: JSON escapes others
            part = [text.replace("\n", line) for text in texts]
            yield (between + f",{line}".join(part)).encode()
            between = "," + line
        yield f"\n{_INDENT}]{tail}".encode()

    def _text(self, item: T) -> str:
        if self.text is not None:
            return self.text(item)
        return dumps(self.tree(item), indent=_INDENT)
