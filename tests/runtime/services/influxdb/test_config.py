"""Sections of clusters: defaults, checks, files, variables and output."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from runtime.errors import ConfigError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.secrets import Secret
from runtime.server.config import environment
from runtime.server.config.config import Config as ServerConfig
from runtime.server.config.doubts import doubts
from runtime.server.config.file import decode
from runtime.server.config.text import dump
from runtime.services.influxdb.config import Config, default_of, validate
from runtime.units import MINUTE, Duration

WHOLE = """\
[[influxdb]]
  enabled = true
  name = "main"
  default = true
  urls = ["http://one:8086", "https://user:canary-url@two:8086/"]
  username = "kapacitor"
  password = "canary-password"
  token = "canary-token"
  http-shared-secret = true
  ssl-ca = "/ca.pem"
  ssl-cert = "/cert.pem"
  ssl-key = "/key.pem"
  insecure-skip-verify = true
  timeout = "5s"
  disable-subscriptions = true
  subscription-protocol = "udp"
  subscription-mode = "server"
  kapacitor-hostname = "alerts"
  http-port = 9093
  udp-bind = "127.0.0.1"
  udp-buffer = 10
  udp-read-buffer = 4096
  startup-timeout = "1m0s"
  subscriptions-sync-interval = "30s"
  subscription-path = "/in"
  compression = "none"

  [influxdb.subscriptions]
    telegraf = ["autogen", "week"]

  [influxdb.excluded-subscriptions]
    raw = ["*"]
