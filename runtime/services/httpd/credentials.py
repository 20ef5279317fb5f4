"""Credentials of requests.

Source: Kapacitor services/httpd/handler.go, parseCredentials.
"""

from __future__ import annotations

import base64
import re
from typing import Literal, NamedTuple
from urllib.parse import unquote_plus

from runtime.golang.queries import parse_query

# The parameters of a query that hold a name and a password.
IN_QUERY = ("u", "p")
_SEPARATORS = re.compile(r"[;?#]|%26|%3[bf]|%23", re.IGNORECASE)
SUBSCRIBER = "~subscriber"

Method = Literal["token", "password", "subscription"]


class Credentials(NamedTuple):
    """The credentials a client sent.

    Attributes:
        method: method of checking the secret.
        user: name of the user; "" for tokens.
        secret: a password or a token.
    """

    method: Method
    user: str
    secret: str

    def __repr__(self) -> str:
        return f"Credentials({self.method!r}, {self.user!r}, ***)"


def credentials(authorization: str, query: str) -> Credentials | None:
    """The credentials in a header, or in a query if the header has none."""
    kind, blank, value = authorization.partition(" ")
    if kind == "Bearer" and blank and " " not in value:
        return Credentials("token", "", value)
    if kind.lower() == "basic" and (pair := _basic(value)) is not None:
        return _of(*pair)
    if query:
        values = parse_query(query)
        user, secret = (values.get(name, [""])[0] for name in IN_QUERY)
        if user and secret:
            return _of(user, secret)
    return None


def without_password(uri: str) -> str:
    """`uri` with passwords masked."""
    path, mark, query = uri.partition("?")
    if "p" not in query and "%70" not in query:
        return uri
    return path + mark + "&".join(map(_masked, query.split("&")))


def _masked(part: str) -> str:
    """A part of a query, masked from the possible start of a password."""
    start = 0
    # `u=…;p=…` is never accepted, but it still holds a password
    for separator in (*_SEPARATORS.finditer(part), None):
        name, _, _ = part[start : separator and separator.start()].partition("=")
        if unquote_plus(name).strip() == "p":
            return f"{part[:start]}{name}=***"
        start = separator.end() if separator else start
    return part


def _basic(value: str) -> tuple[str, str] | None:
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except ValueError:  # also of letters that base64 never has
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def _of(user: str, secret: str) -> Credentials:
    method: Method = "subscription" if user == SUBSCRIBER else "password"
    return Credentials(method, _clean(user), _clean(secret))


def _clean(text: str) -> str:
    """`text` with bytes that were not UTF-8 replaced, as in JSON."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
