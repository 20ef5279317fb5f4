"""Addresses the server never connects to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Addresses that no endpoint of an alert has: this network, link-local addresses (where
# clouds answer with credentials), multicast and broadcast, and the metadata services at
# other addresses.
DEFAULT_DENIED = (
    *("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),
    *("::/128", "fe80::/10", "ff00::/8"),
    # Alibaba, Azure, Oracle (in a network without endpoints)
    *("100.100.100.200/32", "168.63.129.16/32", "192.0.0.0/24"),
    # AWS, Google, Oracle, Scaleway
    *("fd00:ec2::254/128", "fd20:ce::254/128", "fd00:c1::/64", "fd00:42::42/128"),
)
SETTING = "[delivery] denied-networks"
# IPv4 behind NAT64, at the usual prefix and in the network for local ones (RFC 8215)
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_TRANSLATED_LOCALLY = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # IPv4 as it was once written


class DeniedAddressError(OSError):
    """An address is in a denied network.

    Attributes:
        address: the address.
    """

    def __init__(self, address: str) -> None:
        """Create the error for an address."""
        self.address = address
        super().__init__(f"address {address} is denied by {SETTING}")


@dataclass(frozen=True, slots=True)
class DeniedNetworks:
    """Networks that the server must not connect to."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def parsed(cls, texts: Iterable[str]) -> DeniedNetworks:
        """The networks that `texts` name: `10.0.0.0/8`, or an address.

        Raises:
            ValueError: a text is not a network or an address; the error's text is Go's.
        """
        return cls(tuple(map(_network, texts)))

    def check(self, address: str) -> None:
        """Refuse an address in a denied network, in any notation.

        Raises:
            DeniedAddressError: the address is denied.
        """
        for form in _forms(_address(address)):
            if any(form in network for network in self.networks):
                raise DeniedAddressError(address)

    def allowed(self, addresses: Sequence[str]) -> list[str]:
        """The addresses that are not denied.

        Raises:
            DeniedAddressError: all of them are denied.
        """
        allowed: list[str] = []
        denied: DeniedAddressError | None = None
        for address in addresses:
            try:
                self.check(address)
            except DeniedAddressError as error:
                denied = denied or error
            else:
                allowed.append(address)
        if denied is not None and not allowed:
            raise denied
        return allowed


def is_numeric(host: str) -> bool:
    """True if `host` is an address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ValueError(f"invalid CIDR address: {text.strip()}") from None


def _address(text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        # sockets accept `2852039166` and `0x7f.1`, too
        return ipaddress.ip_address(socket.inet_aton(text))


def _forms(address: Address) -> Iterator[Address]:
    """An address, and the IPv4 address that a connection to it may lead to."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield address.teredo[1]
    value = int(address)
    in_ipv4 = ipaddress.IPv4Address(value & 0xFFFFFFFF)
    is_isatap = value >> 32 & 0xFDFFFFFF == 0x5EFE
    if address in _TRANSLATED or (address in _COMPATIBLE and value > 1) or is_isatap:
        yield in_ipv4
    if address in _TRANSLATED_LOCALLY:
        yield from _translated(value)


def _translated(value: int) -> Iterator[Address]:
    """The IPv4 addresses that a NAT64 prefix of each length puts into an address.

    Source: RFC 6052, 2.2; bits 64 to 71 are left out.
    """
    without_gap = value >> 64 << 56 | value & (1 << 56) - 1
    for length in (48, 56, 64, 96):
        # number of bits after the address, of 120; they must be zero
        behind = max(0, 88 - length)
        number = value if length == 96 else without_gap >> behind
        if number & 0xFFFFFFFF and not without_gap & (1 << behind) - 1:
            yield ipaddress.IPv4Address(number & 0xFFFFFFFF)
