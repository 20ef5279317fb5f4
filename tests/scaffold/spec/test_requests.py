"""Requests and responses."""

from __future__ import annotations

import pytest

from scaffold.errors import SpecError
from scaffold.spec.parse import parse
from tests.scaffold.spec.quoll import HEAD, refused


def warnings_of(request, head=HEAD):
    return [
        each.partition(": ")[2] for each in parse(head + request, "quoll.toml").warnings
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Host", "host", "Content-Length", "CONTENT-LENGTH", "Transfer-Encoding", "Connection",
        "TE", "Trailer", "Upgrade", "Keep-Alive", "Expect", "Proxy-Connection",
        "Proxy-Authorization", "proxy-authenticate", "HTTP2-Settings", "Host?",
    ],
)  # fmt: skip
def test_headers_that_http_keeps_for_itself_are_refused(name):
    [(where, problem)] = refused(f'[request.headers]\n"{name}" = "x"\n')
    assert where == f"request[1].headers.{name}"
    assert "HTTP reserves the header" in problem


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ('"X" = "a\\nb"', "contains a line end"),
        ('"X" = "a\\rb"', "contains a line end"),
        ('"X" = "a\\u0000b"', "contains a line end"),
        ('"X" = "${event.id}\\r\\nY: 1"', "contains a line end"),
        ('"X" = "1"\n"x" = "2"', "occurs twice"),
        ('"content-type" = "a/b"\n"Content-Type" = "c/d"', "occurs twice"),
        ('"X" = "1"\n"X?" = "2"', "occurs twice"),
        ('"X" = ["a"]', "must be a string, not a list; write ${join("),
        ('"X Y" = "a"', "is not a header name"),
        ('"${event.id}" = "a"', "is not a header name"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused(headers, problem):
    assert any(
        problem in each for _, each in refused(f"[request.headers]\n{headers}\n")
    )


def test_a_token_is_said_once():
    request = 'auth = { token = "config.password" }\nheaders = { Authorization = "${config.user}" }\n'
    assert refused(request)[0][1] == "conflicts with 'auth'; keep one of them"


def test_escaping_twice_is_refused():
    [(where, problem)] = refused('path = ["t-${quote(event.id)}"]\n')
    assert where == "request[1].path[1]"
    assert "would be escaped twice" in problem


def test_what_is_probably_not_meant_is_noted():
    request = (
        """text = "{{ .ID }} ${config.user}${join(config.teams, '')}${opt.sign}"\n"""
    )
    assert warnings_of(request) == [
        "config.password: is not used in the spec",
        "config.n: is not used in the spec",
        "option.to: is not used in the spec",
        "request[1].text: '{{ .ID }}' is sent as it is; write ${event.id}",
    ]


@pytest.mark.parametrize(
    ("check", "wanted"),
    [
        (
            'that = "config.user"\nerror = "x"',
            ("check[1].that", "a check at 'create' can use options only"),
        ),
        (
            'that = "opt.sign"\nerror = "${event.id}"',
            ("check[1].error", "a check at 'create' can use options only"),
        ),
        (
            'that = "opt.sign"\nerror = "no ${opt.key}"',
            ("check[1].error", "would show the secret opt.key"),
        ),
    ],
)
def test_a_check_of_a_definition_reads_options(check, wanted):
    head = HEAD.replace("[option]\n", '[option]\nkey = { type = "secret" }\n')
    text = f'[[check]]\nat = "create"\n{check}\n'
    [(where, problem)] = refused('text = "${opt.sign}${opt.key}"\n' + text, head)
    assert where == wanted[0]
    assert wanted[1] in problem


@pytest.mark.parametrize(
    ("response", "wanted"),
    [
        (
            'message = "${config.password}"',
            ("response.message", "would show the secret config.password"),
        ),
        (
            'that = "event.id"',
            ("response.that", "'event.id' is not available here: [response] can use"),
        ),
        ('wait = "[1]"', ("response.wait", "must be a number of seconds, not a list")),
        ('wait = "reply.x / 1000"', ("response.wait", "unknown operator '/'")),
    ],
)
def test_responses_that_cannot_be_read(response, wanted):
    [(where, problem)] = refused(f"[response]\n{response}\n")
    assert where == wanted[0]
    assert wanted[1] in problem


@pytest.mark.parametrize(
    ("setting", "request_", "wanted"),
    [
        (
            'user = { type = "lst", default = ["a"] }',
            '[request.json]\na = [{ "@for" = "x in config.user", b = "${x}" }]\n',
            ("config.user.type", "unknown type 'lst'"),
        ),
        (
            "user = { type = 5 }",
            '[request.json]\na = "${len(config.user)}"\n',
            ("config.user.type", "must be a string, not an integer"),
        ),
        (
            "user = { required = true }",
            "",
            ("config.user.required", "must be a string, not a boolean"),
        ),
    ],
)
def test_one_mistake_is_one_message(setting, request_, wanted):
    with pytest.raises(SpecError) as caught:
        parse(HEAD.replace("user = {}", setting) + request_)
    assert [(each.where, each.problem) for each in caught.value.faults] == [wanted]
