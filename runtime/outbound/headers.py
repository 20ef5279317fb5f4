"""Headers of outbound requests that can be sent."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping

from runtime.golang.quoting import quote
from runtime.golang.utf8 import scrub
from runtime.secrets import Secret

# Headers that frame a message or belong to one connection. The client sets them itself;
# Go ignores the first four as well.
RESERVED = frozenset(
    (
        *("host", "content-length", "transfer-encoding", "trailer"),
        *("connection", "expect", "keep-alive", "proxy-connection", "te", "upgrade"),
    )
)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
# characters that no value may hold, with the whitespace around them
_UNSENDABLE = re.compile(r"[ \t]*[\x00-\x08\x0a-\x1f\x7f]+[ \t\x00-\x1f\x7f]*")


class HeaderNameError(ValueError):
    """No request can have a header of this name."""


def check_names(names: Iterable[str]) -> None:
    """Refuse names that no request can have.

    Raises:
        HeaderNameError: a name is invalid; the text is Go's and contains the name.

    Source: RFC 9110, 5.6.2, token; Go net/http, Transport.RoundTrip.
    """
    for name in names:
        if not _TOKEN.fullmatch(name):
            raise HeaderNameError(f"net/http: invalid header field name {quote(name)}")


def folded(value: str) -> str:
    """`value` on one line: line ends and other control characters become a space.

    Go refuses the whole request; but the text of an alert may well have two lines.
    """
    return _UNSENDABLE.sub(" ", scrub(value)).strip(" \t")


def merged(*headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as one; later ones replace earlier ones of the same name in any case."""
    found: dict[str, tuple[str, str]] = {}
    for each in headers:
        for name, value in each.items():
            found[name.lower()] = name, value
    return dict(found.values())


def sendable(*headers: Mapping[str, str]) -> dict[str, str]:
    """The headers to send, `merged`, without those that are `RESERVED`.

    Raises:
        HeaderNameError: a name is invalid.
    """
    for each in headers:
        check_names(each)
    return {
        name: folded(value)
        for name, value in merged(*headers).items()
        if name.lower() not in RESERVED
    }


def canonical(name: str) -> str:
    """A header's name in its usual form: `X-Api-Key`.

    Source: Go net/textproto, CanonicalMIMEHeaderKey.
    """
    return "-".join(part.capitalize() for part in name.split("-"))


def credentials_in(headers: Mapping[str, str]) -> list[Secret]:
    """User and password of basic authentication, as one secret; empty without them.

    Source: RFC 7617.
    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return []
    pair = base64.b64decode(token).decode(errors="replace")
    return [Secret(pair, is_known=False)]
