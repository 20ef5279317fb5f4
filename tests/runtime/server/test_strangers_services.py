"""Configuration, scripts and handler files that name services, in the forms people use.

The forms are those of public repositories and of the file in Kapacitor's packages.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.server.config.config import Config
from runtime.server.config.environment import apply
from runtime.server.config.file import decode
from runtime.server.config.sections import LoadConfig
from runtime.testing.loopback import Answer, LoopbackServer
from tests.runtime.conftest import Api, StartApi

# as packages install them; all are off
PACKAGED = """\
data_dir = "/var/lib/kapacitor"
[opsgenie]
    # Configure OpsGenie with your API key and default routing key.
    enabled = false
    api-key = ""
    url = "https://api.opsgenie.com/v1/json/alert"
    recovery_url = "https://api.opsgenie.com/v1/json/alert/note"
    global = false
[opsgenie2]
    enabled = false
    api-key = ""
    url = "https://api.opsgenie.com/v2/alerts"
    recovery_action = "notes"
    details = false
    global = false
[pagerduty]
  enabled = false
  service-key = ""
  url = "https://events.pagerduty.com/generic/2010-04-15/create_event.json"
  global = false
[pagerduty2]
  enabled = false
  routing-key = ""
  url = "https://events.pagerduty.com/v2/enqueue"
  global = false
[[slack]]
  enabled = false
  default = true
  workspace = ""
  url = ""
  token = ""
  channel = ""
  global = false
  state-changes-only = false
[telegram]
  enabled = false
  url = "https://api.telegram.org/bot"
  token = ""
  chat-id = ""
  # parse-mode = "Markdown"
  disable-web-page-preview = false
  disable-notification = false
  global = false
  state-changes-only = false
[hipchat]
  enabled = false
  url = "https://subdomain.hipchat.com/v2/room"
  room = ""
  token = ""
  global = false
  state-changes-only = false
[servicenow]
  enabled = false
  url = "https://instance.service-now.com/api/global/em/jsonv2"
  source = "Kapacitor"
[talk]
  enabled = false
  url = "https://jianliao.com/v2/services/webhook/uuid"
  author_name = "Kapacitor"
[teams]
  enabled = false
  channel-url = ""
  global = false
  state-changes-only = false
"""
# every service on, at one endpoint
ALL = """\
[[slack]]
  enabled = true
  default = true
  workspace = "ops"
  url = "{url}/slack"
  channel = "#alerts"
[[slack]]
  enabled = true
  workspace = "dev"
  url = "{url}/dev"
[telegram]
  enabled = true
  url = "{url}/bot"
  token = "1:T"
  chat-id = "-100"
[pagerduty]
  enabled = true
  url = "{url}/pagerduty"
  service-key = "k"
[pagerduty2]
  enabled = true
  url = "{url}/pagerduty2"
  routing-key = "r"
[opsgenie]
  enabled = true
  url = "{url}/opsgenie"
  api-key = "a"
[opsgenie2]
  enabled = true
  url = "{url}/opsgenie2"
  api-key = "a"
  teams = ["SRE"]
[teams]
  enabled = true
  channel-url = "{url}/teams"
[servicenow]
  enabled = true
  url = "{url}/servicenow"
  source = "Kapacitor"
[hipchat]
  enabled = true
  url = "{url}/hipchat"
  room = "ops"
[talk]
  enabled = true
  url = "{url}/talk"
"""
DBRPS = [{"db": "telegraf", "rp": "autogen"}]


class Endpoint(LoopbackServer):
    """Accepts all, as each service does."""

    def answer(self, request: Any) -> Answer:
        """202 for the second API of Opsgenie, which wants that."""
        return Answer(202 if "opsgenie2" in request.path else 200, b'{"ok": true}')


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        yield server


@pytest.fixture
def started(config: Config, start_api: StartApi, endpoint: Endpoint) -> Any:
    """Starts a server with sections and variables; `{url}` is the endpoint's."""

    def start(text: str, environ: Mapping[str, str] = {}, **changes: Any) -> Api:
        loaded = decode(text.replace("{url}", endpoint.url), INTEGRATIONS)
        assert loaded.warnings == ()
        config.handlers = loaded.config.handlers
        named = {
            key: value.replace("{url}", endpoint.url) for key, value in environ.items()
        }
        changed = apply(config, named)
        for name, value in changes.items():
            setattr(changed, name, value)
        changed.validate()
        return start_api(changed)

    return start


def test_the_sections_of_the_packages_have_an_effect(started: Any) -> None:
    assert started(PACKAGED).json("GET", "/config/slack/")["options"]["default"]


