"""Deadmans in a running server, and the `[deadman]` section."""

import asyncio
import dataclasses

import pytest

from runtime.errors import ConfigError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.pipeline.node import DeadmanSettings
from runtime.secrets import Secret
from runtime.server.config.environment import apply
from runtime.server.config.file import decode
from runtime.server.config.text import dump
from runtime.services.hipchat.config import Config as HipChatConfig
from runtime.testing.clock import ManualClock
from runtime.units import SECOND, Duration

DBRP = [{"db": "d", "rp": "r"}]
SECTION = """
[deadman]
  global = true
  threshold = 2.5
  interval = "20s"
  id = "node NODE_NAME of {{ .TaskName }}, group {{ .Group }}"
  message = "{{ .ID }}: {{ index .Fields \\"emitted\\" }} in INTERVAL"
"""
SILENT = {
    "plain": ("stream|from().measurement('nope')", "from1"),
    "grouped": ("stream|from().measurement('nope').groupBy('host')", "from1"),
    "by-all": ("stream|from().measurement('nope').groupBy(*)", "from1"),
    "group-by": ("stream|from().measurement('nope')|groupBy('host')", "groupby2"),
    "batches": (
        "stream|from().measurement('nope')|window().period(5s).every(5s)|mean('v')",
        "mean3",
    ),
    "where": ("stream|from()|where(lambda: FALSE)", "where2"),
    "join": (
        "var a = stream|from().measurement('a') var b = stream|from().measurement('b')"
        " a|join(b).as('a', 'b')",
        "join4",
    ),
    "union": (
        "var a = stream|from().measurement('a') var b = stream|from().measurement('b')"
        " a|union(b)",
        "union4",
    ),
}


@pytest.fixture
def clock():
    return ManualClock(1000 * SECOND)


def define(api, id, script, **more):
    task = {"id": id, "dbrps": DBRP, "status": "enabled", "type": "stream"}
    api.json("POST", "/tasks", task | {"script": script} | more)


def write(api, lines):
    assert api.ask("POST", "/write?db=d&rp=r&precision=s", lines)[0] == 204


def pass_time(api, clock, duration):
    clock.advance(duration)

    async def tick():
        await api.server._compute.run(api.server._master.tick)

    api.run(tick())


def next_of(api, server):
    return api.run(asyncio.to_thread(server.next))


def events(api, topic):
    found = api.json("GET", f"/alerts/topics/{topic}/events")["events"]
    return {each["id"]: each["state"] for each in found}


def test_sources_that_never_sent_anything_are_dead(config, start_api, clock):
    api = start_api(config, clock=clock)
    write(api, "other,host=a v=1 1")
    for id, (script, _) in SILENT.items():
        define(api, id, f"{script}|deadman(1.0, 10s).topic('{id}')")
    define(
        api,
        "stats",
        "stream|from().measurement('nope').groupBy('host')|stats(2s)"
        "|alert().crit(lambda: \"emitted\" < 1).topic('stats')",
    )
    for _ in range(10):
        pass_time(api, clock, 2 * SECOND)
    for id, (_, node) in SILENT.items():
        [(event, state)] = events(api, id).items()
        assert event == f"nil:{node} for task '{id}'"
        assert state["level"] == "CRITICAL"
        assert state["message"] == f"{event} is dead: 0.000 points/10s."
        assert state["time"] == "1970-01-01T00:17:00Z"
    assert events(api, "stats")["stats:nil"]["level"] == "CRITICAL"


def test_a_group_that_appears_is_not_the_one_that_was_none(config, start_api, clock):
    api = start_api(config, clock=clock)
    for id, more in (("plain", ""), ("grouped", ".groupBy('h')")):
        define(
            api,
            id,
            f"stream|from().measurement('m'){more}|deadman(0.0, 10s).topic('{id}')",
        )
    for _ in range(2):
        pass_time(api, clock, 10 * SECOND)
    for time in (1, 2):
        write(api, f"m,h=a v=1 {time}")
        pass_time(api, clock, 10 * SECOND)
    levels = {
        id: {event: state["level"] for event, state in events(api, id).items()}
        for id in ("plain", "grouped")
    }
    assert levels["plain"] == {"nil:from1 for task 'plain'": "OK"}
    assert levels["grouped"]["nil:from1 for task 'grouped'"] == "CRITICAL"


