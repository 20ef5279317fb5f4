"""Sends SNMP traps, which pysnmp encodes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.golang.quoting import quote
from runtime.golang.utf8 import scrub
from runtime.outbound.addresses import DeniedAddressError
from runtime.outbound.network import Network
from runtime.services.hooks import required
from runtime.services.snmptrap.config import Config
from runtime.services.snmptrap.handler import HandlerConfig

_LIBRARY = "pysnmp"
_COMMUNITY = "kapacitor"
_UPTIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
_TRAP = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
# the constant value that Kapacitor sends
_UPTIME_TICKS = 1000
_TYPES = frozenset("cinst")
_UNSUPPORTED = {
    "a": "IP address",
    "d": "Decimal string",
    "o": "Object ID",
    "u": "Unsigned integer",
    "x": "Hexadecimal string",
}
_OID_LENGTH = 128
_OID_PART = 2**32
_INT64 = 2**63
_INTEGER = re.compile(r"[+-]?[0-9]+")

Oid = tuple[int, ...]


class Client(NamedTuple):
    """The receiver of traps."""

    config: Config
    network: Network


def validate(config: Config) -> None:
    """Check that the library is installed and that the receiver's address has a port.

    Raises:
        ModuleNotFoundError: the library is missing.
        ConfigError: the address is invalid.
    """
    required(_LIBRARY)
    _place(config.addr)


def check(options: HandlerConfig) -> None:
    """Refuse options that a trap cannot have.

    Raises:
        OptionsError: the identifier of the trap is missing, or a type is unknown.

    Source: Kapacitor pipeline, SNMPTrapHandler.validate.
    """
    prefix = f"invalid SNMP trap {quote(options.trap_oid)}: "
    if not options.trap_oid:
        raise OptionsError(f"{prefix}you must supply a trap Oid")
    for each in options.data_list:
        if each.type not in _TYPES:
            raise OptionsError(
                f"{prefix}unsupported data type {quote(each.type)} for data entry "
                f"{quote(each.oid)}"
            )


async def open(config: Config, network: Network) -> Client:
    """Return a client; UDP has no connection.

    Raises:
        ModuleNotFoundError: the library is missing.
    """
    required(_LIBRARY)
    return Client(config, network)


async def close(client: Client) -> None:
    """Do nothing: each trap has a socket of its own."""


async def send(client: Client, data: Mapping[str, Any]) -> None:
    """Send one trap. Receivers do not confirm traps.

    Raises:
        DeliveryError: the data cannot be sent as a trap, or no packet could be sent.
    """
    community = client.config.community.reveal() or _COMMUNITY
    packet = encoded(community, data["trap"], data["data"])
    for attempts_left in reversed(range(max(client.config.retries, 0) + 1)):
        try:
            await _sent(client, packet)
        except DeniedAddressError:
            raise
        except OSError as error:
            if attempts_left:
                continue
            reason = (error.strerror or str(error) or type(error).__name__).lower()
            text = f"failed to send SNMP trap: {reason}"
            raise DeliveryError(text, retry=True) from None
        return


def encoded(community: str, trap: str, data: Sequence[Mapping[str, str]]) -> bytes:
    """The packet of a trap.

    Args:
        community: community of the receiver.
        trap: object identifier of the trap.
        data: maps with `oid`, `type` and `value`.

    Raises:
        DeliveryError: an identifier, a type or a value is invalid; the texts are
            Kapacitor's.
    """
    from pyasn1.codec.ber import encoder
    from pysnmp.proto.api import v2c

    values = [
        (_UPTIME, v2c.TimeTicks(_UPTIME_TICKS)),
        (_TRAP, v2c.ObjectIdentifier(_oid("trap", trap))),
    ]
    for each in data:
        oid = _oid("data", each["oid"])
        values.append((oid, _value(each["type"], each["value"])))
    pdu = v2c.SNMPv2TrapPDU()
    v2c.apiTrapPDU.set_defaults(pdu)
    v2c.apiTrapPDU.set_varbinds(pdu, values)
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community.encode())
    v2c.apiMessage.set_pdu(message, pdu)
    packet: bytes = encoder.encode(message)
    return packet


def _value(type_: str, text: str) -> Any:
    """A value as pysnmp represents it; numbers wrap as in Go."""
    from pysnmp.proto.api import v2c

    makers: dict[str, Callable[[], Any]] = {
        "c": lambda: v2c.Counter64(_int(text) % 2**64),
        "i": lambda: v2c.Integer32((_int(text) + 2**31) % 2**32 - 2**31),
        "n": lambda: v2c.Null(""),
        "s": lambda: v2c.OctetString(scrub(text).encode()),
        "t": lambda: v2c.TimeTicks(_int(text) % 2**32),
    }
    if type_ in makers:
        return makers[type_]()
    if type_ in _UNSUPPORTED:
        text = f"Snmptrap Datatype '{_UNSUPPORTED[type_]}' not supported"
        raise DeliveryError(text)
    raise DeliveryError(f"Snmptrap Datatype not known: {type_}")


def _int(text: str) -> int:
    """A decimal number of 64 bits, or Go's error."""
    problem = "invalid syntax"
    # the pattern limits the length, and so the time of the conversion
    if _INTEGER.fullmatch(text):
        number = int(text) if len(text) <= _OID_LENGTH else _INT64
        if -_INT64 <= number < _INT64:
            return number
        problem = "value out of range"
    raise DeliveryError(f"strconv.ParseInt: parsing {quote(text)}: {problem}")


def _oid(kind: str, text: str) -> Oid:
    """An object identifier.

    Raises:
        DeliveryError: the text is invalid.

    Source: snmpgo, NewOid.
    """
    parts = text.split(".")
    if not parts[0]:
        del parts[0]
    problem = ""
    if len(parts) > _OID_LENGTH:
        problem = "The sub-identifiers in an OID is up to 128"
    elif not all(_is_part(each) for each in parts):
        problem = f"The sub-identifiers is range 0..{_OID_PART - 1}"
    elif parts and int(parts[0]) > 2:
        problem = "The first sub-identifier is range 0..2"
    elif len(parts) < 2:
        problem = "The first and second sub-identifier is required"
    elif int(parts[0]) < 2 and int(parts[1]) >= 40:
        problem = "The second sub-identifier is range 0..39"
    if problem:
        raise DeliveryError(f"invalid {kind} Oid {quote(text)}: {problem}")
    return tuple(map(int, parts))


def _is_part(text: str) -> bool:
    is_number = text.isascii() and text.isdigit() and len(text) <= _OID_LENGTH
    return is_number and int(text) < _OID_PART


def _place(address: str) -> tuple[str, int]:
    """Host and port of an address.

    Raises:
        ConfigError: the address has no valid port.
    """
    host, colon, port = address.rpartition(":")
    is_number = port.isascii() and port.isdigit() and len(port) <= len("65535")
    if not colon or not is_number or int(port) > 65535:
        text = f"invalid addr {quote(address)}: it must be HOST:PORT"
        raise ConfigError(text)
    # as in Go, an address without a host is this machine
    return host.removeprefix("[").removesuffix("]") or "localhost", int(port)


async def _sent(client: Client, packet: bytes) -> None:
    host, port = _place(client.config.addr)
    [address, *_] = await client.network.addresses(host)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=(address, port)
    )
    # closing the socket waits until the packet is sent
    transport.sendto(packet)
    transport.close()