"""


def clusters(text: str, **environ: str) -> tuple[Config, ...]:
    loaded = decode(text, INTEGRATIONS)
    assert (loaded.warnings, loaded.absent) == ((), ())
    return environment.apply(loaded.config, environ).influxdb


def test_all_keys_are_read_and_printed() -> None:
    [found] = clusters(WHOLE)
    defaults = Config()
    for field in dataclasses.fields(Config):
        is_default = getattr(found, field.name) == getattr(defaults, field.name)
        assert is_default == (field.name == "enabled"), field.name
    revealed = dump(ServerConfig(influxdb=(found,)), reveal=True)
    assert WHOLE in revealed
    assert clusters(revealed) == (found,)


def test_secrets_are_not_printed() -> None:
    printed = dump(ServerConfig(influxdb=clusters(WHOLE)))
    assert "canary" not in printed
    assert 'password = "***"' in printed
    assert '"https://***@two:8086/"' in printed


@pytest.mark.parametrize("line", ['urls = ["http://***@h:1"]', 'password = "***"'])
def test_placeholders_are_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="is a placeholder"):
        clusters(f"[[influxdb]]\n{line}")


def test_the_defaults_are_kapacitors() -> None:
    [found] = clusters("[[influxdb]]")
    assert found == Config()
    assert found.excluded_subscriptions == {"_kapacitor": ("autogen",)}
    assert clusters("") == ()
    # zero means the default, too
    [zero] = clusters(
        '[[influxdb]]\nstartup-timeout = 0\nsubscriptions-sync-interval = "0s"\n'
        'udp-buffer = 0\nsubscription-protocol = ""\ncompression = ""'
    )
    assert zero == found
    assert zero.subscriptions_sync_interval == MINUTE


def test_a_section_without_brackets_is_a_cluster() -> None:
    [found] = clusters('[influxdb]\nurls = ["http://h:8086"]')
    assert found.urls == ("http://h:8086",)


@pytest.mark.parametrize(
    ("text", "environ", "changes"),
    [
        ("", {"URLS_0": "http://h:1"}, {"urls": ("http://h:1",)}),
        ("", {"ENABLED": "false"}, {"enabled": False}),
        ("", {"PASSWORD": "5ecret5ecret"}, {"password": Secret("5ecret5ecret")}),
        (
            '[[influxdb]]\nname = "n"',
            {"TIMEOUT": "3s"},
            {"name": "n", "timeout": 3 * 10**9},
        ),
    ],
    ids=["url", "off", "password", "of-a-file"],
)
def test_variables(
    text: str, environ: Mapping[str, str], changes: Mapping[str, Any]
) -> None:
    variables = {f"KAPACITOR_INFLUXDB_0_{name}": each for name, each in environ.items()}
    assert clusters(text, **variables) == (Config(**changes),)


def test_variables_without_effect_are_reported() -> None:
    environ = {
        "KAPACITOR_INFLUXDB_1_URLS_0": "http://h:1",
        "KAPACITOR_INFLUXDB_0_SUBSCRIPTIONS_telegraf": "autogen",
    }
    loaded = environment.apply(ServerConfig(), environ)
    assert loaded.influxdb == (Config(),)
    found = [*environment.doubtful_names(loaded, environ)]
    assert len(found) == 2
    assert found[0].startswith("KAPACITOR_INFLUXDB_0_SUBSCRIPTIONS_telegraf has no")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": ""}, "influxdb cluster must be given a name"),
        (
            {"name": "a b"},
            "influxdb cluster name must contain only numbers, letters or '.', '-', and "
            "'_' characters",
        ),
        ({"urls": ()}, "must specify at least one InfluxDB URL"),
        (
            {"urls": ("ftp://h",)},
            "invalid URLs: Unsupported protocol scheme: ftp, your address must start "
            "with http:// or https://",
        ),
        (
            {"urls": ("http://user:canary@h:port",)},
            'invalid url "http://***@h:port": parse "http://***@h:port": invalid port '
            '":port" after host',
        ),
        (
            {"subscription_protocol": "tcp", "password": Secret("canary")},
            "invalid subscription protocol, must be one of 'udp', 'http' or 'https', "
            'got "tcp"',
        ),
        ({"subscription_mode": "both"}, 'unknown subscription mode "both"'),
        # without a pause statements would follow each other without end
        (
            {"subscriptions_sync_interval": Duration(-1)},
            "subscriptions-sync-interval must not be negative",
        ),
        ({"timeout": Duration(-1)}, "timeout must not be negative"),
        ({"startup_timeout": Duration(-1)}, "startup-timeout must not be negative"),
        ({"udp_buffer": -1}, "udp-buffer must not be negative"),
        ({"udp_read_buffer": -1}, "udp-read-buffer must not be negative"),
        ({"http_port": -1}, "http-port must not be negative"),
        ({"http_port": 65536}, "invalid http-port 65536"),
        (
            {"compression": "zip"},
            "Invalid compression, must be one of 'gzip' or 'none', got zip",
        ),
        (
            {"ssl_cert": "/cert.pem"},
            "Must provide both key and cert files: only cert file provided.",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_checks(changes: Mapping[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        Config(**changes).validate()
    assert str(error.value) == problem


@pytest.mark.parametrize(
    ("configs", "problem"),
    [
        ([{}, {}], 'duplicate name "default" for influxdb configs'),
        (
            [{"default": True}, {"name": "b", "default": True}],
            "More than one InfluxDB default was specified: b default",
        ),
        (
            [{}, {"name": "b"}],
            "at least one of the enabled InfluxDB clusters must be marked as default.",
        ),
    ],
    ids=["names", "defaults", "none"],
)
def test_checks_of_several(configs: list[Mapping[str, Any]], problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        validate([Config(**each) for each in configs])
    assert str(error.value) == problem


def test_the_default_cluster() -> None:
    assert default_of([]) == ""
    assert default_of([Config(name="a")]) == "a"
    assert default_of([Config(name="a"), Config(name="b", default=True)]) == "b"
    with pytest.raises(ConfigError, match="no default cluster found"):
        default_of([Config(name="a"), Config(name="b")])
    # of those that are off nothing counts
    validate(
        [Config(name="a", default=True), Config(name="b", default=True, enabled=False)]
    )


def test_doubts() -> None:
    config = ServerConfig(
        influxdb=(Config(urls=("http://",), http_shared_secret=True),)
    )
    assert [*doubts(config)] == [
        "[influxdb] urls: no host in request URL",
        "[influxdb] http-shared-secret has no effect: [http] shared-secret is not set",
    ]
