"""A service with several sections in a server: `[[slack]]`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import ConfigError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.outbound.client import AiohttpClient
from runtime.secrets import Secret
from runtime.server.config.config import Config
from runtime.server.config.environment import apply, doubtful_names
from runtime.server.config.file import decode
from runtime.services.slack.config import Config as Section
from runtime.services.slack.handler import HandlerConfig
from runtime.testing.events import changed_event, sample_event
from runtime.testing.loopback import LoopbackServer
from tests.runtime.conftest import Api, StartApi

# as in the file that Kapacitor's packages install
SAMPLE = """\
[[slack]]
  # Configure Slack.
  enabled = false
  # identify one of the slack configurations as the default
  default = true
  # workspace ID
  workspace = ""
  url = ""
  token = ""
  # Default channel for messages
  channel = ""
  # If true all the alerts will be sent to Slack
  # without explicitly marking them in the TICKscript.
  global = false
  # Only applies if global is true.
  state-changes-only = false
"""


@pytest.fixture
def started(config: Config, start_api: StartApi) -> Any:
    """Starts a server with the sections of a configuration file."""

    def start(text: str) -> Api:
        config.handlers = decode(text, INTEGRATIONS).config.handlers
        config.validate()
        return start_api(config)

    return start


def sections(text: str) -> Any:
    return decode(f"data_dir = '/d'\n{text}", INTEGRATIONS).config.handlers["slack"]


def refused(text: str) -> str:
    config = decode(f"data_dir = '/d'\n{text}", INTEGRATIONS).config
    with pytest.raises(ConfigError) as caught:
        config.validate()
    return str(caught.value)


def test_kapacitors_own_file_starts(started: Any) -> None:
    api = started(SAMPLE)
    tree = api.json("GET", "/config/slack/")
    assert tree["options"] == {
        "channel": "",
        "default": True,
        "enabled": False,
        "global": False,
        "icon-emoji": "",
        "insecure-skip-verify": False,
        "ssl-ca": "",
        "ssl-cert": "",
        "ssl-key": "",
        "state-changes-only": False,
        "token": False,
        "url": False,
        "username": "kapacitor",
        "workspace": "",
    }
    assert tree["redacted"] == ["url", "token"]


def test_one_table_and_a_list_are_the_same() -> None:
    body = "\n  enabled = true\n  channel = '#a'\n"
    assert sections(f"[slack]{body}") == sections(f"[[slack]]{body}")


def test_a_file_without_slack_has_a_default_section(started: Any) -> None:
    api = started("")
    assert api.json("GET", "/config/slack/")["options"]["default"] is True
    answer = api.json("POST", "/service-tests/slack", {})
    assert answer == {"success": False, "message": "service is not enabled"}


def test_variables_have_the_index_of_the_section() -> None:
    environ = {
        "KAPACITOR_SLACK_0_URL": "http://a",
        "KAPACITOR_SLACK_0_ENABLED": "true",
        "KAPACITOR_SLACK_1_CHANNEL": "#b",
    }
    config = Config(handlers={"slack": sections("[[slack]]\n[[slack]]\n")})
    first, second = apply(config, environ).handlers["slack"]
    assert (first.url.reveal(), first.enabled, second.channel) == (
        "http://a",
        True,
        "#b",
    )
    # also where the file has none
    [only] = apply(Config(handlers=INTEGRATIONS.tables()), environ).handlers["slack"]
    assert only.enabled


def test_variables_of_a_lone_section_need_no_index() -> None:
    environ = {"KAPACITOR_SLACK_CHANNEL": "#c"}
    lone = Config(handlers={"slack": sections("[[slack]]\nusername = 'u'\n")})
    [only] = apply(lone, environ).handlers["slack"]
    assert (only.channel, only.username) == ("#c", "u")
    two = Config(handlers={"slack": sections("[[slack]]\n[[slack]]\n")})
    assert [each.channel for each in apply(two, environ).handlers["slack"]] == ["", ""]
    [doubt] = doubtful_names(two, environ)
    assert doubt.startswith("KAPACITOR_SLACK_CHANNEL has no effect")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[slack]]\ndefault = true\n[[slack]]\n", "slack: id must not be empty"),
        (
            "[[slack]]\nworkspace = 'a'\n[[slack]]\nworkspace = 'b'\n",
            "slack: at least one Slack config must be set as default",
        ),
        (
            "[[slack]]\nworkspace = 'a'\ndefault = true\n"
            "[[slack]]\nworkspace = 'b'\nglobal = true\n",
            "slack: only the default config may be assigned as global",
        ),
        ("[slack]\nenabled = true\n", "slack: must specify url"),
        (
            "[slack]\nurl = 'http://[::1'\n",
            'slack: invalid url "http://***": parse "http://***": missing \']\' in host',
        ),
    ],
)
def test_kapacitors_rules_hold(text: str, problem: str) -> None:
    found = refused(text)
    assert found.startswith(problem.partition('"http')[0])


def test_a_missing_file_keeps_the_server_from_starting(
    config: Config, start_api: StartApi
) -> None:
    text = "[slack]\nenabled = true\nurl = 'http://a'\nssl-ca = '/no/ca.pem'\n"
    config.handlers = decode(text, INTEGRATIONS).config.handlers
    with pytest.raises(ConfigError) as caught:
        start_api(config)
    assert str(caught.value) == (
        "slack: Could not load TLS CA: open /no/ca.pem: "
        "no such file or directory (ssl-ca)"
    )


DEFAULT = """\
[[slack]]
  enabled = true
  default = true
  global = true
  channel = "#general"
  url = "http://slack.example.com/secret-token"
