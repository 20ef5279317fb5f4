"""Configuration files as Kapacitor prints, installs and starts with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.pipeline.missing_handlers import SECTIONS as HANDLERS
from runtime.server.__main__ import run_command
from runtime.server.config.absent import OTHERS
from runtime.server.process_environment import ProcessEnvironment
from runtime.testing.loopback import LoopbackServer

PRINTED = Path(__file__).parent / "files" / "kapacitord_config.conf"

# as the package installs it, shortened: most sections are off, and it has a slip
PACKAGED = """\
hostname = "localhost"
data_dir = "/var/lib/kapacitor"
[http]
  bind-address = ":9092"
[storage]
  boltdb = "/var/lib/kapacitor/kapacitor.db"
[deadman]
  global = false
  threshold = 0.0
[[influxdb]]
  enabled = true
  default = true
  name = "localhost"
  urls = ["http://localhost:8086"]
  timeout = 0
  [influxdb.subscriptions]
[kubernetes]
  enabled = false
[smtp]
  enabled = false
  to = []
[[slack]]
  default = true
  enabled = false
  workspace = "example.slack.com"
[[mqtt]]
  enabled = false
[reporting]
  enabled = true
[stats]
  enabled = true
[udf]
[udf.functions]
[[static-discovery]]
  enabled = false
  id = "mystatic"
  targets = [ "localhost:9100" ]
  [static.labels]
  region = "us-east-1"
[[udp]]
  enabled = false
"""
# of Kapacitor 0.x, with a section pasted from elsewhere
OLD = """\
hostname = "localhost"
data_dir = "/var/lib/kapacitor"
token = ""
[http]
  Bind-Address = ":9092"
[LOGGING]
  file = "STDERR"
[task]
  dir = "/var/lib/kapacitor/tasks"
  snapshot-interval = "60s"
[influxdb]
  enabled = true
  urls = ["http://localhost:8086"]
[reporting]
  enabled = true
  enterprise-url = "https://enterprise.example.com"
[collectd]
  enabled = false
[agent]
  interval = "10s"
[[inputs.cpu]]
  percpu = true
[[outputs.influxdb]]
  urls = ["http://localhost:8086"]
"""
Printed = Callable[..., tuple[int, str, str]]


def cluster(name: str, *, default: bool) -> str:
    """The start of a cluster's section as it is printed."""
    return f"""
[[influxdb]]
  enabled = true
  name = "{name}"
  default = {str(default).lower()}
  urls = ["http://localhost:8086"]
"""


@pytest.fixture
def printed(tmp_path: Path, capsys: Any) -> Printed:
    """Outcome of `kapacitord config` for a file: code, standard output, warnings."""

    def command(text: str, *flags: str, **environ: str) -> tuple[int, str, str]:
        path = tmp_path / "k.conf"
        path.write_text(text)
        environment = ProcessEnvironment(environ, f"{tmp_path}/home", f"{tmp_path}/etc")
        code = run_command(["config", "-config", str(path), *flags], environment)
        out, err = capsys.readouterr()
        return code, out, err.partition("\n")[2]

    return command


def lines(text: str) -> list[str]:
    return [line.partition(":")[0] for line in text.splitlines()]


def test_the_output_of_kapacitors_config_is_accepted(printed: Printed) -> None:
    code, out, warnings = printed(PRINTED.read_text())
    assert code == 0
    assert cluster("default", default=False) in out
    # disabled sections log nothing
    said = [line for line in warnings.splitlines() if line.startswith("line ")]
    told = [line.split("[")[1].split("]")[0] for line in said]
    assert set(told) <= {"stats"}


def test_the_file_of_the_packages_is_accepted(printed: Printed) -> None:
    code, out, warnings = printed(PACKAGED)
    assert (code, cluster("localhost", default=True) in out) == (0, True)
    said = warnings.splitlines()
    assert "line 38: unknown section [static] has no effect" in said
    assert sum("unknown" in each for each in said) == 1


