"""Email, sent to a real SMTP server."""

import asyncio
import contextlib
import email
import email.policy
import ssl
from dataclasses import dataclass, field, replace

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from runtime.errors import ConfigError, DeliveryError
from runtime.outbound.addresses import DeniedNetworks
from runtime.outbound.client import AiohttpClient, TimeLimits
from runtime.outbound.dialing import Dialer
from runtime.outbound.network import Network
from runtime.outbound.trust import Trust
from runtime.secrets import Secret
from runtime.services.smtp import hook
from runtime.services.smtp.config import Config
from runtime.services.smtp.handler import HandlerConfig
from runtime.services.smtp.service import Service
from runtime.testing.events import changed_event, sample_event
from runtime.units import MILLISECOND, Duration
from tests.runtime.outbound.authority import Authority
from tests.runtime.services.limited import running


@dataclass
class Mailbox:
    """Keeps the messages of a server, and answers as a test wants it to.

    Attributes:
        messages: the messages, parsed.
        envelopes: sender and recipients of each.
        answers: answers in place of 250, by command, used in order.
        refused: answers for recipients.
        sessions: number of connections.
        logins: method, user and password of each login.
    """

    messages: list = field(default_factory=list)
    envelopes: list = field(default_factory=list)
    answers: dict = field(default_factory=dict)
    refused: dict = field(default_factory=dict)
    logins: list = field(default_factory=list)
    sessions: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, command):
        waiting = self.answers.get(command)
        return waiting.pop(0) if waiting else None

    async def mail(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return self.answer("MAIL") or "250 OK"

    async def rcpt(self, server, session, envelope, address, options):
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def data(self, server, session, envelope):
        refusal = self.answer("DATA")
        if refusal:
            return refusal
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        self.messages.append(
            email.message_from_bytes(envelope.content, policy=email.policy.default)
        )
        self.arrived.set()
        return "250 OK"

    async def quit(self, server, session, envelope):
        self.ended.set()
        return "221 Bye"

    def log_in(self, server, session, envelope, mechanism, data):
        self.logins.append((mechanism, data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"pw", handled=False)


# the names that the server looks for
for command in (Mailbox.mail, Mailbox.rcpt, Mailbox.data, Mailbox.quit):
    setattr(Mailbox, f"handle_{command.__name__.upper()}", command)


@contextlib.asynccontextmanager
async def mail_server(box, **settings):
    """A server for `box`; the value is its port."""
    loop = asyncio.get_running_loop()
    made = []

    def session():
        box.sessions += 1
        made.append(SMTP(box, loop=loop, hostname="localhost", **settings))
        return made[-1]

    server = await loop.create_server(session, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in made:
            if each.transport is not None:
                each.transport.abort()
        await server.wait_closed()


def config(port, **settings):
    return Config(
        enabled=True,
        host="127.0.0.1",
        port=port,
        from_="Kapacitor <kapacitor@example.com>",
        to=("oncall@example.com",),
        **settings,
    )


@contextlib.asynccontextmanager
async def service(settings, *, dialer=None, trust=None):
    client = AiohttpClient(TimeLimits(), dialer, trust)
    made = Service(settings, client)
    try:
        yield made
    finally:
        await made.close()
        await client.close()


def mail(**changes):
    return changed_event(sample_event(), changes)


def test_a_message_is_sent():
    async def test():
        box = Mailbox()
        options = HandlerConfig(to=("Jo <jo@example.com>", "ops@example.com"))
        event = mail(message="CPU of ü is high\n", details='\n<a href="x">é</a>\n')
        async with mail_server(box) as port, service(config(port)) as smtp:
            assert await smtp.alert(options, event)
        [message] = box.messages
        assert box.envelopes == [
            ("kapacitor@example.com", ["jo@example.com", "ops@example.com"])
        ]
        assert message["From"] == "Kapacitor <kapacitor@example.com>"
        assert message["To"] == "Jo <jo@example.com>, ops@example.com"
        assert message["Subject"] == "CPU of ü is high"
        assert message["MIME-Version"] == "1.0"
        assert message["Content-Transfer-Encoding"] == "quoted-printable"
        assert message["Content-Type"] == 'text/html; charset="UTF-8"'
        assert "href=3D" in message.get_payload()
        assert message.get_content() == '\r\n<a href="x">é</a>\r\n'
        assert message["Date"].datetime.tzinfo is not None

    running(test())


def test_one_connection_sends_many_messages():
    async def test():
        box = Mailbox()
        async with mail_server(box) as port, service(config(port)) as smtp:
            sent = (smtp.alert(HandlerConfig(), mail(id=str(i))) for i in range(5))
            await asyncio.gather(*sent)
        assert (len(box.messages), box.sessions) == (5, 1)
        assert box.ended.is_set()

    running(test())


def test_an_unused_connection_is_closed():
    async def test():
        box = Mailbox()
        settings = {"idle_timeout": Duration(MILLISECOND)}
        async with mail_server(box) as port, service(config(port, **settings)) as smtp:
            await smtp.alert(HandlerConfig(), mail())
            await box.ended.wait()
            await smtp.alert(HandlerConfig(), mail())
        assert (len(box.messages), box.sessions) == (2, 2)

    running(test())


@pytest.mark.parametrize("farewell", ["421 idle too long", None])
def test_a_connection_that_the_server_closed_is_replaced(farewell):
    async def test():
        box = Mailbox()
        async with mail_server(box) as port, service(config(port)) as smtp:
            await smtp.alert(HandlerConfig(), mail())
            if farewell is None:
                [client] = [each.client for each in smtp._clients.values()]
                client._connection.transport.get_extra_info("socket").shutdown(2)
            else:
                box.answers["MAIL"] = [farewell]
            await smtp.alert(HandlerConfig(), mail())
        assert (len(box.messages), box.sessions) == (2, 2)

    running(test())


@pytest.mark.parametrize(
    ("command", "answer", "retry"),
    [
        ("MAIL", "550 go away", False),
        ("MAIL", "450 later", True),
        ("DATA", "554 spam", False),
        ("DATA", "452 full", True),
    ],
)
def test_a_refusal_leaves_the_connection(command, answer, retry):
    async def test():
        box = Mailbox(answers={command: [answer]})
        async with mail_server(box) as port, service(config(port)) as smtp:
            with pytest.raises(DeliveryError) as caught:
                await smtp.alert(HandlerConfig(), mail())
            assert (str(caught.value), caught.value.retry) == (answer, retry)
            await smtp.alert(HandlerConfig(), mail())
        assert len(box.messages) == 1
        assert box.sessions == (2 if retry else 1)

    running(test())


@pytest.mark.parametrize(
    ("refused", "expected", "retry", "received"),
    [
        (
            {"a@x.org": "550 unknown"},
            "sent, but not to all recipients: a@x.org: 550 unknown",
            False,
            ["b@x.org"],
        ),
        ({"a@x.org": "450 greylisted"}, "a@x.org: 450 greylisted", True, []),
        (
            {"a@x.org": "550 unknown", "b@x.org": "551 moved"},
            "a@x.org: 550 unknown; b@x.org: 551 moved",
            False,
            [],
        ),
    ],
    ids=["one", "one for now", "all"],
)
def test_refused_recipients(refused, expected, retry, received):
    async def test():
        box = Mailbox(refused=refused)
        async with mail_server(box) as port, service(config(port)) as smtp:
            with pytest.raises(DeliveryError) as caught:
                await smtp.alert(HandlerConfig(to=("a@x.org", "b@x.org")), mail())
            assert (str(caught.value), caught.value.retry) == (expected, retry)
        assert [each for _, to in box.envelopes for each in to] == received

    running(test())


def test_nobody_listens():
    async def test():
        async with mail_server(Mailbox()) as port:
            pass
        async with service(config(port)) as smtp:
            with pytest.raises(DeliveryError) as caught:
                await smtp.alert(HandlerConfig(), mail())
        expected = f"dial tcp 127.0.0.1:{port}: connection refused"
        assert str(caught.value).startswith(expected)
        assert caught.value.retry
        assert not caught.value.maybe_duplicate

    running(test())


def test_a_denied_address_is_not_connected_to():
    async def test():
        box = Mailbox()
        dialer = Dialer(DeniedNetworks.parsed(["127.0.0.0/8"]))
        async with (
            mail_server(box) as port,
            service(config(port), dialer=dialer) as smtp,
        ):
            with pytest.raises(DeliveryError, match=r"127\.0\.0\.1 is denied") as error:
                await smtp.alert(HandlerConfig(), mail())
        assert not error.value.retry
        assert box.sessions == 0

    running(test())


@pytest.mark.parametrize(
    ("excluded", "method"),
    [((), "PLAIN"), (("PLAIN",), "LOGIN"), (("LOGIN",), "PLAIN")],
    ids=["both", "login", "plain"],
)
def test_a_login(excluded, method):
    async def test():
        box = Mailbox()
        server = mail_server(
            box,
            authenticator=box.log_in,
            auth_require_tls=False,
            auth_exclude_mechanism=excluded,
        )
        settings = {"username": "me", "password": Secret("pw")}
        async with server as port, service(config(port, **settings)) as smtp:
            await smtp.alert(HandlerConfig(), mail())
            smtp.prepared([replace(smtp.config, password=Secret("wrong"))])()
            with pytest.raises(DeliveryError, match="535") as error:
                await smtp.alert(HandlerConfig(), mail())
        assert not error.value.retry
        assert "wrong" not in str(error.value)
        assert box.logins == [(method, "me", "pw"), (method, "me", "wrong")]
        assert len(box.messages) == 1

    running(test())


def test_a_password_is_not_sent_in_the_clear(monkeypatch):
    async def test():
        box = Mailbox()
        monkeypatch.setattr(hook, "_LOCAL", frozenset())
        server = mail_server(box, authenticator=box.log_in, auth_require_tls=False)
        settings = {"username": "me", "password": Secret("pw")}
        async with server as port, service(config(port, **settings)) as smtp:
            with pytest.raises(DeliveryError, match="unencrypted connection"):
                await smtp.alert(HandlerConfig(), mail())
        assert (box.logins, box.messages) == ([], [])

    running(test())


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("smtp"), "authority")


@pytest.mark.parametrize("way", ["trusted", "unverified", "untrusted"])
def test_a_connection_is_encrypted_where_the_server_offers_it(authority, way):
    async def test():
        box = Mailbox()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.pair("server"))
        server = mail_server(
            box, tls_context=context, require_starttls=True, authenticator=box.log_in
        )
        settings = {
            "no_verify": way == "unverified",
            "username": "me",
            "password": Secret("pw"),
        }
        trust = Trust(authority.file) if way == "trusted" else None
        async with (
            server as port,
            service(config(port, **settings), trust=trust) as smtp,
        ):
            if way == "untrusted":
                with pytest.raises(DeliveryError, match="x509: ") as error:
                    await smtp.alert(HandlerConfig(), mail())
                assert not error.value.retry
            else:
                await smtp.alert(HandlerConfig(), mail())
        assert len(box.messages) == (way != "untrusted")
        assert len(box.logins) == (way != "untrusted")

    running(test())


@pytest.mark.parametrize("is_supported", [True, False])
def test_addresses_outside_of_ascii(is_supported):
    async def test():
        box = Mailbox()
        options = HandlerConfig(to=("Jörg <jörg@münchen.example>",))
        server = mail_server(box, enable_SMTPUTF8=is_supported)
        async with server as port, service(config(port)) as smtp:
            await smtp.alert(HandlerConfig(to=("jo@münchen.example",)), mail())
            if is_supported:
                await smtp.alert(options, mail())
            else:
                with pytest.raises(DeliveryError, match="does not accept addresses"):
                    await smtp.alert(options, mail())
        recipients = [to for _, to in box.envelopes]
        assert recipients[0] == ["jo@xn--mnchen-3ya.example"]
        if is_supported:
            assert recipients[1] == ["jörg@xn--mnchen-3ya.example"]
            assert box.messages[1]["To"] == "Jörg <jörg@xn--mnchen-3ya.example>"

    running(test())


def test_a_message_has_the_same_id_at_each_attempt():
    data = {"from": "a@x.org", "to": ["b@x.org"], "subject": "s", "html": "h"}
    first, second = (hook.composed({**data, "key": "k"}) for _ in range(2))
    parsed = [email.message_from_bytes(each) for each in (first, second)]
    assert [each["Message-ID"] for each in parsed] == ["<k@x.org>"] * 2


@pytest.mark.parametrize("text", ["a\r\nBcc: x@y.org", "a\x85b\u2028c\x00", "\ud800"])
def test_no_message_adds_header_fields(text):
    data = {"from": "a@x.org", "to": ["b@x.org"], "key": "k", "html": text}
    made = email.message_from_bytes(hook.composed({**data, "subject": text}))
    assert sorted(each.lower() for each in made) == [
        *("content-transfer-encoding", "content-type", "date", "from"),
        *("message-id", "mime-version", "subject", "to"),
    ]


def test_a_missing_library_names_the_extra(monkeypatch):
    def missing(*names):
        raise ModuleNotFoundError("no", name="aiosmtplib")

    monkeypatch.setattr(hook, "required", missing)
    with pytest.raises(ConfigError) as caught:
        Service(config(25), AiohttpClient())
    assert str(caught.value) == (
        'smtp needs the library aiosmtplib; pip install "scaffold-alerts[smtp]"'
    )


def test_a_mailer_connects_for_its_first_message_only():
    async def test():
        mailer = await hook.open(config(1), Network())
        await hook.close(mailer)

    running(test())
