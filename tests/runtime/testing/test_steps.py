"""The server of tests that answers steps and deliveries with statuses of their own."""

import urllib.error
import urllib.request

import pytest

from runtime.outbound.idempotency import keyed
from runtime.services.stepped import key_of
from runtime.testing.events import KEY
from runtime.testing.loopback import Answer
from runtime.testing.steps import SteppedServer

with keyed(KEY):
    OF_LOGIN, OF_ANOTHER = key_of("login"), key_of("+1 555")


def answered(server, key):
    headers = {"Idempotency-Key": key} if key else {}
    request = urllib.request.Request(server.url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("", (200, b"token")),
        (OF_LOGIN, (200, b"token")),
        (KEY, (204, b"")),
        (OF_ANOTHER, (204, b"")),
    ],
    ids=["shared step", "step", "delivery", "recipient"],
)
def test_a_step_has_a_body(key, expected):
    with SteppedServer(("login",), status=204, body="token") as server:
        assert answered(server, key) == expected


def test_another_answer_stays():
    with SteppedServer(("login",), status=204, body="token") as server:
        server.answers.append(Answer(503, "later"))
        assert answered(server, OF_LOGIN) == (503, b"later")
        server.status = 500
        assert answered(server, "")[0] == 500
