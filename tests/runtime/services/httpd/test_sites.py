"""Hosts of the server, and origins whose pages may send requests."""

import asyncio
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.compute.thread import Compute
from runtime.services.httpd.messages import Answer, Request, pretty
from runtime.services.httpd.service import HttpServer
from runtime.services.httpd.sites import Sites, parsed_host, parsed_origin
from runtime.services.httpd.write import WriteHandler

SITES = Sites(
    ("Kapacitor.Example", "*.corp.example", "10.1.2.3", "fd00::5"),
    ("https://grafana.example", "http://ui.example:8080"),
)


@pytest.mark.parametrize(
    "authority",
    [
        *(
            "localhost",
            "LocalHost:9092",
            "localhost.:9092",
            "a.localhost",
            "localhost:",
        ),
        *("127.0.0.1", "127.8.9.1:80", "[::1]:9092", "[::ffff:127.0.0.1]:1"),
        *("kapacitor.example", "KAPACITOR.example.:9092", "a.corp.example"),
        *("a.b.corp.example:1", "10.1.2.3:9092", "[FD00:0::5]:9092"),
        *("192.0.2.7", "192.0.2.7:9092", "[::ffff:192.0.2.7]"),
    ],
)
def test_own_hosts(authority: str) -> None:
    assert SITES.serves(authority, "192.0.2.7")


def test_the_address_of_a_connection_may_have_a_zone() -> None:
    assert SITES.serves("[fe80::1%25eth0]:9092", "fe80::1%eth0")
    assert SITES.serves("[fe80::1]", "fe80::1%eth0")
    assert not SITES.serves("[fe80::2]", "fe80::1%eth0")


@pytest.mark.parametrize(
    "authority",
    [
        *("evil.example", "evil.example:9092", "localhost.evil.example", "", ":9092"),
        *("127.0.0.1.evil.example", "evilcorp.example", "corp.example", "192.0.2.8"),
        *("notlocalhost", "kapacitor.example.evil.example", "[fe80::1]", "0.0.0.0"),
        *("2130706433", "0x7f.1", "169.254.169.254", "[::]"),
    ],
)
def test_foreign_hosts(authority: str) -> None:
    assert not SITES.serves(authority, "192.0.2.7")


@pytest.mark.parametrize(
    "authority",
    ["a b", "localhost@evil", "[::1", "::1", "[localhost]", "a:b", "localhost:999999"],
)
def test_malformed_hosts(authority: str) -> None:
    with pytest.raises(ValueError, match="malformed host"):
        SITES.serves(authority, "127.0.0.1")


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_has_an_answer(authority: str, origin: str) -> None:
    try:
        served = SITES.serves(authority, "127.0.0.1")
    except ValueError as error:
        assert str(error)
        return
    assert SITES.is_foreign(authority, [origin], []) or served or "://" in origin


@pytest.mark.parametrize(
    ("authority", "origins", "fetch_sites", "foreign"),
    [
        ("localhost:9092", [], [], False),
        ("localhost:9092", [], ["none"], False),
        ("localhost:9092", [], ["same-origin"], False),
        ("localhost:9092", [], ["cross-site"], True),
        ("localhost:9092", [], ["same-site"], True),
        ("localhost:9092", [], ["Cross-Site "], True),
        ("localhost:9092", [], ["whatever"], True),
        ("localhost:9092", [], ["none", "cross-site"], True),
        ("localhost:9092", ["http://localhost:9092"], [], False),
        ("localhost", ["http://localhost"], [], False),
        ("localhost:443", ["https://localhost"], [], False),
        ("LOCALHOST:9092", ["http://localhost:9092"], [], False),
        ("localhost:9092", ["http://localhost:3000"], [], True),
        ("localhost:9092", ["http://localhost"], [], True),
        ("localhost:9092", ["ftp://localhost:9092"], [], True),
        ("localhost:9092", ["http://evil.example"], [], True),
        ("localhost:9092", ["http://evil.example"], ["same-origin"], True),
        ("localhost:9092", ["null"], [], True),
        ("localhost:9092", [""], [], True),
        ("localhost:9092", ["http://localhost:9092", "http://evil.example"], [], True),
        ("localhost:9092", ["https://grafana.example"], ["cross-site"], False),
        ("localhost:9092", ["HTTPS://Grafana.Example:443"], [], False),
        ("localhost:9092", ["http://grafana.example"], [], True),
        ("localhost:9092", ["https://grafana.example.evil.example"], [], True),
        ("localhost:9092", ["http://ui.example:8080"], [], False),
    ],
)
def test_foreign_pages(
    authority: str, origins: list[str], fetch_sites: list[str], foreign: bool
) -> None:
    assert SITES.is_foreign(authority, origins, fetch_sites) is foreign


@pytest.mark.parametrize("text", ["", "*", "a b", "http://x", "x:1", "*.*.x", "a..b"])
def test_what_is_not_a_host(text: str) -> None:
    with pytest.raises(ValueError, match="invalid host"):
        parsed_host(text)


