"""Connects to endpoints: name lookups, several addresses, denied addresses."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence

import aiohappyeyeballs

from runtime.compute.bridge import Bridge
from runtime.outbound.addresses import DEFAULT_DENIED, DeniedNetworks, is_numeric

AddressInfo = aiohappyeyeballs.AddrInfoType
Lookup = Callable[[str], Sequence[str]]

_LOOKUPS = 64  # threads at a time
# Time without an answer after which the next address is tried as well (RFC 8305).
NEXT_ADDRESS_S = 0.25
_DENIED = DeniedNetworks.parsed(DEFAULT_DENIED)


class LookupTimeoutError(OSError):
    """A name lookup took too long."""


def look_up(host: str) -> list[str]:
    """The addresses of a host, in the order in which to try them.

    Raises:
        OSError: the host has no addresses.
    """
    flags = socket.AI_ADDRCONFIG
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=flags)
    return [_with_scope(*each[4]) for each in found]


class Dialer:
    """Connects to allowed addresses.

    A name is looked up for each new connection, as its addresses may have changed, but
    only once at a time. Each lookup has a thread of its own: a slow name server delays
    no other lookup, and the process does not wait for it to end.
    """

    def __init__(
        self,
        denied: DeniedNetworks = _DENIED,
        *,
        limit_s: float = 5.0,
        lookup: Lookup = look_up,
    ) -> None:
        """Create a dialer.

        Args:
            denied: networks that are never connected to.
            limit_s: time limit of a lookup, in seconds.
            lookup: finds a host's addresses; may block.
        """
        self._denied = denied
        self._limit_s = limit_s
        self._lookup = lookup
        self._slots = asyncio.Semaphore(_LOOKUPS)
        self._under_way: dict[str, asyncio.Task[list[str]]] = {}

    async def addresses(self, host: str) -> list[str]:
        """The allowed addresses of a host; an address is its own result.

        Raises:
            DeniedAddressError: all of its addresses are denied.
            LookupTimeoutError: the lookup took too long.
            OSError: the host has no addresses.
        """
        found = [host] if is_numeric(host) else await self._found(host)
        return self._denied.allowed(found)

    async def connected(self, host: str, port: int) -> socket.socket:
        """A connection to the first address that answers.

        Raises:
            OSError: the lookup failed, as in `addresses`, or no address could be
                connected to.
        """
        infos = [_info(each, port) for each in await self.addresses(host)]
        return await aiohappyeyeballs.start_connection(
            infos, happy_eyeballs_delay=NEXT_ADDRESS_S, socket_factory=self.socket
        )

    def socket(self, info: AddressInfo) -> socket.socket:
        """A socket for connecting to an address.

        Raises:
            DeniedAddressError: the address is denied.
        """
        family, kind, protocol, _, address = info
        self._denied.check(str(address[0]))
        return socket.socket(family, kind, protocol)

    def close(self) -> None:
        """Stop waiting for lookups."""
        for task in self._under_way.values():
            task.cancel()
        self._under_way.clear()

    async def _found(self, host: str) -> list[str]:
        task = self._under_way.get(host)
        if task is None:
            task = asyncio.create_task(self._looked_up(host))
            self._under_way[host] = task
            task.add_done_callback(lambda _: self._under_way.pop(host, None))
        try:
            async with asyncio.timeout(self._limit_s):
                # shielded: others may wait for the task, and its thread cannot be
                # stopped anyway
                return await asyncio.shield(task)
        except TimeoutError:
            raise LookupTimeoutError(f"lookup {host}: i/o timeout") from None

    async def _looked_up(self, host: str) -> list[str]:
        async with self._slots:
            return list(await _in_thread(self._lookup, host))


async def _in_thread(lookup: Lookup, host: str) -> Sequence[str]:
    """Run `lookup` in a daemon thread, which does not delay the end of the process."""
    future: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
    bridge = Bridge()
    bridge.start()

    def settle(found: Sequence[str] | OSError | ValueError) -> None:
        if future.done():
            return
        if isinstance(found, OSError | ValueError):
            future.set_exception(found)
        else:
            future.set_result(found)

    def run() -> None:
        found: Sequence[str] | OSError | ValueError
        try:
            found = lookup(host)
        # a name that cannot be sent to a name server raises ValueError
        except (OSError, ValueError) as error:
            found = error
        bridge.soon(settle, found)

    threading.Thread(target=run, name=f"lookup-{host[:64]}", daemon=True).start()
    return await future


def _info(address: str, port: int) -> AddressInfo:
    [info, *_] = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )
    return info


def _with_scope(address: object, _port: object, _flow: int = 0, scope: int = 0) -> str:
    """An address, with the number of its interface if it needs one."""
    text = str(address)
    return f"{text}%{scope}" if scope and "%" not in text else text