def test_a_deadman_fires_after_a_restart_and_in_tasks_of_templates(
    config, start_api, clock
):
    api = start_api(config, clock=clock)
    script = (
        "var wait = 10s var name = 'nope' stream|from().measurement(name)"
        "|deadman(0.0, wait).topic(name)"
    )
    api.json("POST", "/templates", {"id": "t", "type": "stream", "script": script})
    task = {"id": "x", "template-id": "t", "dbrps": DBRP, "status": "disabled"}
    api.json("POST", "/tasks", task)
    pass_time(api, clock, 30 * SECOND)
    assert api.json("GET", "/alerts/topics")["topics"] == []
    api.json("PATCH", "/tasks/x", {"status": "enabled"})
    api.restart()
    for _ in range(2):
        pass_time(api, clock, 10 * SECOND)
    assert list(events(api, "nope")) == ["nil:from1 for task 'x'"]


def test_a_deadman_of_less_than_a_second_fires_in_time(config, start_api, server):
    api = start_api(config)
    define(api, "t", f"stream|from()|deadman(0.0, 100ms).post('{server.url}')")
    sent = [next_of(api, server).json for _ in range(3)]
    assert {event["message"].split(" is ")[1] for event in sent} == {
        "dead: 0.000 points/100ms."
    }
    # the time is a multiple of the interval
    assert all(len(event["time"].rstrip("Z").partition(".")[2]) < 2 for event in sent)


def test_the_section_has_its_effect(config, start_api, clock, server):
    config.deadman = decode(SECTION, INTEGRATIONS).config.deadman
    config.handlers = INTEGRATIONS.tables(
        hipchat=HipChatConfig(
            enabled=True, url=server.url, room="r", token=Secret("t"), global_=True
        )
    )
    api = start_api(config, clock=clock)
    define(api, "t", "stream|from().measurement('m')|log()")
    write(api, "m v=1 1\nm v=1 1")
    pass_time(api, clock, 20 * SECOND)
    write(api, "m v=1 1\nm v=1 1")
    pass_time(api, clock, 20 * SECOND)
    text = next_of(api, server).text
    assert "node stream0 of t, group nil: 2 in 20s" in text
    assert "stats3 -> derivative4" in api.json("GET", "/tasks/t")["dot"]


def test_the_section_is_read_from_file_and_environment():
    loaded = decode(SECTION, INTEGRATIONS)
    assert loaded.warnings == ()
    assert loaded.config.deadman == DeadmanSettings(
        Duration(20 * SECOND),
        2.5,
        "node NODE_NAME of {{ .TaskName }}, group {{ .Group }}",
        '{{ .ID }}: {{ index .Fields "emitted" }} in INTERVAL',
        is_global=True,
    )
    assert (
        decode(dump(loaded.config), INTEGRATIONS).config.deadman
        == loaded.config.deadman
    )
    environ = {
        "KAPACITOR_DEADMAN_GLOBAL": "false",
        "KAPACITOR_DEADMAN_INTERVAL": "1m",
        "KAPACITOR_DEADMAN_THRESHOLD": "7",
    }
    config = apply(loaded.config, environ)
    found = dataclasses.astuple(config.deadman)
    assert (found[0], found[1], found[4]) == (60 * SECOND, 7.0, False)


@pytest.mark.parametrize("interval", ["0s", "-1s"])
def test_an_interval_that_no_task_could_start_with_is_refused(interval):
    text = f'data_dir = "x"\n[deadman]\ninterval = "{interval}"\nglobal = '
    decode(text + "false", INTEGRATIONS).config.validate()
    with pytest.raises(ConfigError, match=r"^deadman: interval must be"):
        decode(text + "true", INTEGRATIONS).config.validate()
