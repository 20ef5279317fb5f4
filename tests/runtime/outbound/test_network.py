"""The network of hooks."""

import asyncio
import ssl

import pytest

from runtime.errors import ConfigError
from runtime.outbound.addresses import DeniedAddressError, DeniedNetworks
from runtime.outbound.client import AiohttpClient, TimeLimits
from runtime.outbound.connection import Certificates
from runtime.outbound.dialing import Dialer
from runtime.outbound.network import Network
from runtime.outbound.trust import Trust
from tests.runtime.outbound.authority import Authority, endpoint


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("network"), "authority")


@pytest.fixture(scope="module")
def server(authority):
    with endpoint(authority.pair("server")) as server:
        yield server


def connect(network, server, *, verify=True):
    """Shake hands with a server."""

    async def run():
        context = await network.tls(verify=verify)
        port = int(server.url.split(":")[2].strip("/"))
        made = await network.connected("127.0.0.1", port)
        _, writer = await asyncio.open_connection(
            sock=made, ssl=context, server_hostname="127.0.0.1"
        )
        protocol = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        writer.close()
        await writer.wait_closed()
        return protocol

    async def limited():
        async with asyncio.timeout(20):
            return await run()

    return asyncio.run(limited())


def test_a_certificate_is_verified(server, authority):
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(Network(), server)
    # no protocol of HTTP is offered, which another server might refuse
    assert connect(Network(), server, verify=False) is None
    connect(Network(trust=Trust(authority.file)), server)
    connect(Network(files=Certificates(ca=str(authority.file))), server)


def test_the_authorities_of_a_service_are_the_only_ones(server, authority, tmp_path):
    other = Authority(tmp_path, "other")
    files = Certificates(ca=str(other.file))
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(Network(trust=Trust(authority.file), files=files), server)


def test_a_file_that_is_gone_is_an_error_of_the_configuration(tmp_path):
    files = Certificates(ca=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match="ssl-ca"):
        asyncio.run(Network(files=files).tls())


def test_a_denied_address():
    dialer = Dialer(DeniedNetworks.parsed(["127.0.0.0/8"]))
    network = AiohttpClient(TimeLimits(), dialer).network

    async def addresses():
        return await network.addresses("127.0.0.1")

    async def connected():
        return await network.connected("127.0.0.1", 1)

    for attempt in (addresses, connected):
        with pytest.raises(DeniedAddressError):
            asyncio.run(attempt())
