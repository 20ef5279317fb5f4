"""Functions for integrations that build requests and read responses."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import html as html_
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from json import loads
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote as quote_

from runtime import units
from runtime.alert.serialize import event_line, row_tree
from runtime.alert.types import Event, Row
from runtime.errors import DeliveryError
from runtime.golang.printing import text
from runtime.golang.quoting import quote as quoted
from runtime.golang.utf8 import scrub
from runtime.outbound.idempotency import idempotency_key
from runtime.secrets import Secret
from runtime.units import MILLISECOND, SECOND, Nanoseconds

T = TypeVar("T")

# reasons to doubt the answer that is being judged
_doubts: ContextVar[list[str] | None] = ContextVar("doubts", default=None)
_NO_MEMORY: Mapping[str, object] = MappingProxyType({})
_memory: ContextVar[Mapping[str, object]] = ContextVar("memory", default=_NO_MEMORY)
_EMPTY_ROW = Row("")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# the digits of a 64-bit number, and one more
_NUMBER = re.compile(r"([+-]?[0-9]{1,20})(?:\.[0-9]*)?")
# a longer time may be a date
_LONGEST_S = 1e8
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9}|)(Z|[+-]\d\d:\d\d)", re.ASCII
)


class EndpointAnswer(Protocol):
    """The answer of an endpoint."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def text(self) -> str:
        """The body as text."""

    @property
    def json(self) -> Any:
        """The body decoded from JSON, or None if it is not JSON."""


@contextlib.contextmanager
def judging() -> Iterator[list[str]]:
    """Collect values that were missing or of another type while a response is judged.

    `get`, the comparisons, `contains` and `length` return a value nevertheless. If
    anything was collected, the verdict must not depend on the response alone.
    """
    doubts: list[str] = []
    token = _doubts.set(doubts)
    try:
        yield doubts
    finally:
        _doubts.reset(token)


def get(holder: object, key: str, default: object = "") -> Any:
    """The value under `key`, or the default if there is none or `table` is not a map."""
    found = holder.get(key, default) if isinstance(holder, Mapping) else default
    if found is None or not (isinstance(holder, Mapping) and key in holder):
        _doubt(key)
    return found


def without_empty(table: Mapping[str, object], *keys: str) -> dict[str, object]:
    """`table` without empty values; with `keys`, only these may be left out."""
    optional = keys or table
    return {key: value for key, value in table.items() if value or key not in optional}


def less(left: object, right: object) -> bool:
    """Return `left < right`; False if the two have no order.

    Numbers are ordered among themselves, and so are strings. Nothing else is ordered, and nothing is raised: `less("", 400)`, `less(None, 400)` and `less("5", 400)` are false.
    """
    return _order(left, right) == -1


def at_most(left: object, right: object) -> bool:
    """Return `left <= right`; False if the two have no order, as in `less`."""
    return _order(left, right) in (-1, 0)


def more(left: object, right: object) -> bool:
    """Return `left > right`; False if the two have no order, as in `less`."""
    return _order(left, right) == 1


def at_least(left: object, right: object) -> bool:
    """Return `left >= right`; False if the two have no order, as in `less`."""
    return _order(left, right) in (0, 1)


def contains(holder: object, item: object) -> bool:
    """Return `item in holder` for a string in a string, an item of a list or a key.

    False if `holder` is not a container or `item` has another type. Never raises.
    """
    if isinstance(holder, str):
        return isinstance(item, str) and item in holder
    if isinstance(holder, Mapping):
        return isinstance(item, str) and item in holder
    if not isinstance(holder, Sequence | AbstractSet):
        _doubt("in")
        return False
    # not by hash: an item may be a list
    return any(each == item for each in holder)


def length(value: object) -> int:
    """The length of a string, list or map; 0 for anything else. Never raises."""
    if isinstance(value, str | Sequence | Mapping):
        return len(value)
    _doubt("len")
    return 0


def address_error(value: str | Sequence[str]) -> str:
    """The first of some strings that is not an email address, quoted, with the reason.

    It is "" if all are addresses. A single string may be empty.

    `address_error(("a@b.c", "x"))` is `"x", mail: missing '@' or angle-addr`.
    """
    # only a few services send mail
    from runtime.golang.addresses import EmailAddressError, parse_address

    for each in ([value] if value else []) if isinstance(value, str) else value:
        try:
            parse_address(each)
        except EmailAddressError as error:
            return f"{quoted(each)}, {error}"
    return ""


def items_of(value: object) -> Collection[Any]:
    """The items of a list or keys of a map; empty for anything else. Never raises."""
    if isinstance(value, Mapping) or (
        isinstance(value, Sequence) and not isinstance(value, str)
    ):
        return value
    return ()


