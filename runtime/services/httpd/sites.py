"""Sites that may send requests: the server's hosts, and trusted origins.

A page in a browser can reach every address that the reader's machine reaches. Two
headers reveal such a page. `Host` has the name in the address bar: a foreign name that
resolves to this server (DNS rebinding) is not one of its names. `Origin` and
`Sec-Fetch-Site` name the site whose page sent the request. Programs other than browsers
send neither of the last two.

Sources: RFC 9110, 7.2 and 7.4; RFC 6454; https://www.w3.org/TR/fetch-metadata/.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable, Sequence

from runtime.golang.quoting import quote

HOSTS_SETTING = "[http] allowed-hosts"
ORIGINS_SETTING = "[http] allowed-origins"

_AUTHORITY = re.compile(r"(\[[^][/?#@\\\s]*\]|[^][:/?#@\\\s]*)(?::([0-9]{0,5}))?")
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#@\\\s]+)", re.IGNORECASE)
_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")
_PORTS = {"http": "80", "https": "443"}
# Longer names are invalid, and are neither cached nor repeated in errors.
_MAX_NAME = 1_000
# Values that browsers send for requests that were not caused by another site.
_OWN_FETCH_SITES = ("", "none", "same-origin")


class Sites:
    """Decides which sites may send requests, by their names."""

    def __init__(
        self,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        *,
        any_host: bool = False,
    ) -> None:
        """Serve loopback names and addresses, those of the connection, and `hosts`.

        Args:
            hosts: names and addresses that are served; `*.example.com` for all names
                below a domain.
            origins: origins whose pages may send requests and read the responses.
            any_host: True to serve every name, on servers that require credentials: a
                page behind a foreign name has none.

        Raises:
            ValueError: an entry is not a host, or not an origin.
        """
        self._hosts = frozenset(map(parsed_host, hosts))
        self._origins = frozenset(map(parsed_origin, origins))
        self._any_host = any_host
        # cached, as clients send the same host with every request
        self._serves = functools.lru_cache(maxsize=1024)(self._is_own)

    def add_host(self, host: str) -> None:
        """Serve another name or address; other strings are ignored."""
        if is_host(host):
            self._hosts |= {parsed_host(host)}
            self._serves.cache_clear()

    def serves(self, authority: str, local: str) -> bool:
        """True if requests for `authority` are for this server.

        Args:
            authority: value of the `Host` header.
            local: local address of the connection.

        Raises:
            ValueError: `authority` is malformed.
        """
        if len(authority) > _MAX_NAME:
            return self._any_host
        return self._serves(authority, local)

    def _is_own(self, authority: str, local: str) -> bool:
        host, _ = _split(authority)
        return (
            self._any_host
            or host in self._hosts
            or _is_loopback(host)
            or (host == _canonical(local) and host != "")
            or any(f"*.{parent}" in self._hosts for parent in _parents(host))
        )

    def trusts(self, origin: str) -> bool:
        """True if pages of `origin` may send requests and read the answers."""
        try:
            return len(origin) <= _MAX_NAME and parsed_origin(origin) in self._origins
        except ValueError:
            return False

    def is_foreign(
        self, authority: str, origins: Sequence[str], fetch_sites: Sequence[str]
    ) -> bool:
        """True if a page of a site that is not trusted caused a request.

        Args:
            authority: value of the `Host` header.
            origins: values of the `Origin` headers.
            fetch_sites: values of the `Sec-Fetch-Site` headers.
        """
        if origins:
            return not all(
                self.trusts(origin) or _is_same(origin, authority) for origin in origins
            )
        return any(site.strip().lower() not in _OWN_FETCH_SITES for site in fetch_sites)


def misdirected(authority: str) -> str:
    """Error text for a request to a host that is not this server."""
    return (
        f"host {quote(authority[:_MAX_NAME])} is not a name of this server: "
        f"add it to {HOSTS_SETTING} if clients or a proxy call the server so"
    )


def cross_site(origins: Sequence[str]) -> str:
    """Error text for a request caused by a page of another site."""
    what = (
        f"origin {quote(origins[0][:_MAX_NAME])}"
        if origins
        else "a page of another site"
    )
    return (
        f"requests from {what} are refused: "
        f"add the origin to {ORIGINS_SETTING} if its pages may use the API"
    )


def parsed_host(text: str) -> str:
    """An entry of `allowed-hosts` in the form for comparing hosts.

    Raises:
        ValueError: it is neither a name nor an address.
    """
    bare = _canonical(text)
    if _NAME.fullmatch(bare) or _address(bare) is not None:
        return bare
    raise ValueError(
        f"invalid host {quote(text)}: must be a name, an address or *.domain, without "
        "port"
    )


def is_host(text: str) -> bool:
    """True if `text` is a name or an address that can be allowed."""
    try:
        parsed_host(text)
    except ValueError:
        return False
    return True


@functools.lru_cache(maxsize=256)
def parsed_origin(text: str) -> tuple[str, str, str]:
    """Scheme, host and port of an origin such as `https://example.com:8443`.

    Raises:
        ValueError: `text` is not an origin: `null` and `*`, for instance.
    """
    found = _ORIGIN.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        scheme = found[1].lower()
        host, port = _split(found[2])
        if not host or "*" in host:
            raise ValueError(text)
    except ValueError:
        raise ValueError(
            f"invalid origin {quote(text)}: must be scheme://host or scheme://host:port"
        ) from None
    return scheme, host, port or _PORTS.get(scheme, "")


def _is_same(origin: str, authority: str) -> bool:
    """True if `origin` is the site to which the request was sent.

    The scheme is not compared, as a proxy in front of the server may speak TLS.
    """
    if max(len(origin), len(authority)) > _MAX_NAME:
        return False
    try:
        scheme, *place = parsed_origin(origin)
        host, port = _split(authority)
    except ValueError:
        return False
    return scheme in _PORTS and place == [host, port or _PORTS[scheme]]


@functools.lru_cache(maxsize=256)
def _split(authority: str) -> tuple[str, str]:
    """Host in the form for comparison, and port of an authority.

    Raises:
        ValueError: `authority` is malformed.
    """
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise ValueError(f"malformed host {quote(authority)}")
    host, port = found[1], found[2] or ""
    if host.startswith("[") and not isinstance(
        _address(_canonical(host)), ipaddress.IPv6Address | ipaddress.IPv4Address
    ):
        raise ValueError(f"malformed host {quote(authority)}")
    return _canonical(host), str(int(port)) if port else ""


def _canonical(host: str) -> str:
    """The canonical form of a name or an address: `[::FFFF:7f00:1]` → `127.0.0.1`."""
    bare = host.removeprefix("[").removesuffix("]").lower().removesuffix(".")
    address = _address(bare)
    return bare if address is None else str(address)


def _address(bare: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """`bare` as an address, without its zone; None for a name."""
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_loopback(host: str) -> bool:
    # RFC 6761: resolvers send names below `localhost` to this machine only
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _parents(host: str) -> Iterable[str]:
    """The domains above a name."""
    labels = host.split(".")
    return (".".join(labels[start:]) for start in range(1, len(labels)))
