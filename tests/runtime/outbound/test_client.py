import asyncio
import time

import pytest

from runtime.errors import DeliveryError
from runtime.golang.quoting import quote
from runtime.outbound.client import (
    BODY_LIMIT_BYTES,
    AiohttpClient,
    Request,
    Response,
    TimeLimits,
)
from runtime.outbound.idempotency import keyed
from runtime.outbound.messages import retry_after_s
from runtime.testing.loopback import Answer, LoopbackServer


def send(request, limits=None):
    async def run():
        client = AiohttpClient(limits)
        try:
            return await client.send(request)
        finally:
            await client.close()

    return asyncio.run(run())


def failure(request, limits=None):
    with pytest.raises(DeliveryError) as caught:
        send(request, limits)
    return caught.value


def test_sends_what_it_is_given(server):
    server.status, server.body = 201, "made"
    url = server.url + "/a%20b/%21!?t=x%26y"
    answer = send(Request("PUT", url, {"X-Api-Key": "k"}, b"body"))
    assert answer == Response(201, b"made")
    seen = server.next()
    assert (seen.method, seen.path, seen.raw_query) == ("PUT", "/a%20b/%21!", "t=x%26y")
    assert seen.body == b"body"
    assert seen.headers["X-Api-Key"] == "k"
    assert seen.headers["User-Agent"]
    assert "Idempotency-Key" not in seen.headers
    assert "Content-Type" not in seen.headers


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [({}, "Basic dTpwQHc="), ({"authorization": "Bearer t"}, "Bearer t")],
)
def test_a_header_counts_before_the_user_in_a_url(server, headers, wanted):
    url = server.url.replace("//", "//u:p%40w@") + "/a%2Fb"
    send(Request("POST", url, headers))
    seen = server.next()
    assert (seen.path, seen.headers["Authorization"]) == ("/a%2Fb", wanted)


def test_the_key_of_the_delivery_is_a_header(server):
    with keyed("abc"):
        send(Request("POST", server.url))
    assert server.next().headers["Idempotency-Key"] == "abc"


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"x")],
)
def test_follows_redirects_on_the_same_host(server, status, method, body):
    server.answers.append(Answer(status, headers={"Location": "/next"}))
    assert send(Request("POST", server.url + "/first", {}, b"x")).status == 200
    server.next()
    seen = server.next()
    assert (seen.method, seen.path, seen.body) == (method, "/next", body)


def test_does_not_follow_to_another_host(server):
    with LoopbackServer() as other:
        server.answers.append(Answer(307, headers={"Location": other.url}))
        assert send(Request("POST", server.url, {}, b"secret")).status == 307
        assert other.received.empty()


def test_redirects_end(server):
    server.status, server.headers = 307, {"Location": "/again"}
    assert "stopped after 10 redirects" in str(failure(Request("POST", server.url)))


def test_says_like_go_that_nobody_listens(server):
    server.refuse()
    port = server.url.rpartition(":")[2]
    error = failure(Request("POST", f"{server.url}/v2/my%20room?auth_token=tok"))
    assert str(error) == (
        f'Post "{server.url}/v2/my%20room?auth_token=***": '
        f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    )
    assert error.retry
    assert error.__cause__ is None


def test_a_url_without_scheme_is_refused_for_good():
    error = failure(Request("POST", "localhost/v2/my%20room?auth_token="))
    assert str(error) == (
        'Post "localhost/v2/my%20room?auth_token=": unsupported protocol scheme ""'
    )
    assert not error.retry


def test_an_endpoint_that_never_answers_is_given_up(server):
    server.hang = True
    started = time.monotonic()
    error = failure(Request("POST", server.url), TimeLimits(total_s=0.1))
    assert "context deadline exceeded" in str(error)
    assert error.retry
    assert time.monotonic() - started < 20


def test_reads_no_more_than_the_limit_of_a_body(server):
    server.body = b"x" * (BODY_LIMIT_BYTES * 3)
    assert len(send(Request("POST", server.url)).body) == BODY_LIMIT_BYTES


def test_a_failing_answer_says_whether_to_retry(server):
    server.status, server.headers = 429, {"Retry-After": "7"}
    response = send(Request("POST", server.url))
    error = response.error("no")
    assert (error.retry, error.status, error.retry_after_s) == (True, 429, 7.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("120", 120.0),
        ("soon", None),
        ("-1", None),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 60.0),
        ("Thu, 01 Jan 1970 00:00:30 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert retry_after_s(text, now_s=60) == seconds


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a\nb", "a b"),
        ("two \r\n\r\n\tlines", "two lines"),
        ("end\n", "end"),
        ("\r\nX-Evil: 1\r\n\r\nbody", "X-Evil: 1 body"),
        ("a\x00b\x7fc\x1b[31m", "a b c [31m"),
        ("tab\tstays", "tab\tstays"),
        ("\n", ""),
        ("é☃", "é☃"),
        ("\ud800", "\ufffd"),
    ],
)
def test_a_header_has_one_line(server, value, wanted):
    send(Request("POST", server.url, {"X-M": value}))
    seen = server.next()
    assert seen.headers["X-M"].encode("latin-1").decode() == wanted
    assert (seen.body, "X-Evil" in seen.headers) == (b"", False)


@pytest.mark.parametrize("name", ["X Y", "", "X:", "é", "X\n", "X\r\nY", "(x)"])
def test_a_header_with_a_wrong_name_is_named(server, name):
    error = failure(Request("POST", server.url, {name: "v"}))
    assert not error.retry
    assert str(error) == (
        f'Post "{server.url}": net/http: invalid header field name {quote(name)}'
    )
    assert server.received.empty()


def test_headers_that_frame_a_request_are_the_clients(server, caplog):
    headers = {
        "host": "evil.example",
        "Content-Length": "1",
        "Transfer-Encoding": "chunked",
        "Connection": "upgrade",
        "Upgrade": "h2c",
        "Expect": "100-continue",
        "TE": "trailers",
        "Trailer": "X",
        "Keep-Alive": "1",
        "content-type": "text/one",
        "Content-Type": "text/two",
        "user-agent": "mine",
    }
    send(Request("POST", server.url, headers, b"body"))
    seen = server.next()
    assert seen.body == b"body"
    assert seen.headers["Host"] == server.url.removeprefix("http://")
    assert (seen.headers["Content-Type"], seen.headers["User-Agent"]) == (
        "text/two",
        "mine",
    )
    for name in ("Transfer-Encoding", "Connection", "Upgrade", "Expect", "Trailer"):
        assert name not in seen.headers
    assert caplog.text.count("ignored a header") == 9


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/a b?c=d e", "/a%20b?c=d%20e"),
        ("/a%20b/%2F?c=%41", "/a%20b/%2F?c=%41"),
        ("/é{x}", "/%C3%A9%7Bx%7D"),
    ],
)
def test_what_no_request_line_holds_is_escaped(server, path, wanted):
    send(Request("POST", server.url + path))
    seen = server.next()
    query = f"?{seen.raw_query}" if seen.raw_query else ""
    assert seen.path + query == wanted


@pytest.mark.parametrize("char", ["\n", "\r\n", "\t", "\x00", "\x7f"])
def test_control_characters_of_a_url_are_refused(server, char):
    error = failure(Request("POST", f"{server.url}/a{char}b"))
    assert str(error).endswith(": net/url: invalid control character in URL")