def entries_of(value: object) -> Mapping[str, Any]:
    """A map unchanged; an empty map for anything else. Never raises."""
    return value if isinstance(value, Mapping) else {}


def texts_of(table: Mapping[str, object]) -> dict[str, str]:
    """The values of a map as Go prints them."""
    return {key: text(value) for key, value in table.items()}


def first(items: Collection[T]) -> T | str:
    """The first item of a list, or the first key of a map; "" if it is empty."""
    return next(iter(items), "")


def nonempty(items: Collection[T]) -> tuple[T, ...]:
    """The items of a list, or the keys of a map, that are not empty."""
    return tuple(item for item in items if item)


def integer(value: object) -> int:
    """A number, or a string with a decimal number, without its decimals.

    0 for anything else, and if the number does not fit 64 bits. Never raises.
    """
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value.strip())
        made = int(found[1]) if found else 0
    elif isinstance(value, int | float) and abs(value) < 1 << 63:  # not NaN either
        made = int(value)
    else:
        made = 0
    return made if -(1 << 63) <= made < 1 << 63 else 0


def truncated(text: str, length: int, end: str = "", unit: str = "characters") -> str:
    """`text`, or its start and `end` if it is longer than `length`.

    Args:
        text: the string.
        length: maximum length of the result, `end` included.
        end: end of a string that was cut; itself cut if it is longer than `length`.
        unit: `characters`, or `bytes` of UTF-8. No character is divided.
    """
    if unit == "bytes":
        whole, tail = scrub(text).encode(), scrub(end).encode()
        if len(whole) <= length:
            return text
        kept = whole[: max(length - len(tail), 0)].decode(errors="ignore")
        return kept + tail[: max(length, 0)].decode(errors="ignore")
    if len(text) <= length:
        return text
    return text[: max(length - len(end), 0)] + end[: max(length, 0)]


def waiting_s(value: object) -> float | None:
    """A time to wait in seconds: a number, or a string with one; None for other values.

    Never raises.
    """
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value.strip())
        value = float(found[0]) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < _LONGEST_S else None


def given(key: str, value: T) -> dict[str, T]:
    """One entry of a table; none if the value is empty."""
    return {key: value} if value else {}


def joined(items: object, between: str) -> str:
    """The items of a list as one string; "" for other values. Never raises."""
    if not isinstance(items, Sequence) or isinstance(items, str):
        return ""
    return between.join(text(item) for item in items)


def authorization(scheme: str, token: Secret) -> dict[str, str]:
    """The header with a token; none if the token is empty."""
    return {"Authorization": f"{scheme} {token.reveal()}"} if token else {}


def basic_auth(user: str, password: str) -> dict[str, str]:
    """The header with user and password; none if both are empty."""
    if not (user or password):
        return {}
    return {"Authorization": f"Basic {b64(f'{user}:{password}')}"}


def b64(text: str) -> str:
    """`text` in base64."""
    return base64.b64encode(text.encode()).decode()


def b64url(text: str) -> str:
    """`text` in the base64 of URLs, without padding.

    Source: Go base64.RawURLEncoding.
    """
    return b64url_padded(text).rstrip("=")


def b64url_padded(text: str) -> str:
    """`text` in the base64 of URLs.

    Source: Go base64.URLEncoding.
    """
    return base64.urlsafe_b64encode(text.encode()).decode()


