"""SNMP traps, sent to a real receiver, which reads their bytes by itself."""

import asyncio
import contextlib
import socket

import pytest

from runtime.alert.templates import Template
from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.outbound.addresses import DeniedNetworks
from runtime.outbound.client import AiohttpClient, TimeLimits
from runtime.outbound.dialing import Dialer
from runtime.outbound.network import Network
from runtime.secrets import Secret
from runtime.services.snmptrap import hook
from runtime.services.snmptrap.config import Config
from runtime.services.snmptrap.handler import Data, HandlerConfig
from runtime.services.snmptrap.service import Service
from runtime.testing.events import changed_event, sample_event
from runtime.testing.handlers import deliver, options_from_script, run_service_test


def datum(oid, type_, text):
    return Data(oid, type_, Template(text))


UPTIME = ("1.3.6.1.2.1.1.3.0", "TimeTicks", 1000)
TRAP = "1.3.6.1.6.3.1.1.4.1.0"
TAGS = {
    0x02: "Integer",
    0x04: "OctetString",
    0x05: "Null",
    0x06: "Oid",
    0x43: "TimeTicks",
    0x46: "Counter64",
}


def elements(data):
    """The tag and content of each BER element."""
    while data:
        tag, length, data = data[0], data[1], data[2:]
        if length & 0x80:
            size = length & 0x7F
            length, data = int.from_bytes(data[:size]), data[size:]
        assert len(data) >= length
        yield tag, data[:length]
        data = data[length:]


def oid(content):
    parts, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            parts.append(number)
            number = 0
    first = min(parts[0] // 40, 2)
    return ".".join(map(str, (first, parts[0] - 40 * first, *parts[1:])))


def value(tag, content):
    name = TAGS[tag]
    if name == "Oid":
        return name, oid(content)
    if name == "OctetString":
        return name, content.decode()
    if name == "Null":
        return name, None
    return name, int.from_bytes(content, signed=True)


def trap(packet):
    """The community and the variable bindings of a trap of version 2c."""
    [(sequence, message)] = elements(packet)
    (_, version), (_, community), (kind, pdu) = elements(message)
    assert (sequence, version, kind) == (0x30, b"\x01", 0xA7)
    _, (_, status), (_, index), (_, bindings) = elements(pdu)
    assert (status, index) == (b"\0", b"\0")
    found = []
    for _, binding in elements(bindings):
        (_, name), (tag, content) = elements(binding)
        found.append((oid(name), *value(tag, content)))
    return community.decode(), found


@contextlib.contextmanager
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(20)
        yield made


def config(server, **settings):
    address = f"127.0.0.1:{server.getsockname()[1]}"
    return Config(enabled=True, addr=address, **settings)


def received(options, event=None, **settings):
    with receiver() as server:
        deliver(Service, config(server, **settings), options, event)
        return trap(server.recv(65536))


def test_a_trap():
    options = HandlerConfig(
        "1.1.1",
        (
            datum("1.1.1.1", "c", "1"),
            datum("1.1.1.2", "s", "SNMP ALERT ü"),
            datum("1.1.1.3", "s", "{{ .Message }}"),
            datum("1.1.1.4", "i", "10"),
            datum(".1.1.1.5", "n", ""),
            datum("1.1.1.4294967295", "t", "20000"),
        ),
    )
    event = changed_event(sample_event(), {"message": "kapacitor/cpu/serverA"})
    assert received(options, event, community=Secret("public")) == (
        "public",
        [
            UPTIME,
            (TRAP, "Oid", "1.1.1"),
            ("1.1.1.1", "Counter64", 1),
            ("1.1.1.2", "OctetString", "SNMP ALERT ü"),
            ("1.1.1.3", "OctetString", "kapacitor/cpu/serverA"),
            ("1.1.1.4", "Integer", 10),
            ("1.1.1.5", "Null", None),
            ("1.1.1.4294967295", "TimeTicks", 20000),
        ],
    )


def test_the_usual_community():
    assert received(HandlerConfig("1.1.1"))[0] == "kapacitor"


def test_the_service_test():
    with receiver() as server:
        run_service_test(Service, config(server))
        _, bindings = trap(server.recv(65536))
    assert bindings == [
        UPTIME,
        (TRAP, "Oid", "1.1.1.1"),
        ("1.1.1.1.2", "OctetString", "test snmptrap message"),
    ]


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("i", "2147483648", -2147483648),
        ("i", "-2147483649", 2147483647),
        ("t", "-1", -1 % 2**32),
        ("c", "-1", 2**64 - 1),
        ("c", "+9223372036854775807", 2**63 - 1),
    ],
)
def test_numbers_wrap_as_in_go(type_, text, expected):
    _, bindings = received(HandlerConfig("1.1.1", (datum("1.1", type_, text),)))
    assert bindings[2][2] == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ("1.x", ()),
            'invalid trap Oid "1.x": The sub-identifiers is range 0..4294967295',
        ),
        (
            ("1", ()),
            'invalid trap Oid "1": The first and second sub-identifier is required',
        ),
        (("3.1", ()), 'invalid trap Oid "3.1": The first sub-identifier is range 0..2'),
        (
            ("1.40", ()),
            'invalid trap Oid "1.40": The second sub-identifier is range 0..39',
        ),
        (
            (f"1.1{'.1' * 127}", ()),
            f'invalid trap Oid "1.1{".1" * 127}": The sub-identifiers in an OID is up '
            "to 128",
        ),
        (
            ("1.1", (datum("1.4294967296", "s", ""),)),
            'invalid data Oid "1.4294967296": The sub-identifiers is range 0..4294967295',
        ),
        (
            ("1.1", (datum("1.1", "a", ""),)),
            "Snmptrap Datatype 'IP address' not supported",
        ),
        (("1.1", (datum("1.1", "zz", ""),)), "Snmptrap Datatype not known: zz"),
        (
            ("1.1", (datum("1.1", "i", "x"),)),
            'strconv.ParseInt: parsing "x": invalid syntax',
        ),
        (
            ("1.1", (datum("1.1", "c", "9223372036854775808"),)),
            'strconv.ParseInt: parsing "9223372036854775808": value out of range',
        ),
    ],
    ids=["part", "short", "first", "second", "long", "data", "a", "zz", "x", "range"],
)
def test_a_trap_that_cannot_be_made(options, expected):
    with receiver() as server, pytest.raises(DeliveryError) as caught:
        deliver(Service, config(server), HandlerConfig(*options))
    assert str(caught.value) == expected
    assert not caught.value.retry


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (HandlerConfig(""), 'invalid SNMP trap "": you must supply a trap Oid'),
        (
            HandlerConfig("1.1.1", (datum("1.1.1.2", "x", "5"),)),
            'invalid SNMP trap "1.1.1": unsupported data type "x" for data entry '
            '"1.1.1.2"',
        ),
    ],
    ids=["no identifier", "type"],
)
def test_a_definition_that_is_refused(options, expected):
    service = Service(Config(), AiohttpClient())
    with pytest.raises(OptionsError) as caught:
        service.handler(options).check()
    assert str(caught.value) == expected


