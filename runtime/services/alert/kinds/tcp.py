"""The handler that writes events to a TCP address."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass

from runtime.alert.serialize import event_line
from runtime.alert.types import Event
from runtime.errors import DeliveryError
from runtime.outbound.addresses import DeniedAddressError
from runtime.outbound.dialing import Dialer, LookupTimeoutError

CONNECT_LIMIT_S = 10.0
WRITE_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class TCPHandlerConfig:
    """Options of one handler.

    Attributes:
        address: `host:port`.
    """

    address: str = ""


class TCPHandler:
    """Writes each event as a line of JSON and an empty line, over a connection each."""

    def __init__(
        self,
        options: TCPHandlerConfig,
        dialer: Dialer | None = None,
        *,
        connect_limit_s: float = CONNECT_LIMIT_S,
        write_limit_s: float = WRITE_LIMIT_S,
    ) -> None:
        """Create a handler.

        Args:
            options: options of the handler.
            dialer: opens connections.
            connect_limit_s: time limit for connecting, in seconds.
            write_limit_s: time limit for writing the event, in seconds.
        """
        self.options = options
        self._dialer = dialer or Dialer()
        self._connect_limit_s = connect_limit_s
        self._write_limit_s = write_limit_s

    async def handle(self, event: Event) -> None:
        """Write `event`.

        Raises:
            DeliveryError: the event has no JSON form, or could not be written.
        """
        text = event_line(event) + b"\n"
        writer = await self._connected()
        try:
            async with asyncio.timeout(self._write_limit_s):
                writer.write(text)
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except TimeoutError:
            raise self._failure("write", "i/o timeout") from None
        except OSError as error:
            raise self._failure("write", _reason(error)) from error
        finally:
            # after a failure, do not wait for a graceful close
            with contextlib.suppress(OSError):
                writer.transport.abort()

    async def _connected(self) -> asyncio.StreamWriter:
        host, port = self._place()
        try:
            async with asyncio.timeout(self._connect_limit_s):
                connection = await self._dialer.connected(host, port)
                _, writer = await asyncio.open_connection(sock=connection)
        except TimeoutError:
            raise self._failure("connect", "i/o timeout") from None
        except DeniedAddressError as error:
            raise self._failure("connect", str(error), retry=False) from error
        except LookupTimeoutError as error:
            raise self._failure("connect", str(error)) from error
        except UnicodeError:
            text = f"lookup {host}: no such host"
            raise self._failure("connect", text, retry=False) from None
        except socket.gaierror as error:
            raise self._failure("connect", f"lookup {host}: no such host") from error
        except OSError as error:
            raise self._failure("connect", _reason(error)) from error
        return writer

    def _place(self) -> tuple[str, int]:
        address = self.options.address
        host, colon, port = address.rpartition(":")
        if not colon:
            text = f"address {address}: missing port in address"
            raise self._failure("connect", text, retry=False)
        if not (port.isascii() and port.isdigit() and int(port) <= 65535):
            text = f"address {address}: invalid port"
            raise self._failure("connect", text, retry=False)
        # as in Go, an address without a host is this machine
        return host.removeprefix("[").removesuffix("]") or "localhost", int(port)

    def _failure(self, verb: str, reason: str, *, retry: bool = True) -> DeliveryError:
        text = (
            f"tcp handler failed to {verb}: dial tcp {self.options.address}: {reason}"
        )
        return DeliveryError(text, retry=retry)


def _reason(error: OSError) -> str:
    if error.errno is None or error.errno < 0:
        return "connection failed"
    return os.strerror(error.errno).lower()
