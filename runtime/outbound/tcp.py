"""Messages to TCP addresses, and their answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

from runtime.errors import DeliveryError
from runtime.outbound.addresses import DeniedAddressError
from runtime.outbound.dialing import Dialer, LookupTimeoutError

EXCHANGE = "EXCHANGE"
"""The method of a request to `tcp://` whose answer is read; others have no answer."""
_ANSWER_BYTES = 64 * 1024


async def exchange(
    dialer: Dialer, address: str, message: bytes, *, reads: bool
) -> bytes:
    """Write a message on a connection of its own, and read the answer.

    The sending side is closed after the message. The answer ends with the connection,
    or with its first line.

    Args:
        dialer: opens the connection.
        address: `host:port`; this machine without a host.
        message: the bytes to write.
        reads: true to read an answer of at most 64 KiB, without its line end.

    Raises:
        DeliveryError: the connection failed.
    """
    is_connected = False
    try:
        host, port = _place(address)
        connection = await dialer.connected(host, port)
        reader, writer = await asyncio.open_connection(
            sock=connection, limit=_ANSWER_BYTES
        )
        is_connected = True
        try:
            writer.write(message)
            await writer.drain()
            writer.write_eof()
            answer = await _answer(reader) if reads else b""
            writer.close()
            await writer.wait_closed()
            return answer
        finally:
            # after a failure, do not wait for a graceful close
            with contextlib.suppress(OSError):
                writer.transport.abort()
    except DeniedAddressError as error:
        raise _failure(address, str(error)) from None
    except LookupTimeoutError as error:
        raise _failure(address, str(error), retry=True) from None
    except (UnicodeError, socket.gaierror) as error:
        text = "no such host"
        may_pass = isinstance(error, socket.gaierror)
        raise _failure(address, f"lookup: {text}", retry=may_pass) from None
    except TimeoutError:
        raise _failure(
            address, "i/o timeout", retry=True, maybe_duplicate=is_connected
        ) from None
    except OSError as error:
        raise _failure(
            address, _reason(error), retry=True, maybe_duplicate=is_connected
        ) from None


async def _answer(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        line = error.partial
    except asyncio.LimitOverrunError:
        line = await reader.read(_ANSWER_BYTES)
    return line.rstrip(b"\r\n")


def _place(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon:
        raise _failure(address, "missing port in address")
    if not (port.isascii() and port.isdigit() and int(port[:6]) <= 65535):
        raise _failure(address, "invalid port")
    # as in Go, an address without a host is this machine
    return host.removeprefix("[").removesuffix("]") or "localhost", int(port)


def _failure(
    address: str, reason: str, *, retry: bool = False, maybe_duplicate: bool = False
) -> DeliveryError:
    return DeliveryError(
        f"dial tcp {address}: {reason}", retry=retry, maybe_duplicate=maybe_duplicate
    )


def _reason(error: OSError) -> str:
    if error.errno is None or error.errno < 0:
        return "connection failed"
    return os.strerror(error.errno).lower()
