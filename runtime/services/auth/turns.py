"""Turns for checking passwords: few at once, fair between addresses."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections import OrderedDict, deque
from collections.abc import AsyncIterator

from runtime.errors import BusyError, TooManyError


class Turns:
    """Admits a few checks at a time, with addresses taking turns.

    An address gets its next turn soon, however many checks others have waiting. When
    all places are taken, the address with the most places loses one.
    """

    def __init__(self, at_once: int, per_address: int, in_all: int) -> None:
        """Begin without waiting checks.

        Args:
            at_once: number of concurrent checks.
            per_address: maximum number of waiting checks per address.
            in_all: maximum number of waiting checks in all.
        """
        self._free = at_once
        self._per_address = per_address
        self._in_all = in_all
        # waiting checks by address; the first address has the next turn
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._count = 0

    @contextlib.asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for a turn of `address`.

        Raises:
            TooManyError: too many checks from this address are waiting.
            BusyError: too many checks are waiting.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(address)
        try:
            yield
        finally:
            self._next()

    async def _wait(self, address: str) -> None:
        queue = self._waiting.get(address)
        if queue is not None and len(queue) >= self._per_address:
            raise _crowded()
        if self._count >= self._in_all:
            self._make_room()
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(future)
        self._count += 1
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                # cancelled just when its turn came
                self._next()
            raise

    def _make_room(self) -> None:
        """Dismiss the newest check of the address with the most.

        Raises:
            BusyError: each address has only one place.
        """
        queue = max(self._waiting.values(), key=len)
        if len(queue) == 1:
            raise BusyError("too many passwords are being checked, try again")
        self._count -= 1
        last = queue.pop()
        if not last.done():
            last.set_exception(_crowded())

    def _next(self) -> None:
        """Pass the turn to the next address."""
        while self._waiting:
            address, queue = next(iter(self._waiting.items()))
            future = queue.popleft()
            self._count -= 1
            if queue:
                self._waiting.move_to_end(address)
            else:
                del self._waiting[address]
            if not future.done():
                future.set_result(None)
                return
        self._free += 1


def _crowded() -> TooManyError:
    text = "too many passwords from this address are being checked, try again"
    return TooManyError(text)


def crowd(address: str) -> str:
    """The part of an address that a client cannot choose; half of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)
