"""Email from a running server."""

import asyncio
import threading

import pytest

from tests.runtime.services.smtp.test_hook import Mailbox, mail_server

SCRIPT = """\
stream
    |from().measurement('cpu')
    |alert()
        .id('{{ .Name }}/{{ index .Tags "host" }}')
        .message('{{ .ID }} is {{ .Level }}')
        .details('<b>{{ .ID }}</b> & <i>{{ index .Fields "usage" }}</i>')
        .crit(lambda: "usage" > 90)
        .email('a@example.com')
            .to('b@example.com')
            .toTemplates('{{ index .Tags "owner" }}@example.com')
"""
LIMIT_S = 30


class MailThread:
    """An SMTP server in a thread.

    Attributes:
        box: its messages.
        port: its port.
    """

    def __init__(self):
        self.box = Mailbox()
        self.port = 0
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self):
        self._thread.start()
        assert self._is_up.wait(LIMIT_S)
        return self

    def __exit__(self, *error):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(LIMIT_S)

    async def _run(self):
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with mail_server(self.box) as self.port:
            self._is_up.set()
            await self._end.wait()

    def sent(self, count):
        """Wait for a number of messages."""

        async def wait():
            async with asyncio.timeout(LIMIT_S):
                while len(self.box.messages) < count:
                    await self.box.arrived.wait()
                    self.box.arrived.clear()

        asyncio.run_coroutine_threadsafe(wait(), self._loop).result(LIMIT_S)
        return self.box.messages


@pytest.fixture
def mail():
    with MailThread() as thread:
        yield thread


def test_alerts_of_a_script_are_sent(start_kapacitord, mail):
    server = start_kapacitord(f"""\
[smtp]
  enabled = true
  host = "127.0.0.1"
  port = {mail.port}
  from = "Kapacitor <kapacitor@example.com>"
  to = ["oncall@example.com"]
  toTemplates = []
""")
    tested = server.json("POST", "/service-tests/smtp", {})
    assert tested == {"success": True, "message": ""}
    [message] = mail.sent(1)
    assert (message["Subject"], message["To"]) == (
        "test subject",
        "oncall@example.com",
    )
    task = {
        "id": "cpu",
        "type": "stream",
        "dbrps": [{"db": "telegraf", "rp": "autogen"}],
    }
    server.json("POST", "/tasks", {**task, "script": SCRIPT, "status": "enabled"})
    server.write("cpu,host=a,owner=jo usage=95 1000000000")
    message = mail.sent(2)[1]
    assert message["Subject"] == "cpu/a is CRITICAL"
    assert mail.box.envelopes[1][1] == [
        *("a@example.com", "b@example.com", "jo@example.com")
    ]
    assert message.get_content().strip() == "<b>cpu/a</b> & <i>95</i>"
