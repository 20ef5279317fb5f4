"""Services that send several requests for one event, against a real server."""

import asyncio
import contextlib
import itertools
import logging
from dataclasses import dataclass

import pytest

from runtime.alert.types import Level, Recipient
from runtime.delivery import Address, Backlog, Dispatcher, RetryPolicy
from runtime.delivery.messages import DeliveryFilter
from runtime.delivery.record import Record
from runtime.errors import DeliveryError
from runtime.golang.printing import text
from runtime.outbound.client import AiohttpClient, Request
from runtime.outbound.idempotency import keyed
from runtime.outbound.journal import Notebook
from runtime.services.expressions import get, recalled
from runtime.services.stepped import NO_ANSWER, Addressed, Step, SteppedService
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


class Judged(Service):
    """A login that is refused with status 200, `{"errcode": 40001}`."""

    def requests(self, config, options, event):
        login = yield Step(
            "login",
            Request("POST", f"{config.url}/login"),
            keep_s=config.keep_s,
            accepts=lambda response: get(response.json, "errcode") == 0,
        )
        yield Request("POST", f"{config.url}/posts/{get(login.json, 'token')}")

    def failure(self, response):
        return text(get(response.json, "errmsg"))

    def retries(self, config, options, response):
        return get(response.json, "errcode") == 45009

    def wait_s(self, config, options, response):
        return get(response.json, "wait") or None


class Expiring(Service):
    """Expired logins are answered with status 200 or 403, and a code."""

    def expires(self, config, options, response):
        return get(response.json, "code") == 42001


class Tracker(SteppedService):
    """Opens an issue, comments on it, and closes it."""

    kind = "tracker"
    remembers = True

    def requests(self, config, options, event):
        number = recalled().get("number")
        if number is None:
            if event.state.level != Level.OK:
                yield Request("POST", f"{config.url}/issues")
            return
        step = Step("lookup", Request("GET", f"{config.url}/lookup"))
        if event.state.message == "look up":
            yield step
        done = "close" if event.state.level == Level.OK else "comment"
        yield Request("POST", f"{config.url}/issues/{number}/{done}")

    def remembered(self, config, options, response):
        if response.text == "broken":
            raise TypeError("no number")
        return {"number": response.json["id"], "none": "", "big": response.json["big"]}

    def default_handler_config(self):
        return None

    def test_options(self):
        return None

    def test_event(self, options):
        return options, sample_event()


class Texts(SteppedService):
    """Sends a text message to each number."""

    kind = "texts"
    numbers = ("1", "2", "3")

    def requests(self, config, options, event):
        for number in self.numbers:
            yield Addressed(number, Request("POST", f"{config.url}/to/{number}"))

    def default_handler_config(self):
        return None

    def test_options(self):
        return None

    def test_event(self, options):
        return options, sample_event()


class Server(LoopbackServer):
    """Answers by path; `failing` has the next answers to a path, or their statuses."""

    def __init__(self):
        super().__init__()
        self.failing = {}
        self.logins = 0
        self.ids = itertools.count(7)

    def answer(self, request):
        if self.answers:
            return self.answers.popleft()
        statuses = self.failing.get(request.path, [])
        if statuses and isinstance(statuses[0], Answer):
            return statuses.pop(0)
        if statuses and (status := statuses.pop(0)) != 200:
            return Answer(status, f"not so: {request.headers.get('Authorization')}")
        if request.path == "/login":
            self.logins += 1
            return Answer(body=f'{{"token": "{TOKEN}-{self.logins}"}}')
        number = next(self.ids) if request.path == "/issues" else 7
        return Answer(body=self.body or f'{{"id": {number}, "big": ""}}')

    def paths(self):
        return [each.path for each in self.taken()]


@pytest.fixture
def server():
    with Server() as server:
        yield server


def deliver(server, *events, journal=None, keep_s=0.0, key="k", make=Service):
    """Deliver events with one service; the errors, or None for success."""

    async def main():
        client = AiohttpClient()
        service = make(Config(server.url, keep_s), client)
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


@pytest.mark.parametrize("keep_s", [0.0, 3600.0], ids=["own", "shared"])
def test_an_answer_that_fails_the_condition_of_a_step_is_not_kept(server, keep_s):
    refused = Answer(body='{"errcode": 40001, "errmsg": "invalid secret"}')
    server.answers.extend([refused, Answer(body='{"errcode": 0, "token": "t"}')])
    journal = Notebook()
    twice = (sample_event(), sample_event())
    error, none = deliver(server, *twice, journal=journal, keep_s=keep_s, make=Judged)
    assert str(error) == "login: invalid secret"
    assert (error.status, error.retry, none) == (200, False, None)
    assert server.paths() == ["/login", "/login", "/posts/t"]


