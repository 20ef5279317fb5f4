"""Services that send several requests for one event, against a real server."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

import pytest

from runtime.alert.types import Recipient
from runtime.delivery import Address, Backlog, Dispatcher, RetryPolicy
from runtime.delivery.messages import Filter
from runtime.errors import DeliveryError
from runtime.outbound.client import AiohttpClient, Request
from runtime.outbound.idempotency import keyed
from runtime.outbound.journal import Notebook
from runtime.services.expressions import get
from runtime.services.stepped import NO_ANSWER, Step, SteppedService
from runtime.store.database import Store
from runtime.testing.events import changed_event, sample_event
from runtime.testing.loopback import Answer, LoopbackServer

TOKEN = "token-of-the-session"


@dataclass(frozen=True)
class Config:
    url: str
    keep_s: float = 0.0
    enabled: bool = True

    def validate(self):
        """Nothing can be wrong."""


class Service(SteppedService):
    """Logs in, opens a room unless the event has none, and posts to it."""

    kind = "odd"
    send_error = "failed to send"

    def requests(self, config, options, event):
        if event.state.message == "refused":
            raise DeliveryError("the message is refused")
        if event.state.message == "nothing":
            return
        login = yield Step(
            "login",
            Request("POST", f"{config.url}/login"),
            keep_s=config.keep_s,
            is_login=True,
        )
        headers = {"Authorization": f"Bearer {get(login.json, 'token')}"}
        room = NO_ANSWER
        if event.state.message != "no room":
            room = yield Step(
                "room", Request("POST", f"{config.url}/rooms", headers=headers)
            )
        url = f"{config.url}/posts/{get(room.json, 'id')}"
        yield Request("POST", url, headers=headers, body=event.state.message.encode())

    def default_handler_config(self):
        return None

    def test_options(self):
        return None

    def test_event(self, options):
        return options, sample_event()


class Server(LoopbackServer):
    """Answers by path; `failing` has the statuses of the next requests to a path."""

    def __init__(self):
        super().__init__()
        self.failing = {}
        self.logins = 0

    def answer(self, request):
        statuses = self.failing.get(request.path, [])
        if statuses and (status := statuses.pop(0)) != 200:
            return Answer(status, f"not so: {request.headers.get('Authorization')}")
        if request.path == "/login":
            self.logins += 1
            return Answer(body=f'{{"token": "{TOKEN}-{self.logins}"}}')
        return Answer(body='{"id": 7}')

    def paths(self):
        return [each.path for each in self.taken()]


@pytest.fixture
def server():
    with Server() as server:
        yield server


def deliver(server, *events, journal=None, keep_s=0.0, key="k"):
    """Deliver events with one service; the errors, or None for success."""

    async def main():
        client = AiohttpClient()
        service = Service(Config(server.url, keep_s), client)
        errors = []
        for event in events or (sample_event(),):
            try:
                await service.handler(None).handle(event)
                errors.append(None)
            except DeliveryError as error:
                errors.append(error)
        await service.close()
        await client.close()
        return errors

    with keyed(key, journal):
        return asyncio.run(asyncio.wait_for(main(), 30))


def event(message):
    return changed_event(sample_event(), {"message": message})


def test_answers_are_known_in_the_requests_after_them(server):
    assert deliver(server) == [None]
    login, room, post = server.taken()
    assert login.path == "/login"
    assert room.headers["Authorization"] == f"Bearer {TOKEN}-1"
    assert post.path == "/posts/7"
    assert post.headers["Authorization"] == f"Bearer {TOKEN}-1"


def test_nothing_can_be_read_of_a_step_that_was_not_sent(server):
    assert deliver(server, event("no room")) == [None]
    assert server.paths() == ["/login", "/posts/"]


def test_an_event_without_requests(server):
    async def main():
        service = Service(Config(server.url), AiohttpClient())
        return await service.alert(None, event("nothing"))

    assert asyncio.run(main()) is False
    assert server.paths() == []


def test_a_refusal_sends_nothing(server):
    [error] = deliver(server, event("refused"))
    assert str(error) == "the message is refused"
    assert not error.retry
    assert server.paths() == []


@pytest.mark.parametrize(
    ("path", "text", "status", "retry"),
    [
        ("/login", "login: ", 503, True),
        ("/login", "login: ", 400, False),
        ("/rooms", "room: ", 503, True),
        ("/rooms", "room: ", 429, True),
        ("/posts/7", "", 503, True),
        ("/posts/7", "", 404, False),
    ],
)
def test_a_failure_means_what_its_status_means(server, path, text, status, retry):
    server.failing[path] = [status]
    [error] = deliver(server)
    assert str(error) == f"{text}unexpected response code {status} from odd service"
    assert (error.status, error.retry) == (status, retry)
    assert server.paths()[-1] == path


def test_no_answer_to_a_step(server):
    url = server.url
    server.refuse()
    [error] = deliver(server)
    expected = f'login: failed to send: Post "{url}/login": dial tcp'
    assert str(error).startswith(expected)
    assert error.retry


def test_a_step_that_succeeded_is_not_repeated(server):
    journal = Notebook()
    server.failing = {"/rooms": [503], "/posts/7": [503, 503]}
    tried = [deliver(server, journal=journal)[0] for _ in range(4)]
    assert [each and each.status for each in tried] == [503, 503, 503, None]
    assert server.paths() == [
        *("/login", "/rooms"),
        *("/rooms", "/posts/7"),
        "/posts/7",
        "/posts/7",
    ]


def test_steps_have_keys_of_their_own_that_do_not_change(server):
    def keys(journal):
        server.failing["/posts/7"] = [503]
        deliver(server, journal=journal)
        return [each.headers["Idempotency-Key"] for each in server.taken()]

    first = keys(Notebook())
    assert len(set(first)) == 3
    assert first[-1] == "k"
    assert keys(Notebook()) == first


def test_a_shared_answer_has_no_key_of_a_delivery(server):
    deliver(server, keep_s=60)
    login, *others = server.taken()
    assert "Idempotency-Key" not in login.headers
    assert all("Idempotency-Key" in each.headers for each in others)


def test_deliveries_share_an_answer(server):
    events = [event(each) for each in "abc"]
    assert deliver(server, *events, keep_s=60) == [None] * 3
    assert server.paths().count("/login") == 1


def test_an_expired_login_is_renewed_at_once(server):
    # the second delivery finds that its login is no longer valid
    server.failing["/posts/7"] = [200, 401]
    assert deliver(server, event("a"), event("b"), keep_s=60) == [None] * 2
    requests = server.taken()
    assert [each.path for each in requests] == [
        *("/login", "/rooms", "/posts/7"),
        # without a journal the room is of that attempt, and is not opened again
        *("/rooms", "/posts/7", "/login", "/posts/7"),
    ]
    assert requests[-1].headers["Authorization"] == f"Bearer {TOKEN}-2"


def test_an_expired_login_of_an_earlier_attempt_is_renewed(server):
    journal = Notebook()
    server.failing["/posts/7"] = [503, 401]
    assert deliver(server, journal=journal)[0].status == 503
    server.taken()
    assert deliver(server, journal=journal) == [None]
    requests = server.taken()
    assert [each.path for each in requests] == ["/posts/7", "/login", "/posts/7"]
    assert requests[-1].headers["Authorization"] == f"Bearer {TOKEN}-2"


def test_a_new_login_that_is_refused_is_not_repeated_at_once(server):
    server.failing["/posts/7"] = [401, 401]
    journal = Notebook()
    [error] = deliver(server, journal=journal)
    assert error.status == 401
    assert server.paths() == ["/login", "/rooms", "/posts/7"]
    # but the next attempt does not use it
    [error] = deliver(server, journal=journal)
    assert error.status == 401
    assert server.paths() == ["/login", "/posts/7"]


def test_a_refused_login_is_shared_no_longer(server):
    server.failing["/posts/7"] = [401]
    errors = deliver(server, event("a"), event("b"), keep_s=60)
    assert [each and each.status for each in errors] == [401, None]
    assert server.paths().count("/login") == 2


def test_tokens_in_answers_are_hidden_in_errors(server, monkeypatch):
    monkeypatch.setattr(Service, "failure", lambda self, response: response.text)
    server.failing["/posts/7"] = [400]
    [error] = deliver(server)
    assert str(error) == "not so: Bearer ***"
    server.failing["/rooms"] = [400]
    [error] = deliver(server)
    assert str(error) == "room: not so: Bearer ***"


def test_text_that_is_not_unicode_is_sent(server):
    assert deliver(server, event("bad \udcff")) == [None]
    assert server.taken()[-1].body == "bad \ufffd".encode()


def test_a_damaged_journal_repeats_steps(tmp_path, server, caplog):
    with Outbox(tmp_path) as outbox:
        server.failing["/posts/7"] = [503]
        outbox.run(server, attempts=1)
    outbox.damage()
    server.taken()
    with caplog.at_level(logging.ERROR), Outbox(tmp_path) as outbox:
        outbox.run(server)
    assert server.paths() == ["/login", "/rooms", "/posts/7"]
    assert "the progress of a delivery is damaged" in caplog.text


@pytest.mark.parametrize(
    ("failing", "rest"),
    [
        ("/login", ["/login", "/rooms", "/posts/7"]),
        ("/rooms", ["/rooms", "/posts/7"]),
        ("/posts/7", ["/posts/7"]),
    ],
)
def test_a_restart_does_not_repeat_steps(tmp_path, server, failing, rest):
    server.failing[failing] = [503]
    with Outbox(tmp_path) as outbox:
        outbox.run(server, attempts=1)
    server.taken()
    with Outbox(tmp_path) as outbox:
        outbox.run(server)
        assert outbox.rows() == []
    assert server.paths() == rest


def test_the_answers_of_steps_are_sealed(tmp_path, server):
    server.failing["/posts/7"] = [503]
    with Outbox(tmp_path) as outbox:
        outbox.run(server, attempts=1)
        [[progress]] = outbox.rows()
    assert progress
    content = b"".join(each.read_bytes() for each in tmp_path.glob("kapacitor.db*"))
    assert TOKEN.encode() not in content


def test_a_delivery_that_is_sent_again_by_a_person_repeats_no_step(tmp_path, server):
    server.failing["/posts/7"] = [400]
    with Outbox(tmp_path) as outbox:
        outbox.run(server, attempts=1)
        server.taken()
        outbox.resend()
        outbox.run(server)
    assert server.paths() == ["/posts/7"]


class Outbox:
    """A dispatcher with the service, on a database that outlives it."""

    def __init__(self, folder):
        self._path = folder / "kapacitor.db"

    def __enter__(self):
        self._store = Store(self._path)
        self._backlog = Backlog(self._store, policy=RetryPolicy(base_s=0, probe_s=0))
        return self

    def __exit__(self, *error):
        self._store.close()

    def rows(self):
        return [tuple(x) for x in self._store.query("SELECT progress FROM deliveries")]

    def damage(self):
        with contextlib.closing(Store(self._path)) as store:
            store.execute("UPDATE deliveries SET progress = x'00'")

    def resend(self):
        list(self._backlog.resend(Filter()))

    def run(self, server, attempts=None):
        """Deliver an event, for so many attempts or until it is delivered."""

        async def main():
            client = AiohttpClient()
            service = Service(Config(server.url), client)
            handler = Limited(service.handler(None), attempts)
            address = Address("t", "a")
            if not self.rows():
                self._backlog.offer(address, sample_event(), Recipient(handler))
                self._backlog.keep()
                self._backlog.release()
            else:
                self._backlog.resume(address, Recipient(handler))
            dispatcher = Dispatcher(self._backlog)
            await dispatcher.start()
            await handler.ended.wait()
            await dispatcher.close(5)
            await service.close()
            await client.close()

        asyncio.run(asyncio.wait_for(main(), 30))


class Limited:
    """Passes events on; `ended` is set after so many attempts, or a success."""

    def __init__(self, handler, attempts):
        self._handler = handler
        self._left = attempts
        self.ended = asyncio.Event()

    async def handle(self, event):
        if self._left == 0:
            raise DeliveryError("enough", retry=True)
        try:
            await self._handler.handle(event)
        except DeliveryError:
            if self._left is not None:
                self._left -= 1
                if self._left == 0:
                    self.ended.set()
            raise
        self.ended.set()
