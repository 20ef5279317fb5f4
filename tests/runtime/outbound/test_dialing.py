"""Connections through name servers that are slow, change their mind, or lie."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest

from runtime.errors import DeliveryError
from runtime.outbound.addresses import (
    DEFAULT_DENIED,
    DeniedAddressError,
    DeniedNetworks,
)
from runtime.outbound.client import AiohttpClient, Request, TimeLimits
from runtime.outbound.dialing import Dialer, LookupTimeoutError, look_up
from runtime.services.alert.kinds.tcp import TCPHandler, TCPHandlerConfig
from runtime.testing.events import sample_event
from runtime.testing.loopback import Answer, LoopbackServer

LOCAL_DENIED = DeniedNetworks.parsed([*DEFAULT_DENIED, "127.0.0.0/8", "::1/128"])
LIMITS = TimeLimits(30.0, 30.0)
# as long as a test takes, so that what waits for it fails the test
SLOW_S = 30.0


class Names:
    """A name server: each name has its answers, of which the last one is repeated."""

    def __init__(self, **answers):
        self.answers = {name: list(each) for name, each in answers.items()}
        self.asked = []
        self.ending = threading.Event()

    def __call__(self, host):
        self.asked.append(host)
        answers = self.answers[host.partition(".")[0]]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == "slow":
            self.ending.wait(SLOW_S)
            return ["127.0.0.1"]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def names():
    names = Names()
    yield names
    names.ending.set()


def port_of(server):
    return server.url.rpartition(":")[2]


def outcome(*urls, dialer, limits=LIMITS):
    """Return the results of requests to `urls`, one after the other."""

    async def run():
        client = AiohttpClient(limits, dialer)
        try:
            return [await one(client, url) for url in urls]
        finally:
            await client.close()

    return asyncio.run(asyncio.wait_for(run(), 60))


async def one(client, url):
    try:
        return (await client.send(Request("POST", url, {}, b"x"))).status
    except DeliveryError as error:
        return error


def over_tcp(address, dialer):
    handler = TCPHandler(TCPHandlerConfig(address), dialer)
    with pytest.raises(DeliveryError) as caught:
        asyncio.run(asyncio.wait_for(handler.handle(sample_event()), 60))
    return caught.value


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "2852039166",
        "[fe80::1]",
        "0.0.0.0",
        "0",
        "[::]",
        "user:secret@127.0.0.1",
    ],
)
def test_however_a_denied_address_is_written_nothing_gets_there(server, host):
    url = f"http://{host}:{port_of(server)}/path?token=secret"
    [error] = outcome(url, dialer=Dialer(LOCAL_DENIED))
    assert isinstance(error, DeliveryError)
    assert "secret" not in str(error)
    assert server.received.empty()
    # the interpretation of some spellings depends on the version of aiohttp
    if "denied" in str(error):
        assert "is denied by [delivery] denied-networks" in str(error)
        assert not error.retry
        assert not error.maybe_duplicate
    else:
        ends = ("no such host", "invalid URL", "connection failed")
        assert str(error).endswith(ends)


@pytest.mark.parametrize("scheme", ["gopher", "file", "unix", "ftp", "data", ""])
def test_other_schemes_are_refused_for_good(scheme):
    [error] = outcome(f"{scheme}://127.0.0.1:1/x", dialer=Dialer())
    assert f'unsupported protocol scheme "{scheme}"' in str(error)
    assert not error.retry


def test_a_url_that_cannot_be_read_is_refused_for_good():
    [error] = outcome("http://[::1/x", dialer=Dialer())
    assert (str(error), error.retry) == ('Post "***": invalid URL', False)


@pytest.mark.parametrize("answer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_name_that_leads_to_a_denied_address(server, names, answer):
    names.answers["evil"] = [[answer]]
    dialer = Dialer(LOCAL_DENIED, lookup=names)
    [error] = outcome(f"http://evil.test:{port_of(server)}/?k=secret", dialer=dialer)
    assert str(error) == (
        f'Post "http://evil.test:{port_of(server)}/?k=***": dial tcp: '
        f"address {answer} is denied by [delivery] denied-networks"
    )
    assert not error.retry
    assert server.received.empty()


def test_an_answer_that_changes_between_attempts(server, names):
    names.answers["turn"] = [["127.0.0.1"], ["169.254.169.254"]]
    server.headers = {"Connection": "close"}
    url = f"http://turn.test:{port_of(server)}/"
    first, second = outcome(url, url, dialer=Dialer(lookup=names))
    assert first == 200
    assert "address 169.254.169.254 is denied" in str(second)


def test_an_answer_that_changes_before_a_redirect_on_the_same_host(server, names):
    names.answers["turn"] = [["127.0.0.1"], ["169.254.169.254"]]
    server.answers.append(
        Answer(307, headers={"Location": "/b", "Connection": "close"})
    )
    url = f"http://turn.test:{port_of(server)}/a"
    [error] = outcome(url, dialer=Dialer(lookup=names))
    assert "address 169.254.169.254 is denied" in str(error)
    assert not error.retry


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "[::1]", ""])
def test_sockets_of_handlers_heed_the_list(server, host):
    error = over_tcp(f"{host}:{port_of(server)}", Dialer(LOCAL_DENIED))
    assert "is denied by [delivery] denied-networks" in str(error)
    assert not error.retry


def test_the_next_attempt_connects_to_the_new_address(server, names):
    # the server listens on the second alone
    names.answers["moved"] = [["127.0.0.2"], ["127.0.0.1"]]
    url = f"http://moved.test:{port_of(server)}/"
    first, second = outcome(url, url, dialer=Dialer(lookup=names))
    assert "connection refused" in str(first)
    assert first.retry
    assert second == 200


def test_a_name_that_does_not_exist_is_tried_again(names):
    names.answers["no"] = [socket.gaierror(socket.EAI_NONAME, "no")]
    dialer = Dialer(lookup=names)
    [error] = outcome("http://no.test/", dialer=dialer)
    assert (
        str(error) == 'Post "http://no.test/": dial tcp: lookup no.test: no such host'
    )
    assert error.retry
    assert over_tcp("no.test:80", dialer).retry


def test_a_name_that_no_name_server_can_be_asked_for(names):
    names.answers["bad"] = [UnicodeError("label too long")]
    assert not over_tcp("bad.test:80", Dialer(lookup=names)).retry


def test_a_slow_name_server_is_given_up_and_asked_once_at_a_time(names):
    names.answers["slow"] = ["slow"]
    dialer = Dialer(lookup=names, limit_s=0.05)
    begin = time.monotonic()
    errors = outcome(*["http://slow.test/"] * 3, dialer=dialer)
    assert time.monotonic() - begin < 20
    for error in errors:
        assert str(error).endswith("dial tcp: lookup slow.test: i/o timeout")
        assert error.retry
        assert not error.maybe_duplicate
    assert names.asked == ["slow.test"]
    assert over_tcp("slow.test:80", Dialer(lookup=names, limit_s=0.05)).retry


def test_names_that_are_slow_keep_no_other_waiting(server, names):
    slow = [f"slow{number}" for number in range(40)]
    names.answers |= {name: ["slow"] for name in slow} | {"good": [["127.0.0.1"]]}

    async def run():
        client = AiohttpClient(TimeLimits(30, 30), Dialer(lookup=names))
        waiting = [
            asyncio.create_task(one(client, f"http://{name}.test/")) for name in slow
        ]
        while len(names.asked) < len(slow):
            await asyncio.sleep(0.001)
        begin = time.monotonic()
        found = await one(client, f"http://good.test:{port_of(server)}/")
        took_s = time.monotonic() - begin
        names.ending.set()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await client.close()
        return found, took_s

    found, took_s = asyncio.run(asyncio.wait_for(run(), 60))
    assert found == 200
    assert took_s < 20


@contextlib.contextmanager
def silent(address, port):
    """An address where connections are neither taken nor refused: its backlog is full."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listener.bind((address, port))
        except OSError as error:
            pytest.skip(f"{address} cannot be used: {error}")
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket(family))
            filler.setblocking(False)
            filler.connect_ex((address, port))
        yield


