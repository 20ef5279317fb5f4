import asyncio
import json
import socket

import pytest

from runtime.errors import DeliveryError, OptionsError
from runtime.services.alert.kinds.tcp import TCPHandler, TCPHandlerConfig
from runtime.testing.events import changed_event, sample_event


def test_writes_a_line_of_json_and_an_empty_line(make):
    async def sent():
        received = asyncio.get_running_loop().create_future()

        async def serve(reader, writer):
            received.set_result(await reader.read())
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            options = {"address": f"127.0.0.1:{port}"}
            handler = make("tcp", options)
            await handler.handle(sample_event())
            return await asyncio.wait_for(received, 30)

    text = asyncio.run(sent())
    assert text.endswith(b"}\n\n")
    assert json.loads(text)["level"] == "CRITICAL"


def test_a_refused_connection_is_tried_again():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        error = failure(address)
    assert str(error) == (
        f"tcp handler failed to connect: dial tcp {address}: connection refused"
    )
    assert error.retry


def test_who_does_not_read_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        event = changed_event(sample_event(), {"details": "x" * 20_000_000})
        error = failure(address, event, write_limit_s=0.2)
    assert str(error) == f"tcp handler failed to write: dial tcp {address}: i/o timeout"
    assert error.retry


@pytest.mark.parametrize("address", ["nowhere", "host:port", "host:99999"])
def test_an_address_that_is_none_is_not_tried_again(address):
    error = failure(address)
    assert f"dial tcp {address}: address {address}: " in str(error)
    assert not error.retry


def test_unknown_options_are_refused(make):
    with pytest.raises(OptionsError) as caught:
        make("tcp", {"addres": "x"})
    assert str(caught.value) == (
        "failed to decode options into *alert.TCPHandlerConfig: 1 error(s) decoding:"
        "\n\n* '' has invalid keys: addres"
    )


def failure(address, event=None, **limits):
    handler = TCPHandler(TCPHandlerConfig(address), **limits)
    with pytest.raises(DeliveryError) as caught:
        asyncio.run(handler.handle(event or sample_event()))
    return caught.value
