"""`[connection]`, and `tls = true`."""

import pytest

from scaffold.expressions.code import Type
from scaffold.layout.printer import source
from scaffold.spec.parse import parse
from tests.scaffold.spec.small import HEAD, TAIL, faults

CONFIG = """\
ca = {}
cert = {}
key = {}
insecure = { type = "bool" }
wait = { type = "duration" }
proxy = { type = "secret" }
[option]
wait = { default = "config.wait" }
"""
CONNECTION = """\
[connection]
ca     = "config.ca"
cert   = ["config.cert", "config.key"]
verify = "not config.insecure"
limit  = "opt.wait"
proxy  = "config.proxy"
"""
TLS = HEAD.replace('"foo"', '"foo"\ntls = true')


def shown(connection):
    return {
        name: source(code.node)
        for name, code in {**connection.files(), **connection.settings()}.items()
    }


def test_each_key_is_an_expression():
    spec = parse(HEAD + CONFIG + CONNECTION + TAIL)
    assert shown(spec.connection) == {
        "ca": "config.ca",
        "certificate": "config.cert",
        "key": "config.key",
        "verify": "not config.insecure",
        "limit": "options.wait",
        "proxy": "config.proxy.reveal()",
    }


def test_what_only_a_connection_uses_is_used():
    spec = parse(HEAD + CONFIG + CONNECTION + TAIL)
    assert [each for each in spec.warnings if "config.room" not in each] == []


def test_tls_adds_kapacitors_settings():
    spec = parse(TLS + TAIL)
    added = {each.key: each.type.base for each in spec.config[2:]}
    assert added == {
        "ssl-ca": Type.STR,
        "ssl-cert": Type.STR,
        "ssl-key": Type.STR,
        "insecure-skip-verify": Type.BOOL,
    }
    assert shown(spec.connection) == {
        "ca": "config.ssl_ca",
        "certificate": "config.ssl_cert",
        "key": "config.ssl_key",
        "verify": "not config.insecure_skip_verify",
    }


def test_tls_and_a_connection_add_up():
    limit = '[connection]\nlimit = "config.wait"\n'
    spec = parse(TLS + 'wait = { type = "duration" }\n' + limit + TAIL)
    assert {"limit", "verify", "ca"} < shown(spec.connection).keys()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'ca = "opt.wait"',
            "foo.toml:15: connection.ca: 'opt.wait' is not available here: certificates are "
            "read when the configuration changes; they can use settings only",
        ),
        (
            'limit = "event.duration"',
            "foo.toml:15: connection.limit: 'event.duration' is not available here: "
            "a connection can use settings and options only",
        ),
        (
            'limit = "config.room"',
            "foo.toml:15: connection.limit: is a string, but must be a duration",
        ),
        (
            'verify = "config.room"',
            "foo.toml:15: connection.verify: is a string, but must be a boolean",
        ),
        (
            'proxy = "config.insecure"',
            "foo.toml:15: connection.proxy: is a boolean, but must be a string",
        ),
        (
            'ca = "config.insecure"',
            "foo.toml:15: connection.ca: is a boolean, but must be a string",
        ),
        (
            'cert = ["config.cert"]',
            "foo.toml:15: connection.cert: must be two expressions, [certificate, key]",
        ),
        (
            'certs = ["config.cert", "config.key"]',
            "foo.toml:15: connection.certs: unknown key "
            "(allowed: ca, cert, verify, limit, proxy; did you mean cert?)",
        ),
        (
            "verify = false",
            "foo.toml:15: connection.verify: must be an expression in quotes, "
            "not a boolean",
        ),
    ],
)
def test_what_is_wrong_is_refused(text, expected):
    found = faults(f"{HEAD}{CONFIG}[connection]\n{text}\n{TAIL}")
    assert found == [expected]


def test_what_tls_adds_is_not_given_twice():
    both = '[connection]\nca = "config.room"\nverify = "True"\n'
    assert faults(TLS + "ssl-ca = {}\n" + both + TAIL) == [
        "foo.toml:7: config.ssl-ca: is added by 'tls = true' of [handler]; "
        "remove one of them",
        "foo.toml:9: connection.ca: is set by 'tls = true' of [handler]; "
        "remove one of them",
        "foo.toml:10: connection.verify: is set by 'tls = true' of [handler]; "
        "remove one of them",
    ]