@pytest.mark.parametrize(
    ("status", "body", "retry", "wait_s"),
    [
        (200, '{"errcode": 40001}', False, None),
        (200, '{"errcode": 45009}', True, None),
        (200, '{"errcode": 40001, "wait": 7}', True, 7),
        (200, '{"errcode": null}', True, None),
        (200, "<html>a proxy</html>", True, None),
        (200, "", True, None),
        (400, '{"errcode": 0}', False, None),
        (400, '{"errcode": 45009}', True, None),
        (503, '{"errcode": 0}', True, None),
    ],
)
def test_a_step_is_judged_as_the_request_that_delivers(
    server, status, body, retry, wait_s
):
    server.answers.append(Answer(status, body))
    [error] = deliver(server, make=Judged)
    assert str(error).startswith("login: ")
    assert (error.retry, error.retry_after_s) == (retry, wait_s)
    assert server.paths() == ["/login"]


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


@pytest.mark.parametrize("status", [200, 403])
def test_an_answer_may_say_that_a_login_has_expired(server, status):
    server.failing["/posts/7"] = [200, Answer(status, '{"code": 42001}')]
    events = (event("a"), event("b"), event("c"))
    assert deliver(server, *events, keep_s=60, make=Expiring) == [None] * 3
    assert server.paths() == [
        *("/login", "/rooms", "/posts/7"),
        # the room of this attempt is not opened again
        *("/rooms", "/posts/7", "/login", "/posts/7"),
        *("/rooms", "/posts/7"),
    ]


def test_a_step_may_say_that_a_login_has_expired(server):
    server.failing["/rooms"] = [200, Answer(200, '{"code": 42001}')]
    events = (event("a"), event("b"))
    assert deliver(server, *events, keep_s=60, make=Expiring) == [None] * 2
    assert server.paths() == [
        *("/login", "/rooms", "/posts/7"),
        *("/rooms", "/login", "/rooms", "/posts/7"),
    ]


@pytest.mark.parametrize(("status", "retry"), [(200, False), (503, True)])
def test_a_login_that_is_new_and_said_to_have_expired(server, status, retry):
    # the usual rules decide; a vendor that always answers so is not asked endlessly
    said = Answer(status, '{"code": 42001}')
    server.failing["/posts/7"] = [said, said, said]
    events = (event("a"), event("b"))
    errors = deliver(server, *events, keep_s=60, make=Expiring)
    assert [(each.status, each.retry) for each in errors] == [(status, retry)] * 2
    assert server.paths() == ["/login", "/rooms", "/posts/7"] * 2


def test_another_code_does_not_renew_a_login(server):
    server.failing["/posts/7"] = [200, Answer(403, '{"code": 1}')]
    events = (event("a"), event("b"))
    errors = deliver(server, *events, keep_s=60, make=Expiring)
    assert [each and each.status for each in errors] == [None, 403]
    assert server.paths().count("/login") == 1


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


def send_texts(server, journal=None):
    """Try once to send the texts; the error, and the numbers that were tried."""
    [error] = deliver(server, journal=journal, make=Texts)
    return error, [each.removeprefix("/to/") for each in server.paths()]


def test_each_recipient_gets_a_request_with_a_key_of_its_own(server):
    assert deliver(server, make=Texts) == [None]
    requests = server.taken()
    assert [each.path for each in requests] == ["/to/1", "/to/2", "/to/3"]
    keys = {each.headers["Idempotency-Key"] for each in requests}
    assert len(keys) == 3
    assert "k" not in keys


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_a_retry_spares_those_that_received_the_event(server, status):
    journal = Notebook()
    server.failing["/to/2"] = [status]
    error, tried = send_texts(server, journal)
    assert (error.status, tried) == (status, ["1", "2"])
    assert send_texts(server, journal) == (None, ["2", "3"])


def test_a_recipient_that_refuses_the_event_keeps_no_other_from_it(server):
    journal = Notebook()
    server.failing["/to/1"] = [400, 400]
    server.failing["/to/3"] = [500]
    error, tried = send_texts(server, journal)
    expected = "2 of 3 recipients: unexpected response code 500 from texts service"
    assert str(error) == expected
    assert (error.retry, tried) == (True, ["1", "2", "3"])
    error, tried = send_texts(server, journal)
    expected = "1 of 3 recipients: unexpected response code 400 from texts service"
    assert str(error) == expected
    assert (error.retry, tried) == (False, ["1", "3"])