@pytest.mark.parametrize(
    "text", ["", "*", "null", "example.com", "http://x/", "http://*.x", "http://a b"]
)
def test_what_is_not_an_origin(text: str) -> None:
    with pytest.raises(ValueError, match="invalid origin"):
        parsed_origin(text)


# on the wire

ROUTES = ("POST /write?db=d", "POST /kapacitor/v1/change", "GET /kapacitor/v1/ping")


async def _change(request: Request) -> Answer:
    return pretty({"changed": True})


class Client:
    """Sends requests as they stand, each on a connection of its own."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self, start: str, *lines: str, body: str = "m v=1") -> str:
        head = [f"{start} HTTP/1.1", f"Content-Length: {len(body)}", *lines]
        with socket.create_connection(("127.0.0.1", self._port), 10) as connection:
            text = "\r\n".join([*head, "Connection: close", "", body])
            connection.sendall(text.encode())
            with connection.makefile("rb") as answer:
                return answer.read().decode()


def served(use: Any, sites: Sites | None = None) -> list[str]:
    """Bodies that reached the tasks while `use` sends requests."""
    taken: list[str] = []

    async def run() -> None:
        compute = Compute()
        compute.start()
        service = HttpServer("127.0.0.1", 0, version="1", sites=sites)
        service.accept_writes(
            WriteHandler(compute, lambda body, *_: taken.append(body.decode()))
        )
        service.router.add("POST", "/change", _change)
        await service.open()
        try:
            await asyncio.to_thread(use, Client(service.port))
        finally:
            await service.close()
            await compute.close()

    asyncio.run(run())
    return taken


def test_no_page_drives_the_server() -> None:
    def use(send: Client) -> None:
        for route in ROUTES:
            for host in ("evil.example", "evil.example:9092", "LOCALHOST.evil.example"):
                answer = send(route, f"Host: {host}")
                assert answer.startswith("HTTP/1.1 421 "), (route, host)
                assert "[http] allowed-hosts" in answer
            for header in (
                *("Origin: http://evil.example", "Origin: null"),
                *("Origin: http://localhost:1", "Sec-Fetch-Site: cross-site"),
                *("Sec-Fetch-Site: same-site", "origin:http://evil.example"),
            ):
                answer = send(route, "Host: localhost:9092", header)
                assert answer.startswith("HTTP/1.1 403 "), (route, header)
                assert "[http] allowed-origins" in answer
                assert "Access-Control" not in answer
        start = "OPTIONS /kapacitor/v1/change"
        preflight = "Access-Control-Request-Method: POST"
        answer = send(
            start, "Host: localhost", "Origin: http://evil.example", preflight
        )
        assert "Access-Control" not in answer

    assert served(use) == []


def test_the_name_in_the_target_counts_too() -> None:
    def use(send: Client) -> None:
        for route in ROUTES:
            method, path = route.split()
            for host, own in (("evil.example", False), ("LocalHost:9092", True)):
                start = f"{method} http://{host}{path}"
                answer = send(start, "Host: localhost:9092")
                assert answer.startswith("HTTP/1.1 20" if own else "HTTP/1.1 421")
            start = f"{method} http://localhost{path}"
            assert send(start, "Host: evil.example").startswith("HTTP/1.1 421 ")

    assert served(use) == ["m v=1"]


def test_programs_send_requests_as_ever() -> None:
    def use(send: Client) -> None:
        for host in ("localhost", "127.0.0.1:9092", "[::1]:9092", "LOCALHOST.:1"):
            for route in ROUTES:
                assert send(route, f"Host: {host}").startswith("HTTP/1.1 20")
        for header in ("Sec-Fetch-Site: none", "Origin: http://localhost:9092"):
            answer = send(ROUTES[0], "Host: localhost:9092", header)
            assert answer.startswith("HTTP/1.1 204 ")

    assert served(use) == ["m v=1"] * 6


def test_trusted_origins_read_the_answers() -> None:
    origin = "https://grafana.example"

    def use(send: Client) -> None:
        for start in (*ROUTES, "OPTIONS /kapacitor/v1/change"):
            answer = send(start, "Host: localhost", f"Origin: {origin}")
            assert answer.startswith("HTTP/1.1 20")
            assert f"Access-Control-Allow-Origin: {origin}\r\n" in answer
            assert "Access-Control-Allow-Methods: DELETE, GET" in answer
            assert "Vary: Origin\r\n" in answer
            own = send(start, "Host: localhost", "Origin: http://localhost")
            assert "Access-Control" not in own

    served(use, SITES)


def test_a_server_that_asks_for_passwords_has_any_name() -> None:
    def use(send: Client) -> None:
        for route in ROUTES:
            assert send(route, "Host: db1:9092").startswith("HTTP/1.1 20")
            answer = send(route, "Host: db1:9092", "Origin: http://evil.example")
            assert answer.startswith("HTTP/1.1 403 ")

    served(use, Sites(any_host=True))
