"""The two documents the product came from, run as a reader would run them.

Every TICKscript, configuration block, handler file and command of Kapacitor's HipChat
page and of its guide to writing handlers (the Foo example) against a real server and a
recording chat server.
"""

from __future__ import annotations

import json

import pytest

from runtime.testing.loopback import LoopbackServer

HIPCHAT_SCRIPT = """\
stream
  |from()
    .measurement('cpu')
  |alert()
    .crit(lambda: "usage_idle" < 10)
    .stateChangesOnly()
    .message('Hey, check your CPU')
    .hipchat()
      .room('alerts')
"""
TOPIC_SCRIPT = """\
stream
  |from()
    .measurement('cpu')
  |alert()
    .crit(lambda: "usage_idle" < 10)
    .stateChangesOnly()
    .message('Hey, check your CPU')
    .topic('cpu')
"""
HANDLER_FILE = """\
id: hipchat-cpu-alert
topic: cpu
kind: hipchat
options:
  room: 'alerts'
"""
OPTIONS_HANDLER_FILE = """\
topic: topic-name
id: handler-id
kind: hipchat
options:
  room: 'alerts'
  token: 'mysupersecretauthtoken'
"""
WALK_THROUGH = """\
cpu,host=a usage_idle=50 1000000000
cpu,host=a usage_idle=5 2000000000
cpu,host=a usage_idle=4 3000000000
cpu,host=a usage_idle=40 4000000000
cpu,host=b usage_idle=3 5000000000"""
TIMEOUT_S = 10.0


def hipchat_section(sink: LoopbackServer) -> str:
    return f"""\
[hipchat]
  enabled = true
  url = "{sink.url}/v2/room"
  room = "malerts"
  token = "tokentokentokentokentoken"
  global = false
  state-changes-only = true
"""


def foo_section(sink: LoopbackServer) -> str:
    return f'[foo]\n  enabled = true\n  url = "{sink.url}/foo"\n  room = "lobby"\n'


def check_walk_through(sink: LoopbackServer) -> None:
    """The five points give exactly the three requests of the HipChat page."""
    found = [sink.next(TIMEOUT_S) for _ in range(3)]
    assert [each.body for each in found] == [
        b'{"color":"%s","from":"kapacitor","message":"Hey, check your CPU","notify":true}\n'
        % color
        for color in (b"red", b"green", b"red")
    ]
    for each in found:
        assert (each.method, each.path) == ("POST", "/v2/room/alerts/notification")
        assert each.raw_query == "auth_token=tokentokentokentokentoken"
        assert each.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("property_name", ["hipchat", "hipChat"])
def test_hipchat_from_a_tickscript(start_kapacitord, sink, property_name) -> None:
    server = start_kapacitord(hipchat_section(sink))
    script = HIPCHAT_SCRIPT.replace("hipchat", property_name)
    (server.directory / "hipchat-cpu-alert.tick").write_text(script)
    server.cli(
        "define", "hipchat-cpu-alert", "-tick", "hipchat-cpu-alert.tick",
        "-type", "stream", "-dbrp", "telegraf.autogen",
    )  # fmt: skip
    server.cli("enable", "hipchat-cpu-alert")
    server.write(WALK_THROUGH)
    check_walk_through(sink)
    topic = server.json("GET", "/alerts/topics/main:hipchat-cpu-alert:alert2")
    assert (topic["level"], topic["collected"]) == ("CRITICAL", 3)
    events = server.json("GET", f"/alerts/topics/{topic['id']}/events")["events"]
    assert [event["id"] for event in events] == ["cpu:nil"]


def test_hipchat_from_a_topic_handler(start_kapacitord, sink) -> None:
    server = start_kapacitord(hipchat_section(sink))
    (server.directory / "cpu_alert.tick").write_text(TOPIC_SCRIPT)
    (server.directory / "hipchat_cpu_handler.yaml").write_text(HANDLER_FILE)
    # the page leaves out -dbrp, which Kapacitor demands; the script says it here
    define = ("define", "cpu_alert", "-tick", "cpu_alert.tick")
    assert "must specify dbrp" in server.cli(*define, code=3)
    server.cli(*define, "-dbrp", "telegraf.autogen")
    server.cli("enable", "cpu_alert")
    server.cli("define-topic-handler", "hipchat_cpu_handler.yaml")
    server.write(WALK_THROUGH)
    check_walk_through(sink)
    shown = server.cli("show-topic-handler", "cpu", "hipchat-cpu-alert")
    assert shown == (
        "ID: hipchat-cpu-alert\nTopic: cpu\nKind: hipchat\nMatch: \n"
        'Options: {"room":"alerts"}\n'
    )