def test_an_endpoint_that_is_down_is_not_tried_for_each_recipient(server):
    url = server.url
    server.refuse()
    [error] = deliver(server, make=Texts)
    assert str(error).startswith(f'Post "{url}/to/1": dial tcp')
    assert error.retry


def test_one_recipient_has_the_error_of_one_request(server, monkeypatch):
    monkeypatch.setattr(Texts, "numbers", ("1",))
    server.failing["/to/1"] = [400]
    error, _ = send_texts(server)
    assert str(error) == "unexpected response code 400 from texts service"


def test_a_recipient_twice_in_a_list_gets_one_request(server, monkeypatch):
    monkeypatch.setattr(Texts, "numbers", ("1", "2", "1"))
    assert send_texts(server) == (None, ["1", "2"])


def test_too_many_recipients(server, monkeypatch):
    monkeypatch.setattr(Texts, "numbers", ["1"] * 1001)
    error, _ = send_texts(server)
    assert str(error) == "more than 1000 recipients"
    assert not error.retry


def test_a_restart_spares_those_that_received_the_event(tmp_path, server):
    server.failing["/to/2"] = [503]
    with Outbox(tmp_path) as outbox:
        outbox.run(server, attempts=1, make=Texts)
    assert server.paths() == ["/to/1", "/to/2"]
    with Outbox(tmp_path) as outbox:
        outbox.run(server, make=Texts)
    assert server.paths() == ["/to/2", "/to/3"]


WARNING, CRITICAL, OK = map(sample_event, (Level.WARNING, Level.CRITICAL, Level.OK))
OTHER = changed_event(WARNING, {"id": "other"})


def test_values_are_remembered_until_ok_was_delivered(tmp_path, server):
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING, CRITICAL, OTHER, OK)
        assert [x[2] for x in outbox.memories()] == ["other"]
        outbox.alert(server, OK, WARNING)
    assert server.paths() == [
        *("/issues", "/issues/7/comment", "/issues", "/issues/7/close"),
        "/issues",
    ]


def test_the_first_value_counts(tmp_path, server):
    # each answer has another id, as the messages of a thread have
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING, CRITICAL, CRITICAL, OK)
    assert server.paths()[1:] == [
        *("/issues/7/comment", "/issues/7/comment", "/issues/7/close"),
    ]


def test_a_restart_keeps_the_memory(tmp_path, server):
    for each in (WARNING, CRITICAL, OK):
        with Outbox(tmp_path) as outbox:
            outbox.alert(server, each)
    assert server.paths() == ["/issues", "/issues/7/comment", "/issues/7/close"]


def test_handlers_do_not_share_their_memories(tmp_path, server):
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING)
        outbox.alert(server, WARNING, handler="b")
        outbox.alert(server, OK)
        outbox.alert(server, OK, handler="b")
        assert outbox.memories() == []
    assert server.paths() == [
        *("/issues", "/issues", "/issues/7/close", "/issues/8/close"),
    ]


def test_nothing_is_remembered_of_a_failure(tmp_path, server):
    server.failing["/issues"] = [503]
    with Outbox(tmp_path) as outbox:
        outbox.run(server, attempts=1, make=Tracker, event=WARNING)
        assert outbox.memories() == []


def test_the_memory_stays_until_ok_is_delivered(tmp_path, server):
    server.failing["/issues/7/close"] = [503]
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING)
        outbox.run(server, attempts=1, make=Tracker, event=OK)
    with Outbox(tmp_path) as outbox:
        assert len(outbox.memories()) == 1
        outbox.run(server, make=Tracker)
        assert outbox.memories() == []
    assert server.paths()[1:] == ["/issues/7/close"] * 2


def test_a_crash_behind_the_memory_repeats_nothing(tmp_path, server, monkeypatch):
    remember = Record.remember

    async def killed(self, memory, progress):
        await remember(self, memory, progress)
        raise DeliveryError("killed", retry=True)

    monkeypatch.setattr(Record, "remember", killed)
    with Outbox(tmp_path) as outbox:
        outbox.run(server, attempts=1, make=Tracker, event=WARNING)
        assert len(outbox.rows()) == 1
    monkeypatch.undo()
    with Outbox(tmp_path) as outbox:
        outbox.run(server, make=Tracker)
        outbox.alert(server, OK)
    assert server.paths() == ["/issues", "/issues/7/close"]


