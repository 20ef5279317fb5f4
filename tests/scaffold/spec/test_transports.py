"""Requests over TCP and through hooks."""

from __future__ import annotations

import pytest

from scaffold import places
from scaffold.rendering.render import render
from scaffold.spec.parse import parse
from tests.scaffold.spec.quoll import faults

HEAD = '[handler]\nname = "quoll"\n[config]\naddr = {}\nkey = { secret = true }\n'
TCP = HEAD + '[[request]]\nto = "${config.addr}"\ntext = "${event.id}"\n'
HOOK = HEAD + (
    '[hook]\nmodule = "sender"\nextra = "odd"\n'
    "[[request]]\n[request.data]\nid = '${event.id}'\n\"key?\" = '${config.key}'\n"
)


def files(text: str) -> dict[str, str]:
    spec = parse(text, "quoll.toml")
    return {
        file.path.name: render(file.template, spec)
        for file in places.files(spec.names, "runtime")
    }


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        (TCP + 'url = "${config.addr}"\n', "request[1].url", "conflicts with 'to'"),
        (TCP + 'method = "PUT"\n', "request[1].method", "has no effect with 'to'"),
        (TCP + "[response]\nok = [200]\n", "response.ok", "has no status"),
        (
            TCP + '[response]\nmessage = "x"\n',
            "response",
            "needs a key 'that' for 'message': without it no answer over TCP is read",
        ),
        (
            TCP.replace("${config.addr}", "localhost:5000"),
            "request[1].to",
            "must be a setting, which tests replace",
        ),
        (
            HEAD + '[[request]]\nto = "${config.addr}"\n',
            "request[1].text",
            "is missing; write 'text' or 'json'",
        ),
        (
            HEAD + "[[request]]\n[request.data]\na = 1\n",
            "request[1].data",
            "needs [hook]",
        ),
        (HEAD + "[hook]\n[[request]]\n", "request[1].data", "is missing"),
        (HOOK + "[response]\nok = [200]\n", "response", "has no effect with [hook]"),
        (HOOK.replace("sender", "service"), "hook.module", "a generated module has"),
        (HOOK.replace("sender", "../x"), "hook.module", "is not a module"),
        (HOOK.replace("odd", "a b"), "hook.extra", "is not the name of an extra"),
        (HEAD + "[[request]]\ntext = 'x'\n", "request[1].url", "is missing"),
    ],
)
def test_requests_that_no_transport_can_send(text: str, where: str, problem: str):
    assert any(
        found == where and problem in said for found, said in faults(text)
    ), faults(text)


SECTIONS = '[instances]\nkey = "id"\ndefault = "flag"\n'


@pytest.mark.parametrize(
    ("text", "base"),
    [(TCP, "TcpInstancesService"), (HOOK, "HookInstancesService")],
    ids=["tcp", "hook"],
)
def test_any_transport_may_have_several_sections(text: str, base: str):
    made = files(text + SECTIONS)
    assert f"class Service({base}[Config" in made["service.py"]
    assert "instances: ClassVar[Instances]" in made["config.py"]
    tests = made["test_quoll_service.py"]
    assert "def test_handlers_choose_a_section" in tests
    assert ("server.opened == [other, other]" in tests) == (text is HOOK)
    for name, content in made.items():
        if name.endswith(".py"):
            compile(content, name, "exec")


SENT = HOOK.replace(
    "[request.data]\nid = '${event.id}'", "data = { id = 'x' }"
).replace("\"key?\" = '${config.key}'\n", "")
_READS = "has no effect with [hook], whose module reads the answers; remove it"


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        (SENT + "that = 'reply.ok'\n", "request[1].that", _READS),
        (SENT + "accepted = '{}'\n", "request[1].accepted", _READS),
        (
            SENT + "keep = '1h'\n",
            "request[1].keep",
            "has no effect with [hook]; remove it",
        ),
        (
            SENT + "[response]\nthat = 'reply.ok ='\nretry = 'x'\nok = [99]\n",
            "response",
            "has no effect with [hook]: its module reads the answers",
        ),
        (
            SENT + "[remember]\nid = 'reply.id'\n",
            "remember",
            "needs requests over HTTP, whose answers it keeps",
        ),
        (
            TCP + "[response]\nretry = 'reply.x'\nwait = 'reply.y'\n",
            "response",
            "needs a key 'that' for 'retry' and 'wait': without it no answer over TCP is "
            "read; write that = \"body == 'ok'\" or the like",
        ),
        (
            TCP + "[response]\nwait = \"'a' == 'b'\"\n",
            "response.wait",
            "must be a number of seconds, not a boolean",
        ),
        (
            TCP + "that = 'reply.ok'\n",
            "request[1].that",
            "has no effect with 'to'; write it in [response]",
        ),
        (
            TCP + "keep = '1h'\n",
            "request[1].keep",
            "has no effect with 'to'; remove it",
        ),
        (
            TCP + "name = 'login'\nthat = 'reply.ok'\nkeep = '1h'\n" + TCP[len(HEAD) :],
            "request[1].name",
            "needs requests over HTTP; steps are sent to a 'url'",
        ),
    ],
)
def test_one_mistake_is_one_fault(text: str, where: str, problem: str):
    assert faults(text) == [(where, problem)]


def test_an_answer_over_tcp_may_ask_for_another_attempt():
    made = files(
        TCP + "[response]\nthat = \"body == 'ok'\"\nretry = \"body == 'busy'\"\n"
        "accepted = 'ok'\n"
    )
    assert 'response.text == "busy"' in made["service.py"]


def test_a_hook_gets_no_settings_of_requests():
    head, tail = HOOK.split("[config]", 1)
    assert ("handler.tls", True) in [
        (where, problem.startswith("has no effect with [hook]"))
        for where, problem in faults(f"{head}tls = true\n[config]{tail}")
    ]
    text = HOOK + '[connection]\nca = "config.addr"\nverify = "False"\n'
    [(where, problem)] = faults(text)
    assert (where, "its module connects" in problem) == ("connection.verify", True)
    made = files(text.replace('verify = "False"\n', ""))
    assert "def certificates(" in made["service.py"]
    assert "def test_certificates(" in made["test_quoll_service.py"]


def test_a_message_over_tcp_is_written():
    made = files(TCP)
    assert (
        'return Request("WRITE", f"tcp://{config.addr}", body=event.state.id.encode())'
        in " ".join(made["service.py"].split())
    )
    assert "def accepts" not in made["service.py"]
    assert "addr=server.address" in made["test_quoll_service.py"]
    assert made["test_requests.txt"].startswith("# OK\nTCP message\n\ncpu:serverA\n")


def test_a_hook_may_use_all_settings():
    assert parse(HOOK, "quoll.toml").warnings == ()
    [line] = parse(TCP, "quoll.toml").warnings
    assert "config.key: is not used in the spec" in line


def test_a_hook_gets_the_data():
    made = files(HOOK)
    assert "from runtime.services.quoll import sender" in made["service.py"]
    assert 'extra = "odd"' in made["service.py"]
    assert made["quolltest.py"] == ""
    assert "RecordingHook()" in made["test_quoll_service.py"]
    assert made["test_requests.txt"].startswith(
        '# OK\nSEND data\n\n{"id":"cpu:serverA","key":"configured-key"}\n'
    )
    for name, text in made.items():
        if name.endswith(".py"):
            compile(text, name, "exec")
