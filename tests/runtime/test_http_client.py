import asyncio
import time

import pytest

from runtime.errors import DeliveryError
from runtime.http_client import (
    BODY_LIMIT_BYTES,
    AiohttpClient,
    Request,
    Response,
    TimeLimits,
    idempotency_key,
    retry_after_s,
)
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


@pytest.fixture
def server():
    with LoopbackServer() as server:
        yield server


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
    token = idempotency_key.set("abc")
    try:
        send(Request("POST", server.url))
    finally:
        idempotency_key.reset(token)
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
    assert time.monotonic() - started < 2


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