def test_an_answer_that_cannot_be_read_repeats_nothing(tmp_path, server):
    server.body = "broken"
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING)
        assert outbox.memories() == []
    assert server.paths() == ["/issues"]


def test_a_memory_is_bounded(tmp_path, server, caplog):
    server.body = f'{{"id": 1, "big": "{"x" * 20_000}"}}'
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING)
        assert outbox.memories() == []
    assert "failed to remember an answer: it is too long" in caplog.text


def test_memories_are_sealed(tmp_path, server):
    server.body = f'{{"id": "{TOKEN}", "big": ""}}'
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING)
    content = b"".join(each.read_bytes() for each in tmp_path.glob("kapacitor.db*"))
    assert TOKEN.encode() not in content


def test_a_deleted_handler_remembers_nothing(tmp_path, server):
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING)
        outbox.alert(server, WARNING, handler="b")
        outbox.retire(("t", "a"))
        assert [x[1] for x in outbox.memories()] == ["b"]
    # also one that has not turned up since the start
    with Outbox(tmp_path) as outbox:
        outbox.retire(("t", "b"))


def test_a_handler_that_is_gone_at_the_start_remembers_nothing(tmp_path, server):
    with Outbox(tmp_path) as outbox:
        for handler in "abc":
            outbox.alert(server, WARNING, handler=handler)
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, CRITICAL)
        outbox.cancel_orphans(("t", "b"))
        assert [x[1] for x in outbox.memories()] == ["a", "b"]


def test_the_oldest_memories_go_first(tmp_path, server):
    with Outbox(tmp_path) as outbox:
        events = [changed_event(WARNING, {"id": each}) for each in "abcd"]
        outbox.alert(server, *events)
        outbox.alert(server, changed_event(CRITICAL, {"id": "a"}))
        assert outbox.trim(2) == 2
        assert [x[2] for x in outbox.memories()] == ["c", "d"]
        assert outbox.trim(2) == 0


def test_a_damaged_memory_is_none(tmp_path, server, caplog):
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING)
        outbox.damage_memories()
        outbox.alert(server, CRITICAL)
    assert server.paths() == ["/issues", "/issues"]
    assert "the memory of an alert is damaged" in caplog.text


def test_a_renamed_topic_takes_its_memories_along(tmp_path, server):
    with Outbox(tmp_path) as outbox:
        outbox.alert(server, WARNING)
        outbox.rename("t", "u")
        outbox.run(server, make=Tracker, event=OK, address=Address("u", "a"))
    assert server.paths() == ["/issues", "/issues/7/close"]


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

    def damage_memories(self):
        self._store.execute("UPDATE memories SET value = x'00'")

    def trim(self, most):
        return self._backlog.outbox.memories.trim(most)

    def rename(self, old, new):
        self._backlog.orphans.rename_topic(old, new)

    def resend(self):
        list(self._backlog.resend(DeliveryFilter()))

    def memories(self):
        return self._store.query("SELECT topic, handler, event_id FROM memories")

    def alert(self, server, *events, handler="a"):
        """Deliver events of an alert with `Tracker`, one after the other."""
        for each in events:
            self.run(server, make=Tracker, event=each, address=Address("t", handler))

    def retire(self, *addresses):
        """Delete handlers, and wait until that is done."""

        async def main():
            dispatcher = Dispatcher(self._backlog)
            await dispatcher.start()
            for address in addresses:
                self._backlog.retire(Address(*address))
            while any(each[:2] in addresses for each in map(tuple, self.memories())):
                await asyncio.sleep(0.001)
            await dispatcher.close(5)

        asyncio.run(asyncio.wait_for(main(), 30))

    def cancel_orphans(self, *expected):
        self._backlog.orphans.cancel_unless(lambda address: tuple(address) in expected)

    def run(
        self,
        server,
        attempts=None,
        make=Service,
        event=None,
        address=Address("t", "a"),  # noqa: B008 - a tuple
    ):
        """Deliver an event, for so many attempts or until it is delivered."""

        async def main():
            client = AiohttpClient()
            service = make(Config(server.url), client)
            handler = Limited(service.handler(None), attempts)
            if not self.rows():
                sent = event or sample_event()
                self._backlog.offer(address, sent, Recipient(handler))
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