def test_data_in_a_script():
    script = ".snmpTrap('1.1.1').data('1.1.1.2', 'c', '1').data('1.1.1.3', 's', 'x')"
    expected = HandlerConfig(
        "1.1.1", (datum("1.1.1.2", "c", "1"), datum("1.1.1.3", "s", "x"))
    )
    assert options_from_script("snmptrap", Config(enabled=True), script) == [expected]


@pytest.mark.parametrize("address", ["localhost", "localhost:x", "h:65536", ":", "h:²"])
def test_an_address_without_a_port_is_refused(address):
    with pytest.raises(ConfigError, match="it must be HOST:PORT"):
        Service(Config(enabled=True, addr=address), AiohttpClient())
    Service(Config(addr=address), AiohttpClient())


class Failing(Network):
    """Fails to look up names a number of times."""

    failures = 2

    async def addresses(self, host):
        if Failing.failures:
            Failing.failures -= 1
            raise OSError(101, "Network is unreachable")
        return ["127.0.0.1"]


@pytest.mark.parametrize(("retries", "arrives"), [(2, True), (1, False), (-1, False)])
def test_a_packet_that_cannot_be_sent_is_sent_again(monkeypatch, retries, arrives):
    monkeypatch.setattr(Failing, "failures", 2)
    with receiver() as server:
        client = hook.Client(config(server, retries=retries), Failing())
        data = {"trap": "1.1.1", "data": []}
        if arrives:
            asyncio.run(hook.send(client, data))
            assert trap(server.recv(65536))
            return
        with pytest.raises(DeliveryError) as caught:
            asyncio.run(hook.send(client, data))
    assert str(caught.value) == "failed to send SNMP trap: network is unreachable"
    assert caught.value.retry


def test_a_denied_address_gets_no_packet():
    async def run():
        dialer = Dialer(DeniedNetworks.parsed(["127.0.0.0/8"]))
        client = AiohttpClient(TimeLimits(), dialer)
        service = Service(config(server), client)
        try:
            await service.alert(HandlerConfig("1.1.1"), sample_event())
        finally:
            await service.close()
            await client.close()

    with receiver() as server:
        with pytest.raises(DeliveryError, match=r"127\.0\.0\.1 is denied") as caught:
            asyncio.run(run())
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.recv(1)
    assert not caught.value.retry


def test_a_missing_library_names_the_extra(monkeypatch):
    def missing(*names):
        raise ModuleNotFoundError("no", name="pysnmp")

    monkeypatch.setattr(hook, "required", missing)
    with pytest.raises(ConfigError) as caught:
        Service(Config(enabled=True), AiohttpClient())
    assert str(caught.value) == (
        'snmptrap needs the library pysnmp; pip install "scaffold-alerts[snmptrap]"'
    )