def hmac_sha256(key: str, text: str) -> str:
    """The signature of `text` with `key`, in base64."""
    digest = hmac.digest(key.encode(), text.encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def hmac_sha256_hex(key: str, text: str) -> str:
    """The signature of `text` with `key`, in hexadecimal digits."""
    return hmac.digest(key.encode(), text.encode(), hashlib.sha256).hex()


def sha256(text: str) -> str:
    """The SHA-256 of `text` in UTF-8, in base64."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def sha256_hex(text: str) -> str:
    """The SHA-256 of `text` in UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def md5(text: str) -> str:
    """The MD5 of `text` in UTF-8, in hexadecimal digits."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def fnv1a(text: str) -> str:
    """The 64-bit FNV-1a of `text` in UTF-8, as 16 hexadecimal digits."""
    made = 0xCBF29CE484222325
    for byte in text.encode():
        made = ((made ^ byte) * 0x100000001B3) % (1 << 64)
    return f"{made:016x}"


def uuid(text: str) -> str:
    """The UUID of version 5 of `text` in the namespace of URLs.

    The same text gives the same UUID, so a repeated request keeps its identity.
    """
    # few integrations need it
    from uuid import NAMESPACE_URL, uuid5

    return str(uuid5(NAMESPACE_URL, text))


def html(text: str) -> str:
    """`text` with `& < > " '` escaped."""
    return html_.escape(text)


def unescape(text: str) -> str:
    """`text` with HTML's character references replaced: `&lt;` is `<`."""
    return html_.unescape(text)


def quote(text: str) -> str:
    """`text` as one part of a URL's path or query."""
    return quote_(text, safe="")


def matches(text: str, pattern: str) -> bool:
    """True if the RE2 expression `pattern` is found in `text`, in linear time.

    Raises:
        DeliveryError: `pattern` is not an expression of RE2, which has no look-around
            and no back-references.
    """
    # the generator reads this module too, and starts without RE2
    from runtime.golang import regex

    try:
        return regex.compile(pattern).search(scrub(text)) is not None
    except ValueError as error:
        raise DeliveryError(str(error)) from None


def rfc3339(time: Nanoseconds, digits: int | None = None) -> str:
    """`time` as `2017-07-14T02:40:00Z`.

    Args:
        time: ns since 1970 UTC.
        digits: number of decimals, at most 9; None for as many as needed.
    """
    if digits is None:
        return units.rfc3339(time)
    whole, rest = divmod(time, SECOND)
    decimals = f".{rest:09d}"[: digits + 1] if digits else ""
    return units.rfc3339(whole * SECOND).removesuffix("Z") + decimals + "Z"


def parse_time(text: str) -> Nanoseconds:
    """The time in `text`, such as `2017-07-14T02:40:00.5Z`.

    Raises:
        DeliveryError: it is not a time.
    """
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        moment = datetime.fromisoformat(found[1] + found[3])
    except ValueError:
        raise DeliveryError(
            f"{text!r} is not a time such as 2017-07-14T02:40:00Z"
        ) from None
    whole = (moment - _EPOCH) // timedelta(seconds=1)
    return whole * SECOND + int(found[2].removeprefix(".").ljust(9, "0"))


def unix(time: Nanoseconds) -> int:
    """`time` in whole seconds since 1970."""
    return time // SECOND


def unix_ms(time: Nanoseconds) -> int:
    """`time` in whole milliseconds since 1970."""
    return time // MILLISECOND


def seconds(duration: Nanoseconds) -> float:
    """`duration` in seconds."""
    return duration / SECOND


def delivery_key() -> str:
    """The key of the current delivery, 32 hexadecimal digits; the same for its attempts."""
    return idempotency_key.get()


@contextlib.contextmanager
def recalling(memory: Mapping[str, object]) -> Iterator[None]:
    """Have `recalled` return a memory."""
    token = _memory.set(memory)
    try:
        yield
    finally:
        _memory.reset(token)


def recalled() -> Mapping[str, object]:
    """The values that the handler remembers of the alert; none outside of a delivery."""
    return _memory.get()


def event_tree(event: Event) -> dict[str, object]:
    """`event` as a JSON tree, as in handlers that send complete events."""
    tree: dict[str, object] = loads(event_line(event))
    return tree


def result_tree(event: Event) -> dict[str, object]:
    """The rows behind `event` as a JSON tree."""
    return {"series": [row_tree(row) for row in event.data.result] or None}


def first_row(event: Event) -> Row:
    """The first of the rows behind `event`; an empty one if there are none."""
    return next(iter(event.data.result), _EMPTY_ROW)


def error_text(response: EndpointAnswer, key: str, title: str) -> str:
    """The string under `key` of the response's JSON, or else a description of it.

    Args:
        response: response that reports a failure.
        key: key of the error text; a dot separates levels, as in `error.message`.
        title: name of the endpoint in error texts.
    """
    text: object = response.json
    for part in key.split("."):
        text = get(text, part, None)
    if isinstance(text, str):
        return text
    return (
        f"failed to understand {title} response. "
        f"code: {response.status} content: {response.text}"
    )


def parse_error(response: EndpointAnswer) -> str:
    """The reason why the response is not JSON, or ""."""
    try:
        loads(response.text)
    except ValueError as error:
        return str(error)
    return ""


def _doubt(what: str) -> None:
    doubts = _doubts.get()
    if doubts is not None:
        doubts.append(what)


def _order(left: object, right: object) -> int | None:
    """-1, 0 or 1 if `left` is less than, equal to or more than `right`; else None."""
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    for each in (left, right):
        if isinstance(each, bool) or not isinstance(each, int | float) or each != each:
            _doubt("order")
            return None
    a, b = cast(float, left), cast(float, right)
    return (a > b) - (a < b)
