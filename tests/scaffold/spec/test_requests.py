"""Requests and responses."""

from __future__ import annotations

import pytest

from scaffold import places
from scaffold.errors import SpecError
from scaffold.rendering.render import render, sample_of
from scaffold.spec.parse import parse
from tests.scaffold.spec.quoll import HEAD, refused, spec_of


def sent(request, options=None, **config):
    sample = sample_of(spec_of(request))
    made = sample.request({**sample.config, **config}, options or {}, sample.event())
    return made.split("\n")


def service(request):
    spec = spec_of(request)
    [file] = [
        each
        for each in places.files(spec.names, "runtime")
        if each.path.name == "service.py"
    ]
    return render(file.template, spec)


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


def test_parts_of_a_path_are_escaped_whole_and_once():
    request = 'path = ["t", "{}", "n"]\n'
    for part in (
        "${event.topic}/x",
        "${event.topic + '/x'}",
        "${quote(event.topic + '/x')}",
    ):
        assert (
            sent(request.replace("{}", part))[0]
            == "POST /t/main:cpu_alert:alert2%2Fx/n"
        )
    assert sent('path = ["a/b", "", "c"]\n')[0] == "POST /a%2Fb/c"


def test_a_path_of_one_text_has_its_own_slashes():
    assert sent('path = "a/${event.name}//b c/"\n')[0] == "POST /a/cpu/b%20c"


def test_escaping_twice_is_refused():
    [(where, problem)] = refused('path = ["t-${quote(event.id)}"]\n')
    assert where == "request[1].path[1]"
    assert "would be escaped twice" in problem


@pytest.mark.parametrize(
    ("request_", "options", "wanted"),
    [
        ('query = { "sign?" = "${opt.sign}", b = "x" }\n', {}, "POST /?b=x"),
        ('query = { "sign?" = "${opt.sign}" }\n', {"sign": "s"}, "POST /?sign=s"),
        ('query = { "n?" = "${config.n - 7}", m = "${config.n}" }\n', {}, "POST /?m=7"),
        ('query = { to = "${opt.to}" }\n', {"to": ("a b", "c")}, "POST /?to=a+b&to=c"),
        (
            'query = { to = ["x", "${event.name}", 1.5] }\n',
            {},
            "POST /?to=x&to=cpu&to=1.5",
        ),
        ('query = { to = "${opt.to}" }\n', {"to": ()}, "POST /"),
    ],
)
def test_queries(request_, options, wanted):
    assert sent(request_, options)[0] == wanted


def test_forms_repeat_the_key_of_a_list():
    request = '[request.form]\nto = "${opt.to}"\n"sign?" = "${opt.sign}"\nn = 1.0\n'
    assert sent(request, {"to": ("a b", "c")})[-2] == "to=a+b&to=c&n=1"


def test_headers_may_be_left_out():
    request = 'headers = { "X-Sign?" = "${opt.sign}", X-N = "${config.n}" }\n'
    assert sent(request) == ["POST /", "X-N: 7", ""]
    assert sent(request, {"sign": "s"}) == ["POST /", "X-N: 7", "X-Sign: s", ""]


def test_basic_auth_is_not_sent_empty():
    request = 'auth = { basic = ["config.user", "config.password"] }\n'
    assert sent(request, user="", password="") == ["POST /", ""]
    assert sent(request, user="k", password="")[1] == "Authorization: Basic azo="
    assert sent(request, user="", password="p")[1] == "Authorization: Basic OnA="
    assert "**basic_auth(config.user, config.password.reveal())" in service(request)


def test_what_is_probably_not_meant_is_noted():
    head = HEAD.replace(
        "user = {}", 'user = { required = "always", error = "no ${x} here" }'
    )
    request = (
        """text = "{{ .ID }} ${config.user}${join(config.teams, '')}${opt.sign}"\n"""
    )
    assert warnings_of(request, head) == [
        "config.user.error: is printed as it is; only the error of a [[check]] may have "
        "${…}",
        "config.password: is not used in the spec",
        "config.n: is not used in the spec",
        "option.to: is not used in the spec",
        "request[1].text: '{{ .ID }}' is sent as it is; write ${event.id}",
    ]


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