"""


def test_sections_are_added_changed_and_removed(started: Any) -> None:
    # Kapacitor's TestServer_UpdateConfig
    api = started(DEFAULT)
    private = {
        "workspace": "company_private",
        "enabled": True,
        "channel": "#private",
        "url": "http://slack.example.com/private",
        "token": "my_other_secret",
    }
    assert api.ask("POST", "/config/slack", {"add": private})[0] == 204
    public = {
        "workspace": "company_public",
        "enabled": True,
        "url": "http://slack.example.com/public",
    }
    assert api.ask("POST", "/config/slack", {"add": public})[0] == 204
    tree = api.json("GET", "/config/slack")
    shown = {
        each["options"]["workspace"]: each["options"]["token"]
        for each in tree["elements"]
    }
    assert shown == {"": False, "company_private": True, "company_public": False}
    change = {"set": {"enabled": False, "username": "testbot"}}
    assert api.ask("POST", "/config/slack/company_private", change)[0] == 204
    options = api.json("GET", "/config/slack/company_private")["options"]
    assert (options["enabled"], options["username"]) == (False, "testbot")
    removed = {"remove": ["company_private"]}
    assert api.ask("POST", "/config/slack", removed)[0] == 204
    status, text = api.ask("GET", "/config/slack/company_private")
    assert (status, text) == (404, "unknown section/element: slack/company_private")


@pytest.mark.parametrize(
    ("element", "change", "problem"),
    [
        ("b", {"global": True}, "only the default config may be assigned as global"),
        ("", {"default": False}, "only the default config may be assigned as global"),
        (
            "",
            {"default": False, "global": False},
            "at least one Slack config must be set as default",
        ),
        (
            "b",
            {"ssl-cert": "/no/cert.pem"},
            "Must provide both key and cert files: only cert file provided.",
        ),
        (
            "b",
            {"ssl-ca": "/no/ca.pem"},
            "Could not load TLS CA: open /no/ca.pem: "
            "no such file or directory (ssl-ca)",
        ),
    ],
)
def test_a_change_that_breaks_a_rule_is_refused(
    started: Any, element: str, change: dict[str, Any], problem: str
) -> None:
    api = started(DEFAULT)
    other = {"workspace": "b", "enabled": True, "url": "http://b"}
    assert api.ask("POST", "/config/slack", {"add": other})[0] == 204
    before = api.json("GET", "/config/slack")
    expected = f"failed to update configuration slack/{element}: {problem}"
    answer = api.ask("POST", f"/config/slack/{element}", {"set": change})
    assert answer == (500, expected)
    assert api.json("GET", "/config/slack") == before


def test_added_sections_outlive_the_server(started: Any) -> None:
    api = started(DEFAULT)
    added = {"workspace": "b", "enabled": True, "url": "http://b"}
    assert api.ask("POST", "/config/slack", {"add": added})[0] == 204
    api.restart()
    assert api.json("GET", "/config/slack/b")["options"]["enabled"] is True


def test_the_service_test_has_the_workspace(started: Any) -> None:
    with LoopbackServer() as server:
        private = f'[[slack]]\nenabled=true\nworkspace="b"\nurl="{server.url}/b"\n'
        api = started(DEFAULT.replace("enabled", 'workspace = "a"\nenabled') + private)
        assert api.json("GET", "/service-tests/slack")["options"] == {
            "workspace": "a",
            "channel": "#general",
            "message": "test slack message",
            "level": "CRITICAL",
            "username": "",
            "icon-emoji": "",
        }
        answer = api.json("POST", "/service-tests/slack", {"workspace": "b"})
        assert answer == {"success": True, "message": ""}
        assert server.next().path == "/b"
        answer = api.json("POST", "/service-tests/slack", {"workspace": "c"})
        assert answer == {"success": False, "message": "workspace id not found"}


def attachment(message: str, color: str) -> dict[str, Any]:
    return {
        "fallback": message,
        "color": color,
        "text": message,
        "mrkdwn_in": ["text"],
    }


def test_kapacitors_goldens() -> None:
    # TestStream_Alert: two workspaces, two handlers
    message = "kapacitor/cpu/serverA is CRITICAL"
    event = changed_event(sample_event(), {"message": message})
    with LoopbackServer() as server:
        configs = (
            Section(
                enabled=True,
                default=True,
                url=Secret(f"{server.url}/test/slack/url"),
                channel="#channel",
            ),
            Section(
                enabled=True,
                workspace="company_private",
                url=Secret(f"{server.url}/test/slack/url2"),
                token=Secret("my_secret_token"),
                channel="#channel",
            ),
        )
        chosen = HandlerConfig(workspace="company_private", channel="#alerts")

        async def send() -> None:
            client = AiohttpClient()
            service = INTEGRATIONS.started({"slack": configs}, client)["slack"]
            for each in (HandlerConfig(channel="@jim"), chosen):
                await service.handler(each).handle(event)
            await client.close()

        asyncio.run(send())
        first, second = server.next(), server.next()
    expected = {
        "attachments": [attachment(message, "danger")],
        "icon_emoji": "",
        "text": "",
        "username": "kapacitor",
    }
    assert (first.path, first.json) == (
        "/test/slack/url",
        {**expected, "channel": "@jim"},
    )
    assert "Authorization" not in first.headers
    assert (second.path, second.json) == (
        "/test/slack/url2",
        {**expected, "channel": "#alerts"},
    )
    assert second.headers["Authorization"] == "Bearer my_secret_token"


@pytest.mark.parametrize(
    ("level", "color"),
    [("OK", "good"), ("INFO", "good"), ("WARNING", "warning"), ("CRITICAL", "danger")],
)
def test_kapacitors_levels(level: str, color: str) -> None:
    config = Section(enabled=True, url=Secret("http://a"))
    service: Any = INTEGRATIONS.started({"slack": (config,)}, AiohttpClient())["slack"]
    event = changed_event(sample_event(), {"level": level})
    request = service.request(config, HandlerConfig(), event)
    assert json.loads(request.body)["attachments"][0]["color"] == color


def test_a_global_default_gives_every_alert_a_handler(started: Any) -> None:
    script = "stream|from().measurement('cpu')|alert().crit(lambda: \"v\" > 1)"
    with LoopbackServer() as server:
        text = DEFAULT.replace("http://slack.example.com", server.url)
        api = started(text)
        task = {
            "id": "t",
            "dbrps": [{"db": "d", "rp": "r"}],
            "script": script,
            "status": "enabled",
        }
        api.json("POST", "/tasks", task)
        assert api.ask("POST", "/write?db=d&rp=r", "cpu v=2 1")[0] == 204
        api.until(lambda: not server.received.empty())
        assert server.next().json["channel"] == "#general"


def test_the_file_can_be_printed_and_read_again(tmp_path: Path) -> None:
    from runtime.server.config.text import dump

    second = '[[slack]]\nworkspace = "b"\nenabled = true\nurl = "http://b"\n'
    first = DEFAULT.replace("enabled", 'workspace = "a"\nenabled')
    config = decode(f"data_dir = '/d'\n{first}{second}", INTEGRATIONS).config
    config.validate()
    again = decode(dump(config, reveal=True), INTEGRATIONS).config
    assert again.handlers["slack"] == config.handlers["slack"]