def test_an_old_file_with_pasted_sections_is_accepted(printed: Printed) -> None:
    code, out, warnings = printed(OLD)
    assert (code, '  bind-address = ":9092"\n' in out) == (0, True)
    assert cluster("default", default=False) in out
    assert warnings.splitlines() == [
        "line 3: unknown key token has no effect",
        "line 19: unknown section [agent] has no effect",
        "line 21: unknown section [inputs] has no effect",
        "line 23: unknown section [outputs] has no effect",
    ]


def test_what_is_printed_starts_a_server(
    printed: Printed,
    start_kapacitord: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with LoopbackServer() as server:
        text = PRINTED.read_text().replace(
            '[hipchat]\n  enabled = false\n  url = ""',
            f'[hipchat]\n  enabled = true\n  url = "{server.url}"\n  room = "r"',
        )
        text = text.replace('  room = ""\n', "", 1)
        # a secret is printed as ***, with which no server starts
        text = text.replace('  community = "kapacitor"\n', "", 1)
        text = text.replace("/home/kapacitor/.kapacitor", str(tmp_path / "data"))
        secret = {"KAPACITOR_HIPCHAT_TOKEN": "5ecret-of-the-environment"}
        code, out, _ = printed(text, **secret)
        assert code == 0
        assert '  token = { env = "KAPACITOR_HIPCHAT_TOKEN" }\n' in out
        process = start_kapacitord(file=out, environment=secret)
        tested = process.json("POST", "/service-tests/hipchat", {})
        assert tested == {"success": True, "message": ""}
        assert "5ecret-of-the-environment" in server.next().raw_query
    # and is what the server uses: printed again it is the same
    monkeypatch.setenv("KAPACITOR_HIPCHAT_TOKEN", "5ecret-of-the-environment")
    assert printed(out, **secret)[1] == out


DISCORD_MISSING = (
    '[discord] is enabled, and this server has no handler "discord". Run kapacitord in the '
    "project that has it, install that project, generate the handler with "
    "`scaffold new-handler --spec discord.toml`, disable it, or start with -lenient, "
    "without its alerts"
)


@pytest.mark.parametrize(
    ("text", "environ", "fault"),
    [
        ("[discord]\nenabled = true", {}, f"line 2: {DISCORD_MISSING}"),
        (
            "[[discord]]\nenabled = false\n[[discord]]\nenabled = true",
            {},
            f"line 4: {DISCORD_MISSING}",
        ),
        ("discord = { enabled = true }", {}, f"line 2: {DISCORD_MISSING}"),
        ("discord.enabled = true", {}, f"line 2: {DISCORD_MISSING}"),
        # Kapacitor refuses these
        ('[discord]\nenabled = "true"', {}, f"line 2: {DISCORD_MISSING}"),
        ("discord = [{ enabled = true }, 5]", {}, f"line 2: {DISCORD_MISSING}"),
        ("[Discord]\nEnabled = true", {}, f"line 2: {DISCORD_MISSING}"),
        (
            "",
            {"KAPACITOR_DISCORD_ENABLED": "true", "KAPACITOR_DISCORD_GLOBAL": "true"},
            f"KAPACITOR_DISCORD_ENABLED: {DISCORD_MISSING}",
        ),
        (
            "",
            {"KAPACITOR_DISCORD_0_ENABLED": "T"},
            f"KAPACITOR_DISCORD_0_ENABLED: {DISCORD_MISSING}",
        ),
        (
            "[[discord]]\nenabled = false",
            {"KAPACITOR_DISCORD_0_ENABLED": "1"},
            f"line 2: {DISCORD_MISSING}",
        ),
        (
            "[sensu]\nenabled = true",
            {},
            'line 2: [sensu] is enabled, and this server has no handler "sensu". It does '
            "not speak HTTP and cannot be generated. Disable it, or start with "
            "-lenient, without its alerts",
        ),
        (
            "[hipcaht]\nenabled = true",
            {},
            'line 2: [hipcaht] is enabled, and this server has no handler "hipcaht" (did '
            'you mean "hipchat"?). Run kapacitord in',
        ),
        (
            "",
            {"KAPACITOR_HIPCAHT_ENABLED": "true"},
            "KAPACITOR_HIPCAHT_ENABLED: [hipcaht] is enabled, and this server has no "
            'handler "hipcaht" (did you mean "hipchat"?). Run kapacitord in',
        ),
        (
            "[huddle]\nenabled = true",
            {},
            'line 2: [huddle] is enabled, and this server has no handler "huddle". Run',
        ),
    ],
)
def test_an_enabled_handler_that_is_missing_is_an_error(
    printed: Printed, text: str, environ: dict[str, str], fault: str
) -> None:
    text = f'data_dir = "/nowhere"\n{text}'
    code, out, err = printed(text, **environ)
    assert (code, out) == (1, "")
    assert err.startswith(f"config: {fault}")
    code, out, err = printed(text, "-lenient", **environ)
    assert (code, out != "") == (0, True)
    assert err.startswith(fault)
    assert printed(text, "-lenient=false", **environ)[0] == 1


@pytest.mark.parametrize("name", sorted(HANDLERS - set(INTEGRATIONS.sections)))
def test_every_handler_of_kapacitor_is_missed_when_it_is_on(
    printed: Printed, name: str
) -> None:
    start = 'data_dir = "/nowhere"\n'
    for form in (f"[{name}]", f"[[{name}]]"):
        assert printed(f"{start}{form}\nenabled = false")[::2] == (0, "")
        code, _, err = printed(f"{start}{form}\nenabled = true")
        assert (code, f'no handler "{name}"' in err) == (1, True)


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_other_sections_are_a_line_at_most(printed: Printed, name: str) -> None:
    start = 'data_dir = "/nowhere"\n'
    assert printed(f"{start}[{name}]\nenabled = false")[::2] == (0, "")
    assert printed(f"{start}[{name.upper()}]\nEnabled = false")[::2] == (0, "")
    code, _, warnings = printed(f"{start}[[{name}]]\nenabled = true")
    assert (code, len(warnings.splitlines())) == (0, int(OTHERS[name] != ""))


def test_the_environment_may_switch_off_what_the_file_enables(printed: Printed) -> None:
    text = 'data_dir = "/nowhere"\n[discord]\nenabled = true'
    assert printed(text, KAPACITOR_DISCORD_ENABLED="false")[::2] == (0, "")
    text = 'data_dir = "/nowhere"\n[[discord]]\nenabled = true\n[[discord]]\nenabled = true'
    assert printed(text, KAPACITOR_DISCORD_0_ENABLED="false")[0] == 1


def test_variables_without_effect_are_told(printed: Printed) -> None:
    text = 'data_dir = "/nowhere"\n[[httppost]]\nendpoint = "a"\nurl = "http://a"'
    code, out, warnings = printed(
        text,
        KAPACITOR_HTTPPOST_0_URL="http://b",
        KAPACITOR_HTTPPOST_0_HEADERS_X="y",
        KAPACITOR_HTTPPOST_1_ENDPOINT="n1",
        KAPACITOR_HIPCAHT_ROOM="1",
        KAPACITOR_HIPCHAT_0_ROOM="as-a-list",
        KAPACITOR_INFLUXDB_0_URLS_0="http://influxdb:8086",
        KAPACITOR_INFLUXDB_0_URLS_1="http://other:8086",
        KAPACITOR_INFLUXDB_0_PASSWRD="5ecret",
        KAPACITOR_DISCORD_URL="of a handler that is off",
        KAPACITOR_MONITORING_ENABLED="true",
        KAPACITOR_EMPTY="",
        # of the client, of images, and of Kubernetes
        KAPACITOR_URL="http://localhost:9092",
        KAPACITOR_VERSION="1.6.4",
        KAPACITOR_SERVICE_HOST="10.0.0.1",
        KAPACITOR_PORT_9092_TCP_ADDR="10.0.0.1",
        OTHER="x",
    )
    assert (code, 'url = "http://b"' in out, '"as-a-list"' in out) == (0, True, True)
    assert 'urls = ["http://influxdb:8086"]' in out
    assert warnings.splitlines() == [
        'KAPACITOR_HIPCAHT_ROOM has no effect; did you mean "KAPACITOR_HIPCHAT_ROOM"?',
        "KAPACITOR_HTTPPOST_1_ENDPOINT has no effect: the configuration file has 1 of "
        "KAPACITOR_HTTPPOST_0, KAPACITOR_HTTPPOST_1, …, and a variable adds none",
        'KAPACITOR_INFLUXDB_0_PASSWRD has no effect; did you mean "KAPACITOR_INFLUXDB_0_'
        'PASSWORD"?',
        "KAPACITOR_INFLUXDB_0_URLS_1 has no effect: the configuration file has 1 of "
        "KAPACITOR_INFLUXDB_0_URLS_0, KAPACITOR_INFLUXDB_0_URLS_1, …, and a variable "
        "adds none",
        "KAPACITOR_MONITORING_ENABLED has no effect",
    ]


def test_a_variable_that_a_secret_stands_in_is_no_typo(
    printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAPACITOR_ROOM_TOKEN", "5ecret")
    text = 'data_dir = "/x"\n[hipchat]\ntoken = { env = "KAPACITOR_ROOM_TOKEN" }'
    code, out, warnings = printed(text, KAPACITOR_ROOM_TOKEN="5ecret")
    assert (code, warnings) == (0, "")
    assert '  token = { env = "KAPACITOR_ROOM_TOKEN" }' in out


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("htps://x/", 'unsupported protocol scheme "htps": it must be http or https'),
        ("x/y", 'unsupported protocol scheme "": it must be http or https'),
        ("http://x:99999/", "invalid port 99999"),
        ("http://u:p@x:99999/", "invalid port 99999"),
        ("http://x:" + "9" * 5000, "invalid port 999999"),
        ("http:///x", "no host in request URL"),
        ("http://a b/", 'invalid character " " in host name'),
        ("https://x:65535/y", ""),
        ("https://[::1]:8080/y?a=b:99999", ""),
        ("HTTPS://x", ""),
    ],
)
def test_a_url_that_takes_nothing_is_told(
    printed: Printed, url: str, problem: str
) -> None:
    text = f'data_dir = "/x"\n[foo]\nenabled = true\nurl = "{url}"'
    code, _, warnings = printed(text)
    wanted = f"[foo] url: {problem}\n" if problem else ""
    assert (code, warnings.startswith(wanted)) == (0, True)
    assert ("[foo]" in warnings) == bool(problem)
    assert "[foo]" not in printed(text.replace("true", "false"))[2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\r"])
def test_line_ends_do_not_belong_to_secrets(printed: Printed, end: str) -> None:
    text = 'data_dir = "/x"\n[hipchat]\n'
    inline = end.replace("\r", "\\r").replace("\n", "\\n")
    _, out, _ = printed(f'{text}token = "\ufeff5ecret{inline}"', "-show-secrets")
    assert '  token = "5ecret"\n' in out
    code, _, err = printed(text, KAPACITOR_HIPCHAT_TOKEN=f"5ecret{end}x")
    assert code == 1
    char = inline[:2]
    assert err == (
        "config: apply env config: KAPACITOR_HIPCHAT_TOKEN: the secret contains the "
        f'control character "{char}"; a secret is a single line of text\n'
    )
    code, _, err = printed(f'{text}token = "5ecret{inline}x"')
    assert (code, "5ecret" in err) == (1, False)
    assert 'line 3 (last key "hipchat.token"): the secret contains the control' in err


def test_hidden_secrets_are_said_to_be_hidden(printed: Printed) -> None:
    text = 'data_dir = "/x"\n[hipchat]\ntoken = "5ecret"'
    code, out, warnings = printed(text)
    assert (code, "5ecret" in out, "-show-secrets" in warnings) == (0, False, True)
    code, _, err = printed(out)
    assert code == 1
    assert "*** is a placeholder for a secret that is not stored here" in err
    code, out, warnings = printed(text, "-show-secrets")
    assert (code, '  token = "5ecret"\n' in out, warnings) == (0, True, "")


def test_a_printed_configuration_without_secrets_is_one_of_a_server(
    printed: Printed,
) -> None:
    # no default is a secret, such as the community of traps, which is empty
    enabled = 'data_dir = "/x"\n[snmptrap]\nenabled = true\naddr = "h:162"'
    code, out, warnings = printed(enabled)
    assert (code, "***" in out, '  community = ""\n' in out) == (0, False, True)
    assert "-show-secrets" not in warnings
    assert printed(out) == (0, out, warnings)
