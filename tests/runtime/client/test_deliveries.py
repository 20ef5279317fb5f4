"""`kapacitor list deliveries`, `resend` and `discard`."""

import re
import time

import pytest

from runtime.testing.loopback import LoopbackServer

SCRIPT = """\
stream
    |from().measurement('cpu')
    |alert().id('{{ .Name }}').crit(lambda: "value" > 90).stateChangesOnly().foo()
"""


@pytest.fixture
def chat():
    with LoopbackServer(status=400) as server:
        yield server


def listed(server, *arguments):
    header, *rows = server.cli("list", "deliveries", *arguments).splitlines()
    assert header.split() == [
        *("ID", "State", "Attempts", "Topic", "Handler", "Event", "Due", "Error")
    ]
    return [re.split(r" +", row, maxsplit=7) for row in rows]


def until(met):
    end = time.monotonic() + 10
    while not (found := met()):
        assert time.monotonic() < end
    return found


def test_deliveries_are_listed_sent_again_and_discarded(start_kapacitord, chat):
    server = start_kapacitord(f'[foo]\nenabled = true\nurl = "{chat.url}"\n')
    task = {"id": "t", "dbrps": [{"db": "d", "rp": "r"}], "script": SCRIPT}
    server.json("POST", "/tasks", {**task, "status": "enabled"})
    server.write("cpu value=95 1", "db=d&rp=r")
    [first] = until(lambda: listed(server, "-state", "dead", "main:t:*"))
    assert first[1:7] == ["dead", "1", "main:t:alert2", "foo", "cpu", "-"]
    assert first[7] == "unexpected response code 400 from Foo service"
    assert listed(server, "other") == listed(server, "*", "bar") == []

    chat.status = 200
    server.cli("resend", first[0])
    until(lambda: not listed(server))
    chat.status = 400
    server.write("cpu value=5 2", "db=d&rp=r")
    [second] = until(lambda: listed(server, "-state", "dead"))
    assert server.cli("resend", "-topic", "main:*") == "resent 1\n"
    [third] = until(lambda: listed(server, "-state", "dead"))
    assert third[0] != second[0]
    server.cli("discard", third[0])
    assert listed(server) == []

    assert "unknown delivery: 7" in server.cli("discard", "7", code=3)
    assert "must be a number" in server.cli("resend", "x", code=3)
    assert "Usage: kapacitor resend" in server.cli("resend", code=2)
    assert "Usage: kapacitor discard" in server.cli("discard", code=2)
    assert "invalid state x" in server.cli("list", "deliveries", "-state", "x", code=3)
    assert "Usage: kapacitor list" in server.cli("list", "deliveries", *"abc", code=2)
