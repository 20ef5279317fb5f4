"""URLs of endpoints: checked when configured, extended when used."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from runtime.errors import ConfigError, DeliveryError
from runtime.golang.printing import text
from runtime.golang.quoting import quote as go_quote
from runtime.secrets import Secret
from runtime.secrets.names import HIDDEN
from runtime.secrets.urls import hidden_url

# Characters that Go does not escape in a path, besides letters and digits.
_PATH_SAFE = "/$&+,:;=@~"
_PART_SAFE = _PATH_SAFE.replace("/", "")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
# other characters than letters, digits, separators of parts and non-ASCII ones
_BAD_HOST = re.compile(r"[\x00-\x20#/?@\\^`{|}\x7f]")
_PORT_CHARACTERS = len(":65536")
_PORT = re.compile(r"(:[0-9]*)?")


def check_url(url: str | Secret, message: str | None = None) -> None:
    """Refuse URLs that Go cannot parse; "" and relative URLs pass.

    Args:
        url: configured value.
        message: start of the error text, before Go's reason with the redacted URL; by
            default `invalid url "…"`. A secret URL is not shown at all.

    Raises:
        ConfigError: the URL is invalid.

    Source: Go net/url, Parse.
    """
    text = url.reveal() if isinstance(url, Secret) else url
    problem = _problem(text)
    if problem is None:
        return
    shown = go_quote(HIDDEN if text is not url else hidden_url(text))
    start = f"invalid url {shown}" if message is None else message
    raise ConfigError(f"{start}: parse {shown}: {problem}")


def unreachable(url: str) -> str | None:
    """Reason why `url` is unusable although Go parses it, or None.

    The text shows only scheme and port.
    """
    if (problem := _problem(url)) is not None:
        return problem
    scheme, colon, rest = url.partition("://")
    if not colon or scheme.lower() not in ("http", "https"):
        shown = scheme if colon else ""
        return (
            f"unsupported protocol scheme {go_quote(shown)}: it must be http or https"
        )
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host, _, port = authority.rpartition("@")[2].rpartition(":")
    if "]" in port or not host:
        host, port = authority.rpartition("@")[2], ""
    if not host:
        return "no host in request URL"
    is_port = len(port) <= _PORT_CHARACTERS and int(port or 0) <= 65535
    return None if is_port else f"invalid port {port[:_PORT_CHARACTERS]}"


def below(url: str, *parts: str, query: Mapping[str, object] | None = None) -> str:
    """`url` with `parts` below its path; all of a part is escaped, also a `/`.

    Empty parts are omitted. `query`, in place of that of the URL, repeats the key of a
    list: `below("http://h/t", "a/b", query={"to": ["x", "y"]})` is
    `http://h/t/a%2Fb?to=x&to=y`. Without `query` the URL keeps its own.

    Raises:
        DeliveryError: `url` is not a URL, or a part is `.` or `..`.
    """
    try:
        split = urlsplit(url)
    except ValueError:
        raise DeliveryError("invalid URL") from None
    for part in parts:
        if part in (".", ".."):
            raise DeliveryError(f"{go_quote(part)} cannot be a part of a path")
    kept = [quote(part, safe=_PART_SAFE) for part in parts if part]
    path = "/".join([split.path.rstrip("/"), *kept]) if kept else split.path
    return urlunsplit(split._replace(path=path, query=_query(split.query, query)))


def form(table: Mapping[str, object]) -> str:
    """`table` as a query or the body of a form; lists repeat their key for each item.

    Source: Go url.Values, Encode; ours keeps the order.
    """
    return urlencode([(key, text(each)) for key, each in _pairs(table)])


def _pairs(table: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            yield from ((key, each) for each in value)
        else:
            yield key, value


def _query(own: str, query: Mapping[str, object] | None) -> str:
    return own if query is None else form(dict(sorted(query.items())))


def join(
    url: str,
    *segments: str,
    slash: bool = False,
    query: Mapping[str, object] | None = None,
) -> str:
    """`url` with `segments` below its path, cleaned, and `query` in place of its own.

    With `slash` the path ends with a slash, as some servers require.

    `join("http://h/v2/room?x=1", "my room", "send", query={"t": "a&b"})` is
    `http://h/v2/room/my%20room/send?t=a%26b`. Without `query` the URL keeps its own.

    Raises:
        DeliveryError: `url` is not a URL. The text does not show it: it may be secret.
            Or the segments lead out of its path.

    Source: Go path.Join and net/url, URL.String; ours does not leave the path.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise DeliveryError("invalid URL") from None
    path = parts.path
    if segments:
        if _joined(".", *segments).split("/")[0] == "..":
            raise DeliveryError(
                f"{go_quote(_first(segments))} leaves the path of the URL"
            )
        path = quote(_joined(unquote(path), *segments), safe=_PATH_SAFE)
        path += "/" if slash and not path.endswith("/") else ""
        if parts.netloc and path and not path.startswith("/"):
            path = "/" + path
    return urlunsplit(parts._replace(path=path, query=_query(parts.query, query)))


def _first(segments: Sequence[str]) -> str:
    """The segment `..`."""
    return next(each for each in segments if ".." in each.split("/"))


def _joined(*segments: str) -> str:
    path = "/".join(segment for segment in segments if segment)
    if not path:
        return ""
    cleaned = posixpath.normpath(path)
    # POSIX keeps two leading slashes, Go one
    return "/" + cleaned.lstrip("/") if path.startswith("/") else cleaned


def _problem(url: str) -> str | None:
    if any(char < " " or char == "\x7f" for char in url):
        return "net/url: invalid control character in URL"
    rest = url.partition("#")[0]
    if rest.startswith(":"):
        return "missing protocol scheme"
    scheme = _SCHEME.match(rest)
    if scheme:
        rest = rest[scheme.end() :]
        if not rest.startswith("/"):
            return None  # opaque, as in mailto:…
    rest = rest.partition("?")[0]
    if not scheme and ":" in rest.partition("/")[0]:
        return "first path segment in URL cannot contain colon"
    path = rest
    if rest.startswith("//"):
        authority, _, path = rest[2:].partition("/")
        problem = _authority_problem(authority)
        if problem is not None:
            return problem
    bad = _BAD_ESCAPE.search(path)
    return None if bad is None else f"invalid URL escape {go_quote(bad[0])}"


def _authority_problem(authority: str) -> str | None:
    host = authority.rpartition("@")[2]
    bad = _BAD_HOST.search(host)
    if bad is not None:
        return f"invalid character {go_quote(bad[0])} in host name"
    if host.startswith("["):
        if "]" not in host:
            return "missing ']' in host"
        port = host.rpartition("]")[2]
    else:
        port = ":" + host.rpartition(":")[2] if ":" in host else ""
    if not _PORT.fullmatch(port):
        # in a URL of a user without a host, a long port is the password
        shown = port if len(port) <= _PORT_CHARACTERS else f":{HIDDEN}"
        return f"invalid port {go_quote(shown)} after host"
    return None
