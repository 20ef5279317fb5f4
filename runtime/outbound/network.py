"""The network of hooks, which connect by themselves."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runtime.outbound.connection import NO_CERTIFICATES, Certificates
from runtime.outbound.dialing import Dialer

if TYPE_CHECKING:
    import ssl

    from runtime.outbound.client import HttpClient
    from runtime.outbound.trust import Trust


@dataclass(frozen=True, slots=True)
class Network:
    """Connections within the server's rules: denied networks and trusted authorities.

    Attributes:
        dialer: looks names up and makes connections.
        trust: the server's own authorities, in addition to the system's.
        files: certificates of the service.
        client: the server's client for HTTP requests, or None.
    """

    dialer: Dialer = field(default_factory=Dialer)
    trust: Trust | None = None
    files: Certificates = NO_CERTIFICATES
    client: HttpClient | None = None

    @property
    def http(self) -> HttpClient:
        """The server's client for HTTP requests, such as requests for tokens."""
        if self.client is None:
            raise RuntimeError("the network was created without a client")
        return self.client

    async def addresses(self, host: str) -> list[str]:
        """The allowed addresses of a host.

        Raises:
            DeniedAddressError: all of them are denied.
            OSError: there are none, or the lookup took too long.
        """
        return await self.dialer.addresses(host)

    async def connected(self, host: str, port: int) -> socket.socket:
        """A connection to a host.

        Raises:
            DeniedAddressError: all of its addresses are denied.
            OSError: the host cannot be reached.
        """
        return await self.dialer.connected(host, port)

    async def tls(self, *, verify: bool = True) -> ssl.SSLContext:
        """The certificates to trust and to present, for one client.

        Args:
            verify: True to require a trusted certificate.

        Raises:
            ConfigError: the service's files cannot be used.
            OSError: the server's own file of authorities cannot be read.
        """
        # ssl is slow to import, and the system's store is slow to read
        from runtime.outbound.identity import client_context

        return await asyncio.to_thread(
            client_context, self.files, self.trust, verify=verify
        )