@pytest.mark.parametrize(
    ("kind", "text", "environ", "path"),
    [
        # before 1.5: one table; half of the files have it still
        (
            "slack",
            '[slack]\nenabled = true\nurl = "{url}/services/T0/B0/x"\n'
            'channel = "#alerts"\nusername = "kapacitor"\nglobal = true\n'
            "state-changes-only = true\n",
            {},
            "/services/T0/B0/x",
        ),
        (
            "slack",
            '[[slack]]\n  enabled = true\n  default = true\n  workspace = "a.slack.com"\n'
            '  url = "{url}/a"\n  channel = "@me"\n  username = "k"\n'
            '  icon-emoji = ":fire:"\n  global = false\n  ssl-ca = ""\n',
            {},
            "/a",
        ),
        (
            "slack",
            '[[slack]]\nenabled = true\ndefault = true\nworkspace = "a"\n'
            'url = "{url}/a"\n[[slack]]\nenabled = true\nworkspace = "b"\n'
            'url = "{url}/b"\n',
            {},
            "/a",
        ),
        (
            "slack",
            "",
            {"KAPACITOR_SLACK_ENABLED": "true", "KAPACITOR_SLACK_URL": "{url}/env"},
            "/env",
        ),
        (
            "slack",
            "[[slack]]\nenabled = false\n",
            {"KAPACITOR_SLACK_0_ENABLED": "true", "KAPACITOR_SLACK_0_URL": "{url}/0"},
            "/0",
        ),
        (
            "telegram",
            "[telegram]\nenabled = true\nurl = '{url}/bot'\ntoken = 'T'\n"
            "chat-id = '-1'\nparse-mode = 'Markdown'\nglobal = true\n",
            {},
            "/botT/sendMessage",
        ),
        (
            "pagerduty2",
            PACKAGED,
            {
                "KAPACITOR_PAGERDUTY2_ENABLED": "true",
                "KAPACITOR_PAGERDUTY2_URL": "{url}/v2/enqueue",
                "KAPACITOR_PAGERDUTY2_ROUTING_KEY": "r",
            },
            "/v2/enqueue",
        ),
        (
            "pagerduty",
            '[pagerduty]\nenabled = true\nurl = "{url}/p"\nservice-key = "k"\n'
            "global = true\n",
            {},
            "/p",
        ),
        (
            "opsgenie",
            '[opsgenie]\nenabled = true\nurl = "{url}/o"\napi-key = "k"\n'
            'teams = ["ops"]\nrecipients = ["a@example.com"]\n',
            {},
            "/o/",
        ),
        (
            "opsgenie2",
            '[opsgenie2]\nenabled = true\nurl = "{url}/opsgenie2"\napi-key = "k"\n'
            'recovery_action = "close"\ndetails = true\nteams = ["ops"]\n',
            {},
            "/opsgenie2",
        ),
        (
            "teams",
            '[teams]\nenabled = true\nchannel-url = "{url}/webhookb2/x"\n'
            "global = true\nstate-changes-only = true\n",
            {},
            "/webhookb2/x",
        ),
        (
            "servicenow",
            '[servicenow]\nenabled = true\nurl = "{url}/em"\nsource = "Kapacitor"\n'
            'username = "u"\npassword = "p"\n',
            {},
            "/em",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value else "",
)
def test_a_section_in_use_sends(
    started: Any,
    endpoint: Endpoint,
    kind: str,
    text: str,
    environ: dict[str, str],
    path: str,
) -> None:
    api = started(text, environ)
    answer = api.json("POST", f"/service-tests/{kind}", {})
    assert answer == {"success": True, "message": ""}
    assert endpoint.next().path == path


@pytest.mark.parametrize(
    ("handler", "path", "part"),
    [
        (".slack()", "/slack", {"channel": "#alerts", "username": "kapacitor"}),
        (
            ".slack().channel('@jim').username('bot').iconEmoji(':fire:')",
            "/slack",
            {"channel": "@jim", "username": "bot", "icon_emoji": ":fire:"},
        ),
        (".slack().workspace('dev').channel('#x')", "/dev", {"channel": "#x"}),
        # as Chronograf writes it where nothing was chosen
        (".slack().workspace('').channel('')", "/slack", {"channel": "#alerts"}),
        (
            ".telegram().chatId('-5').parseMode('HTML').disableWebPagePreview()"
            ".disableNotification()",
            "/bot1:T/sendMessage",
            {"chat_id": "-5", "parse_mode": "HTML", "disable_notification": True},
        ),
        (".pagerDuty().serviceKey('s')", "/pagerduty", {"service_key": "s"}),
        (".pagerDuty2().routingKey('q')", "/pagerduty2", {"routing_key": "q"}),
        (".pagerDuty2().serviceKey('q')", "/pagerduty2", {"routing_key": "q"}),
        (
            ".pagerDuty2().link('http://h/{{ .TaskName }}').link('http://r', 'book')",
            "/pagerduty2",
            {
                "links": [
                    {"href": "http://h/t", "text": "http://h/t"},
                    {"href": "http://r", "text": "book"},
                ]
            },
        ),
        (
            ".opsGenie().teams('a', 'b').recipients('c')",
            "/opsgenie/",
            {"teams": ["a", "b"], "recipients": ["c"]},
        ),
        (
            ".opsGenie2().teams('a').recipients('u').recoveryAction('close')",
            "/opsgenie2",
            {
                "responders": [
                    {"name": "a", "type": "team"},
                    {"username": "u", "type": "user"},
                ]
            },
        ),
        (
            ".opsGenie2().details()",
            "/opsgenie2",
            {"responders": [{"name": "SRE", "type": "team"}], "description": "why"},
        ),
        (".teams()", "/teams", {"title": "CRITICAL: [cpu]"}),
        (".teams().channelURL('{url}/other')", "/other", {"text": "cpu is CRITICAL"}),
        (
            ".serviceNow().source('s').node('{{ index .Tags \"host\" }}')"
            ".type('CPU').resource('r').metricName('m').messageKey('{{ .ID }}')"
            ".additionalInfo('a', '{{ .Name }}').additionalInfo('n', 666)",
            "/servicenow",
            {
                "records": [
                    {
                        "source": "s",
                        "node": "a",
                        "type": "CPU",
                        "resource": "r",
                        "metric_name": "m",
                        "message_key": "cpu",
                        "severity": "1",
                        "description": "cpu is CRITICAL",
                        "additional_info": '{"a":"cpu","n":"666"}',
                    }
                ]
            },
        ),
        (".hipChat().room('r').token('t')", "/hipchat/r/notification", {}),
        (".talk()", "/talk", {}),
        (".log('/dev/null').stateChangesOnly().slack()", "/slack", {}),
    ],
)
def test_a_script_sends(
    started: Any, endpoint: Endpoint, handler: str, path: str, part: dict[str, Any]
) -> None:
    api = started(ALL)
    script = (
        "stream|from().measurement('cpu').groupBy('host')|alert().id('{{ .Name }}')"
        ".message('{{ .ID }} is {{ .Level }}').details('why')"
        f".crit(lambda: \"usage\" > 90){handler.replace('{url}', endpoint.url)}"
    )
    task = {"id": "t", "dbrps": DBRPS, "script": script, "status": "enabled"}
    api.json("POST", "/tasks", task)
    write = "/write?db=telegraf&rp=autogen"
    assert api.ask("POST", write, "cpu,host=a usage=95 1")[0] == 204
    api.until(lambda: not endpoint.received.empty())
    request = endpoint.next()
    assert request.path == path
    assert {key: request.json[key] for key in part} == part


FILES = {
    "slack": "options:\n  channel: '#alerts'\n  username: bot\n  icon-emoji: ':fire:'",
    "slack-dev": "kind: slack\noptions:\n  workspace: dev\n  channel: '#x'",
    "slack-match": "kind: slack\nmatch: level() == CRITICAL AND \"host\" == 'a'",
    "telegram": "options:\n  chat-id: '-5'\n  disable-notification: true",
    "pagerduty": "options:\n  service-key: s",
    "pagerduty2": "options:\n  routing-key: q\n  links:\n"
    "    - href: 'http://h/{{ .ID }}'\n      text: book\n    - href: http://r",
    "opsgenie": "options:\n  teams-list: [a, b]\n  recipients-list: [c]",
    "opsgenie2": "options:\n  teams-list:\n    - a\n  recovery_action: close",
    "teams": "options:\n  channel-url: '{url}/teams'",
    "servicenow": "options:\n  source: s\n  node: '{{ index .Tags \"host\" }}'\n"
    "  metricname: m\n  additional_info:\n    a: '{{ .ID }}'\n    n: 666",
    "hipchat": "options:\n  room: r",
    "talk": "",
}
PATHS = {
    "slack": "/slack",
    "slack-dev": "/dev",
    "slack-match": "/slack",
    "telegram": "/bot1:T/sendMessage",
    "opsgenie": "/opsgenie/",
    "hipchat": "/hipchat/r/notification",
}


@pytest.mark.parametrize("name", FILES)
def test_a_handler_file_sends(
    started: Any, endpoint: Endpoint, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "load" / "handlers"
    folder.mkdir(parents=True)
    kind = "" if "kind:" in FILES[name] else f"kind: {name}\n"
    own = FILES[name].replace("{url}", endpoint.url)
    (folder / f"{name}.yaml").write_text(f"topic: cpu\nid: {name}\n{kind}{own}\n")
    load = LoadConfig(enabled=True, dir=str(folder.parent))
    api = started(ALL, load=load)
    assert not api.json("GET", "/storage/rejected")["rejected"]
    script = (
        "stream|from().measurement('cpu').groupBy('host')|alert()"
        ".crit(lambda: \"usage\" > 90).topic('cpu')"
    )
    task = {"id": "t", "dbrps": DBRPS, "script": script, "status": "enabled"}
    api.json("POST", "/tasks", task)
    write = "/write?db=telegraf&rp=autogen"
    assert api.ask("POST", write, "cpu,host=a usage=95 1")[0] == 204
    api.until(lambda: not endpoint.received.empty())
    assert endpoint.next().path == PATHS.get(name, f"/{name}")


@pytest.mark.parametrize(
    ("kind", "change", "options", "redacted"),
    [
        (
            "pagerduty2",
            {"routing-key": "secret", "global": True, "enabled": True},
            {
                "enabled": True,
                "global": True,
                "routing-key": True,
                "url": "https://events.pagerduty.com/v2/enqueue",
            },
            ["routing-key"],
        ),
        (
            "opsgenie2",
            {"api-key": "secret", "global": True, "teams": ["t1", "t2"]},
            {
                "api-key": True,
                "details": False,
                "enabled": False,
                "global": True,
                "recipients": None,
                "recovery_action": "notes",
                "teams": ["t1", "t2"],
                "url": "https://api.opsgenie.com/v2/alerts",
            },
            ["api-key"],
        ),
        (
            "teams",
            {
                "global": True,
                "state-changes-only": True,
                "channel-url": "http://teams.example.com/12345",
            },
            {
                "channel-url": "http://teams.example.com/12345",
                "enabled": False,
                "global": True,
                "state-changes-only": True,
            },
            None,
        ),
        (
            "servicenow",
            {"enabled": True, "username": "dev", "password": "secret"},
            {
                "enabled": True,
                "global": False,
                "password": True,
                "source": "",
                "state-changes-only": False,
                "url": "https://instance.service-now.com/api/global/em/jsonv2",
                "username": "dev",
            },
            ["password"],
        ),
    ],
)
def test_a_section_is_changed_over_the_api(
    started: Any,
    kind: str,
    change: dict[str, Any],
    options: dict[str, Any],
    redacted: list[str] | None,
) -> None:
    # Kapacitor's TestServer_UpdateConfig
    api = started("")
    assert api.ask("POST", f"/config/{kind}/", {"set": change})[0] == 204
    tree = api.json("GET", f"/config/{kind}/")
    assert (tree["options"], tree["redacted"]) == (options, redacted)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (
            "pagerduty2",
            {
                "alert_id": "testAlertID",
                "description": "test pagerduty2 message",
                "level": "CRITICAL",
                "timestamp": "2014-11-12T11:45:26.371Z",
                "links": [
                    {"href": "https://example.com/a", "text": "a"},
                    {"href": "https://example.com/b", "text": "b"},
                ],
            },
        ),
        (
            "opsgenie2",
            {
                "teams": None,
                "recipients": None,
                "recovery_action": "notes",
                "message-type": "CRITICAL",
                "message": "test opsgenie message",
                "entity-id": "testEntityID",
            },
        ),
        (
            "teams",
            {
                "channel_url": "",
                "alert_topic": "test kapacitor alert topic",
                "alert_id": "foo/bar/bat",
                "message": "test teams message",
                "level": "CRITICAL",
            },
        ),
        (
            "servicenow",
            {
                "alert_id": "1001",
                "message": "test servicenow message",
                "level": "CRITICAL",
                "source": "Kapacitor",
                "node": "",
                "type": "",
                "resource": "",
                "metric_name": "",
                "message_key": "",
            },
        ),
    ],
)
def test_a_service_test_has_kapacitors_options(
    started: Any, kind: str, options: dict[str, Any]
) -> None:
    api = started("")
    shown = api.json("GET", f"/service-tests/{kind}")["options"]
    assert {key: shown[key] for key in options} == options
    answer = api.json("POST", f"/service-tests/{kind}", {})
    prefix = "failed to prepare API request: " if kind == "opsgenie2" else ""
    assert answer == {"success": False, "message": f"{prefix}service is not enabled"}


def test_a_recovery_is_tested(started: Any, endpoint: Endpoint) -> None:
    api = started(ALL)
    body = {"message-type": "RECOVERY", "recovery_action": "close"}
    answer = api.json("POST", "/service-tests/opsgenie2", body)
    assert answer == {"success": True, "message": ""}
    request = endpoint.next()
    assert request.path == "/opsgenie2/dGVzdEVudGl0eUlE/close"
    assert request.json == {"note": "test opsgenie message"}