def test_the_options_of_a_handler_file_win_over_the_configuration(
    start_kapacitord, sink
) -> None:
    server = start_kapacitord(hipchat_section(sink))
    (server.directory / "handler.yaml").write_text(OPTIONS_HANDLER_FILE)
    server.cli("define-topic-handler", "handler.yaml")
    script = TOPIC_SCRIPT.replace("topic('cpu')", "topic('topic-name')")
    (server.directory / "t.tick").write_text(script)
    server.cli("define", "t", "-tick", "t.tick", "-dbrp", "telegraf.autogen")
    server.cli("enable", "t")
    server.write("cpu usage_idle=5 1")
    request = sink.next(TIMEOUT_S)
    assert request.path == "/v2/room/alerts/notification"
    assert request.raw_query == "auth_token=mysupersecretauthtoken"


def test_an_option_left_empty_is_the_configured_one(start_kapacitord, sink) -> None:
    server = start_kapacitord(hipchat_section(sink))
    script = HIPCHAT_SCRIPT.replace(".room('alerts')", "")
    (server.directory / "t.tick").write_text(script)
    server.cli("define", "t", "-tick", "t.tick", "-dbrp", "telegraf.autogen")
    server.cli("enable", "t")
    server.write("cpu usage_idle=5 1")
    assert sink.next(TIMEOUT_S).path == "/v2/room/malerts/notification"


def test_foo_from_a_tickscript_and_from_the_api(start_kapacitord, sink) -> None:
    server = start_kapacitord(foo_section(sink))
    script = HIPCHAT_SCRIPT.replace(".hipchat()", ".foo()")
    (server.directory / "foo.tick").write_text(script)
    server.cli("define", "foo_task", "-tick", "foo.tick", "-dbrp", "telegraf.autogen")
    server.cli("enable", "foo_task")
    server.write("cpu usage_idle=5 1")
    request = sink.next(TIMEOUT_S)
    assert (request.method, request.path) == ("POST", "/foo")
    assert request.body == b'{"room":"alerts","message":"Hey, check your CPU"}'

    handler = {"id": "to-foo", "kind": "foo", "options": {}}
    server.json("POST", "/alerts/topics/cpu/handlers", handler)
    (server.directory / "topic.tick").write_text(TOPIC_SCRIPT)
    server.cli("define", "topic", "-tick", "topic.tick", "-dbrp", "telegraf.autogen")
    server.cli("enable", "topic")
    server.cli("disable", "foo_task")
    server.write("cpu usage_idle=4 2")
    assert json.loads(sink.next(TIMEOUT_S).body)["room"] == "lobby"


def test_both_services_can_be_tested_and_configured(start_kapacitord, sink) -> None:
    server = start_kapacitord()
    disabled = {"success": False, "message": "service is not enabled"}
    assert server.json("POST", "/service-tests/foo", {}) == disabled

    server.json(
        "POST", "/config/foo/", {"set": {"enabled": True, "url": f"{sink.url}/f"}}
    )
    options = server.json("GET", "/service-tests/foo")["options"]
    assert options == {"room": "", "message": "test foo message"}
    assert server.json("POST", "/service-tests/foo", {"room": "r"})["success"] is True
    assert sink.next(TIMEOUT_S).body == b'{"room":"r","message":"test foo message"}'

    settings = {
        "enabled": True,
        "url": f"{sink.url}/v2/room",
        "token": "t",
        "room": "x",
    }
    server.json("POST", "/config/hipchat/", {"set": settings})
    assert server.cli("service-tests", "hipchat").splitlines()[1].split() == [
        "hipchat",
        "true",
    ]
    request = sink.next(TIMEOUT_S)
    assert (request.path, request.raw_query) == (
        "/v2/room/x/notification",
        "auth_token=t",
    )
    shown = server.json("GET", "/config/hipchat/")
    assert (shown["options"]["token"], shown["redacted"]) == (True, ["token"])

    server.stop()
    server.start()
    assert server.json("GET", "/config/foo/")["options"]["enabled"] is True
    refused = server.call("POST", "/kapacitor/v1/config/foo/", {"set": {"url": ""}})
    assert refused[0] == 400
    assert "failed validation: must specify the Foo server URL" in refused[1]
