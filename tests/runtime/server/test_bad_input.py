"""Invalid points and events are refused or reported; everything else continues."""

import asyncio
import json
import time

import pytest

from runtime.lazy import with_given
from runtime.services.httpd.messages import Request
from runtime.testing.loopback import LoopbackServer

DBRP = [{"db": "d", "rp": "r"}]
ALERT = "|alert().crit(lambda: \"v\" > 5).stateChangesOnly().topic('x')"


def define(api, script, id="t"):
    task = {"id": id, "dbrps": DBRP, "script": script, "status": "enabled"}
    api.json("POST", "/tasks", task)


def write(api, lines, query="db=d&rp=r"):
    answer = api.answer("POST", f"/write?{query}", lines)
    return answer.status, answer.body.decode()


def rows(api, task="t", page="out"):
    found = api.json("GET", f"/tasks/{task}/{page}")["series"] or []
    return [row["values"][-1] for row in found]


def collected(api, task):
    stats = api.json("GET", f"/tasks/{task}")["stats"]["node-stats"]
    return stats["stream0"]["collected"]


def test_a_bad_line_among_a_thousand_refuses_the_write_and_is_named(api):
    define(api, "stream|from()|httpOut('out')")
    good = [f"m v=1 {number}" for number in range(1000)]
    lines = "\n".join([*good[:500], "m v=x 5", *good[500:]])
    assert write(api, lines) == (400, "unable to parse 'm v=x 5': invalid boolean\n")
    assert collected(api, "t") == 0
    assert write(api, "\n".join(good)) == (204, "")
    assert collected(api, "t") == 1000


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("m v=1 1\r\nm v=1 2\r\n", "bad timestamp"),
        ("m v=1\r\n", "invalid number"),
        ("m v=1 1\n\r\n", "missing fields"),
        ("m,h= v=1 1", "missing tag value"),
        ("m,h=a,h=b v=1 1", "duplicate tags"),
        ("m v=NaN 1", "invalid number"),
        ("m v=1u 1", "invalid number"),
        ("m v=9223372036854775808i 1", "value out of range"),
        ("m v=1 9223372036854775807", "time outside range"),
        ("m v=1 99999999999999999999", "value out of range"),
    ],
)
def test_lines_that_are_none_are_refused_with_the_reason(api, lines, told):
    status, text = write(api, lines)
    assert (status, told in text) == (400, True)


@pytest.mark.parametrize(
    ("lines", "query", "point"),
    [
        ("m v=1 -5", "", ["1969-12-31T23:59:59.999999995Z", 1]),
        ("m v=1 9223372036854775806", "", ["2262-04-11T23:47:16.854775806Z", 1]),
        ("m v=1 1", "&precision=nonsense", ["1970-01-01T00:00:00.000000001Z", 1]),
        ("# a comment\nm v=1 1", "", ["1970-01-01T00:00:00.000000001Z", 1]),
        ('m v="a\r\nb" 1', "", ["1970-01-01T00:00:00.000000001Z", "a\r\nb"]),
        # a mark of the order of bytes is a part of the name, as in Kapacitor
        ("\ufeffm v=1 1", "", ["1970-01-01T00:00:00.000000001Z", 1]),
        ("m v=1 1" + " " * 60_000, "", ["1970-01-01T00:00:00.000000001Z", 1]),
    ],
)
def test_odd_lines_are_points(api, lines, query, point):
    define(api, "stream|from()|httpOut('out')")
    assert write(api, lines, f"db=d&rp=r{query}") == (204, "")
    assert rows(api) == [point]


def test_points_out_of_order_and_twice_recover_nothing_by_themselves(api):
    define(api, f"stream|from(){ALERT}")
    events = "/alerts/topics/x/events/m:nil"
    for line in ("m v=9 100", "m v=9 100", "m v=9 50", "m v=8 -100", "m v=9 100"):
        assert write(api, line)[0] == 204
        assert api.json("GET", events)["state"]["level"] == "CRITICAL"
    # the newest point is the one that came last, whatever its time
    state = api.json("GET", events)["state"]
    assert state["time"] == "1970-01-01T00:00:00.0000001Z"
    assert api.json("GET", "/alerts/topics/x")["collected"] == 1
    assert write(api, "m v=1 10")[0] == 204
    state = api.json("GET", events)["state"]
    assert (state["level"], state["duration"]) == ("OK", "-90ns")


