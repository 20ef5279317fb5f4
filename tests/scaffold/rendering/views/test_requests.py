"""Requests, as the generated service sends them."""

from __future__ import annotations

import pytest

from scaffold import places
from scaffold.rendering.render import render, sample_of
from tests.scaffold.spec.quoll import spec_of


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
    assert sent('path = "a/${event.name}//b c/"\n')[0] == "POST /a/cpu/b%20c/"


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