@pytest.mark.parametrize("address", ["::1", "127.0.0.3"])
def test_an_address_that_is_silent_gives_way_to_the_next(server, names, address):
    port = int(port_of(server))
    names.answers["both"] = [[address, "127.0.0.1"]]
    with silent(address, port):
        begin = time.monotonic()
        dialer = Dialer(lookup=names)
        assert outcome(
            f"http://both.test:{port}/", dialer=dialer, limits=TimeLimits(30, 30)
        ) == [200]
        assert time.monotonic() - begin < 20

        async def connect():
            (await dialer.connected("both.test", port)).close()

        asyncio.run(asyncio.wait_for(connect(), 60))


def test_an_address_that_is_silent_alone_is_given_up_in_time(server, names):
    names.answers["alone"] = [["127.0.0.3"]]
    port = int(port_of(server))
    with silent("127.0.0.3", port):
        [error] = outcome(
            f"http://alone.test:{port}/",
            dialer=Dialer(lookup=names),
            limits=TimeLimits(0.1, 5),
        )
    assert str(error).endswith("dial tcp: i/o timeout")
    assert error.retry
    assert not error.maybe_duplicate


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    with LoopbackServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert outcome(server.url, dialer=Dialer()) == [200]
        assert proxy.received.empty()


def test_this_machine_has_a_name():
    assert set(look_up("localhost")) <= {"127.0.0.1", "::1"}


def test_who_waits_for_a_look_up_when_all_ends_is_let_go(names):
    names.answers["slow"] = ["slow"]
    dialer = Dialer(lookup=names)

    async def run():
        waiting = asyncio.create_task(dialer.addresses("slow.test"))
        while not names.asked:
            await asyncio.sleep(0.001)
        dialer.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(asyncio.wait_for(run(), 60))


def test_an_address_takes_no_look_up(names):
    assert asyncio.run(Dialer(lookup=names).addresses("127.0.0.1")) == ["127.0.0.1"]
    assert names.asked == []


def test_looking_up_reports_what_is_wrong(names):
    names.answers["slow"] = ["slow"]
    with pytest.raises(LookupTimeoutError):
        asyncio.run(Dialer(lookup=names, limit_s=0.01).addresses("slow"))
    with pytest.raises(DeniedAddressError):
        asyncio.run(Dialer(lookup=names).addresses("169.254.1.1"))
