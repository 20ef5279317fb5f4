"""Nodes that need more than points, in a running server: time, endpoints, a way back."""

import asyncio

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.nodes.alert.node import AlertNode
from runtime.services.httppost.config import Config as Endpoint
from runtime.testing.clock import ManualClock
from runtime.units import SECOND

DBRP = [{"db": "d", "rp": "r"}]


@pytest.fixture
def clock():
    return ManualClock(1000 * SECOND)


@pytest.fixture
def api(start_api, config, clock, server):
    config.handlers = INTEGRATIONS.tables(
        httppost=(Endpoint("e", server.url + "/{{.Name}}", row_template="{{.Tags.h}}"),)
    )
    return start_api(config, clock=clock)


def define(api, script, id="t", dbrps=None):
    task = {"id": id, "dbrps": dbrps or DBRP, "script": script, "status": "enabled"}
    api.json("POST", "/tasks", task)


def write(api, lines, db="d", rp="r"):
    assert api.ask("POST", f"/write?db={db}&rp={rp}&precision=s", lines)[0] == 204


def next_of(api, server):
    """The next request, while the server's loop runs."""
    return api.run(asyncio.to_thread(server.next))


def pass_time(api, clock, duration):
    """Let time go by, and the nodes notice."""
    clock.advance(duration)
    server = api.server

    async def tick():
        await server._compute.run(server._master.tick)

    api.run(tick())


def test_a_deadman_tells_its_handlers_who_is_dead_and_who_lives_again(
    api, clock, server
):
    define(
        api,
        "stream|from().measurement('m').groupBy('h')"
        f"|deadman(0.0, 10s).stateChangesOnly().post('{server.url}')",
    )
    write(api, "m,h=a v=1 1\nm,h=b v=1 1")
    pass_time(api, clock, 10 * SECOND)  # counts; there is no rate yet
    write(api, "m,h=b v=1 2")
    pass_time(api, clock, 10 * SECOND)
    event = next_of(api, server).json
    assert (event["id"], event["level"]) == ("h=a:from1 for task 't'", "CRITICAL")
    assert event["message"] == ("h=a:from1 for task 't' is dead: 0.000 points/10s.")
    assert event["time"] == "1970-01-01T00:17:00Z"
    write(api, "m,h=a v=1 3\nm,h=a v=1 4\nm,h=b v=1 4")
    pass_time(api, clock, 10 * SECOND)
    event = next_of(api, server).json
    assert (event["level"], event["previousLevel"]) == ("OK", "CRITICAL")
    assert event["message"].endswith(" is alive: 2.000 points/10s.")
    assert server.received.empty()


def test_statistics_are_points_like_others(api, clock, server):
    define(
        api,
        "stream|from().measurement('m').groupBy('h')|stats(100ms).align()"
        "|httpPost().endpoint('e')|httpOut('x')",
    )
    write(api, "m,h=a v=1 1\nm,h=a v=1 2")
    pass_time(api, clock, SECOND)
    request = next_of(api, server)
    assert (request.path, request.text) == ("/stats", "a")
    [series] = api.json("GET", "/tasks/t/x")["series"]
    assert series == {
        "name": "stats",
        "tags": {"h": "a"},
        "columns": ["time", "emitted"],
        "values": [["1970-01-01T00:16:41Z", 2]],
    }


def test_points_go_on_to_alerts_when_their_post_is_answered(api, server):
    server.status = 503
    define(
        api,
        f"stream|from().measurement('m')|httpPost('{server.url}/row').codeField('code')"
        '|alert().crit(lambda: "code" != 200).message(\'{{ index .Fields "code" }}\')'
        f".post('{server.url}/alert')",
    )
    write(api, "m v=1 1")
    assert next_of(api, server).path == "/row"
    request = next_of(api, server)
    assert (request.path, request.json["message"]) == ("/alert", "503")
    stats = api.json("GET", "/tasks/t")["stats"]["node-stats"]
    assert stats["http_post2"]["errors"] == 1
    assert stats["alert3"]["crits_triggered"] == 1


def test_a_task_that_fails_after_a_post_stops(api, server, monkeypatch):
    monkeypatch.setattr(AlertNode, "point", lambda node, point: node.fail("a reason"))
    define(
        api,
        f"stream|from()|httpPost('{server.url}').codeField('code')"
        "|alert().crit(lambda: TRUE).topic('t')",
    )
    write(api, "m v=1 1")
    next_of(api, server)

    async def stopped():
        async with asyncio.timeout(10):
            while api.server._master.get("t") is not None:
                await asyncio.sleep(0.005)

    api.run(stopped())
    assert api.json("GET", "/tasks/t")["error"] == "alert3: a reason"


def test_an_endpoint_that_hangs_holds_up_neither_writes_nor_alerts(api, server):
    server.hang = True
    define(
        api,
        f"stream|from()|httpPost('{server.url}').timeout(100ms)"
        "|alert().crit(lambda: TRUE).topic('t')",
    )
    write(api, "m v=1 1\nm v=2 2")
    topic = api.json("GET", "/alerts/topics/t")
    assert (topic["level"], topic["collected"]) == ("CRITICAL", 2)


def test_what_a_task_writes_back_is_kept_with_the_write(api):
    define(
        api,
        "stream|from().measurement('m')"
        "|kapacitorLoopback().database('e').retentionPolicy('s').measurement('n')",
    )
    define(
        api,
        "stream|from().measurement('n')|alert().crit(lambda: TRUE).topic('t')",
        id="u",
        dbrps=[{"db": "e", "rp": "s"}],
    )
    write(api, "m v=1 1")
    assert api.json("GET", "/alerts/topics/t")["level"] == "CRITICAL"
    api.restart()
    assert api.json("GET", "/alerts/topics/t")["level"] == "CRITICAL"


@pytest.mark.parametrize("end", ["recovers", "stops"])
def test_what_is_inhibited_is_told_when_that_ends(api, end):
    loud = (
        "stream|from().measurement('m').groupBy('h')"
        "|alert().crit(lambda: \"v\" > 5).inhibit('c', 'h')"
    )
    quiet = (
        "stream|from().measurement('n').groupBy('h')|alert().id('{{ .Tags.h }}')"
        ".crit(lambda: \"v\" > 5).category('c').topic('quiet')"
    )
    dbrps = [{"db": "d", "rp": "r"}]
    for id, script in (("loud", loud), ("quiet", quiet)):
        task = {"id": id, "script": script, "dbrps": dbrps, "status": "enabled"}
        api.json("POST", "/tasks", task)
    api.json("POST", "/write?db=d&rp=r", b"m,h=a v=9 1000000000\nn,h=a v=9 2000000000")
    assert api.ask("GET", "/alerts/topics/quiet")[0] == 404
    if end == "recovers":
        api.json("POST", "/write?db=d&rp=r", b"m,h=a v=1 3000000000")
    else:
        api.json("PATCH", "/tasks/loud", {"status": "disabled"})
    state = api.json("GET", "/alerts/topics/quiet/events/a")["state"]
    assert (state["level"], state["time"]) == ("CRITICAL", "1970-01-01T00:00:02Z")