def test_the_same_writes_give_the_same_events(api):
    lines = ["m v=9 3\nm v=1 1\nm v=9 2", "m v=1 2", "m v=9 2\nm v=9 2"]
    topics = []
    for topic in ("a", "b"):
        define(api, f"stream|from(){ALERT.replace('x', topic)}", id=topic)
    for each in lines:
        write(api, each)
    for topic in ("a", "b"):
        shown = api.json("GET", f"/alerts/topics/{topic}")
        state = api.json("GET", f"/alerts/topics/{topic}/events/m:nil")["state"]
        del state["details"]  # they name the task
        topics.append((shown["collected"], state))
    assert topics[0] == topics[1]
    assert topics[0][0] == 5


@pytest.mark.parametrize(
    "properties",
    [
        ".message('{{ if gt (index .Fields `v`) 5 }}x{{ end }}')",
        ".message('{{ range 1000000000 }}xxxxxxxxxx{{ end }}')",
        ".details('{{ range 1000000000 }}xxxxxxxxxx{{ end }}')",
        ".id('{{ index .Tags `nope` }}')",
        ".id('{{ slice .Name 9 }}')",
        ".message('{{ range 60000 }}0123456789{{ end }}')",
    ],
)
def test_an_alert_is_told_whatever_its_texts_are(config, start_api, properties):
    with LoopbackServer() as chat:
        foo = type(config.handlers["foo"])(enabled=True, url=chat.url)
        config.handlers = with_given(config.handlers, {"foo": foo})
        api = start_api(config)
        alert = f'stream|from()|alert().crit(lambda: "v" > 5){properties}.foo()'
        define(api, alert)
        assert write(api, "m v=9 1\nm v=10 2")[0] == 204
        told = [api.run(asyncio.to_thread(chat.next)) for _ in range(2)]
        assert all(json.loads(each.body)["message"] for each in told)
        assert api.json("GET", "/tasks/t")["executing"]
        assert write(api, "m v=9 3")[0] == 204


def test_groups_may_share_an_id(api):
    define(
        api,
        "stream|from().groupBy('h')"
        "|alert().id('same').crit(lambda: \"v\" > 5).topic('x')",
    )
    assert write(api, "m,h=a v=9 1\nm,h=b v=9 2\nm,h=a v=1 3")[0] == 204
    [event] = api.json("GET", "/alerts/topics/x/events")["events"]
    assert (event["id"], event["state"]["level"]) == ("same", "OK")
    # of two groups with one id the last to speak counts
    assert write(api, "m,h=b v=9 4")[0] == 204
    assert api.json("GET", "/alerts/topics/x")["level"] == "CRITICAL"


def test_a_slow_task_keeps_no_point_from_the_others(api):
    slow = "stream|from()" + "".join(
        f"|eval(lambda: sin(\"v\") + {number}.0).as('v')" for number in range(100)
    )
    define(api, slow, id="slow")
    for number in range(9):
        define(api, "stream|from()|httpOut('out')", id=f"fast{number}")
    lines = "\n".join(f"m,h=a v={number} {number}" for number in range(5000))

    async def write_and_ask():
        server = api.server.http
        writing = asyncio.ensure_future(server.answer(request("POST", "/write", lines)))
        await asyncio.sleep(0)
        begin = time.monotonic()
        pong = await server.answer(request("GET", "/kapacitor/v1/ping", ""))
        waited = time.monotonic() - begin
        return (await writing).status, pong.status, waited

    def request(method, path, body):
        query = "db=d&rp=r"
        return Request(method, path, f"{path}?{query}", query, body.encode())

    status, pong, waited = api.run(write_and_ask())
    assert (status, pong) == (204, 204)
    assert waited < 1
    assert {collected(api, f"fast{number}") for number in range(9)} == {5000}
