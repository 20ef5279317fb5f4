"""A UDP socket whose packets of line protocol are fed to tasks.

Source: Kapacitor services/udp/service.go.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

from runtime.errors import BusyError, KapacitorError
from runtime.services.udp.config import Config
from runtime.trouble import Trouble

# Waiting packets are written together, up to this size.
_TOGETHER_BYTES = 256 * 1024

_log = logging.getLogger("kapacitor.udp")

Submit = Callable[[str, bytes, str], Awaitable[object]]
"""Starts a write: the query of its URL, its body and its encoding."""


class Listener(asyncio.DatagramProtocol):
    """An open socket, on the event loop.

    Attributes:
        config: its configuration.
        port: port of the socket.
        counts: numbers of bytes, lines and failures since the start, by Kapacitor's
            names; `dropped` is the number of packets for which there was no room.
    """

    def __init__(self, config: Config, submit: Submit) -> None:
        self.config = config
        self.port = 0
        self.counts: Counter[str] = Counter()
        self._host = ""
        self._submit = submit
        query = {"db": config.database, "rp": config.retention_policy}
        self._query = urlencode(query)
        self._waiting: deque[bytes] = deque()
        self._came = asyncio.Event()
        self._is_closed = False
        self._transport: asyncio.BaseTransport | None = None
        self._writing: asyncio.Task[None] | None = None
        self._failing = Trouble(
            _log, "failed to write points over UDP", "points over UDP are written again"
        )
        self._dropping = Trouble(
            _log,
            "dropped packets over UDP: too many are waiting",
            "all packets over UDP are accepted again",
        )

    @classmethod
    async def opened(cls, config: Config, submit: Submit) -> Listener:
        """A listener at the address of a configuration.

        Args:
            config: valid configuration.
            submit: starts writes.

        Raises:
            OSError: the address cannot be used.
        """
        made = cls(config, submit)
        taken = await _bound(config)
        made._host, made.port = taken.getsockname()[:2]
        await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: made, sock=taken
        )
        made._writing = asyncio.get_running_loop().create_task(made._write())
        _log.info("started listening", extra={"address": made.address})
        return made

    @property
    def address(self) -> str:
        """The address of the socket: `0.0.0.0:9100`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self.port}"

    @property
    def statistics(self) -> Mapping[str, int]:
        """The counts, with zeros."""
        names = ("points_rx", "bytes_rx", "points_parse_fail", "read_fail")
        return {
            name: self.counts[name]
            for name in (*names, "points_tx", "tx_fail", "dropped")
        }

    @property
    def is_open(self) -> bool:
        """True until it is closed."""
        return not self._is_closed

    async def close(self) -> None:
        """Stop listening, and write the waiting packets."""
        if self._transport is not None:
            self._transport.close()
        self._is_closed = True
        self._came.set()
        if self._writing is not None:
            await self._writing

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Queue a packet, if there is room."""
        self.counts["bytes_rx"] += len(data)
        if len(self._waiting) >= self.config.buffer:
            self.counts["dropped"] += 1
            self._dropping.failed(BusyError(f"{self.config.buffer} packets wait"))
            return
        self._waiting.append(data)
        self._came.set()

    def error_received(self, exc: Exception) -> None:
        """Count a failure of the socket."""
        self.counts["read_fail"] += 1

    async def _write(self) -> None:
        """Write packets until the listener is closed."""
        while self._waiting or self.is_open:
            if not self._waiting:
                self._came.clear()
                await self._came.wait()
                continue
            packets = self._next()
            # if one packet is invalid, the others are written without it
            if not await self._written(packets, is_last=len(packets) == 1):
                for each in packets:
                    await self._written([each], is_last=True)
            if not self._waiting:
                self._dropping.ended()

    def _next(self) -> list[bytes]:
        """The packets to write together."""
        packets, size = [self._waiting.popleft()], 0
        while self._waiting and size < _TOGETHER_BYTES:
            packets.append(self._waiting.popleft())
            size += len(packets[-1])
        return packets

    async def _written(self, packets: list[bytes], *, is_last: bool) -> bool:
        """Write packets; return False if they must be written one by one."""
        body = b"\n".join(packets)
        points = sum(bool(line.strip()) for line in body.split(b"\n"))
        try:
            await self._submit(self._query, body, "")
        except BusyError as error:
            self._failed("tx_fail", error)
        # any error: a packet must not end the listener
        except Exception as error:
            if not is_last:
                return False
            is_known = isinstance(error, KapacitorError)
            self._failed("points_parse_fail" if is_known else "tx_fail", error)
        else:
            self.counts["points_rx"] += points
            self.counts["points_tx"] += points
            self._failing.ended()
        return True

    def _failed(self, name: str, error: Exception) -> None:
        self.counts[name] += 1
        self._failing.failed(error)


async def _bound(config: Config) -> socket.socket:
    """A socket at the address of a configuration.

    Raises:
        OSError: the address cannot be used.
    """
    host, _, port = config.bind_address.rpartition(":")
    family, kind, protocol, _, address = (
        await asyncio.get_running_loop().getaddrinfo(
            host.strip("[]") or "0.0.0.0", int(port), type=socket.SOCK_DGRAM
        )
    )[0]
    taken = socket.socket(family, kind, protocol)
    try:
        taken.setblocking(False)
        if config.read_buffer:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, config.read_buffer)
        taken.bind(address)
    except OSError:
        taken.close()
        raise
    return taken
