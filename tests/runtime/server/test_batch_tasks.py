"""Batch tasks in a running server, with answers of InfluxDB chosen by the test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from runtime.pipeline.node import DeadmanSettings
from runtime.server.config.config import Config
from runtime.services.influxdb.config import Config as ClusterConfig
from runtime.testing.loopback import LoopbackServer
from runtime.units import SECOND, Duration
from tests.runtime.conftest import Api, StartApi

DBRPS = [{"db": "d", "rp": "r"}]
QUERY = "batch|query('SELECT v FROM d.r.m').period(10s).every(20ms)"
ALERT = "|alert().id('{{ .Group }}').crit(lambda: \"v\" > 5).topic('x')"


def answer(*series: Mapping[str, Any]) -> str:
    return json.dumps({"results": [{"statement_id": 0, "series": list(series)}]})


def rows(value: object, **tags: str) -> Mapping[str, Any]:
    found = {"name": "m", "columns": ["time", "v"], "values": [[SECOND, value]]}
    return {**found, "tags": tags} if tags else found


@pytest.fixture
def influxdb() -> Iterator[LoopbackServer]:
    """A server that stands for InfluxDB."""
    with LoopbackServer(body=answer(rows(9, h="a"))) as server:
        yield server


@pytest.fixture
def configured(config: Config, influxdb: LoopbackServer) -> Config:
    """The configuration of a server with a cluster."""
    cluster = ClusterConfig(urls=(influxdb.url,), disable_subscriptions=True)
    config.influxdb = (cluster,)
    return config


@pytest.fixture
def api(configured: Config, start_api: StartApi) -> Api:
    """A running server with a cluster."""
    return start_api(configured)


def statements(influxdb: LoopbackServer) -> list[str]:
    """The queries that came since the last look, without pings."""
    return [each.query["q"] for each in influxdb.taken() if "q" in each.query]


def define(api: Api, script: str, id: str = "t") -> Any:
    body = {"id": id, "script": script, "dbrps": DBRPS, "status": "enabled"}
    return api.json("POST", "/tasks", body)


def levels(api: Api, topic: str) -> dict[str, str]:
    status, text = api.ask("GET", f"/alerts/topics/{topic}/events")
    # the topic begins with its first event
    found = json.loads(text)["events"] or [] if status == 200 else []
    return {each["id"]: each["state"]["level"] for each in found}


def error(api: Api) -> str:
    text: str = api.json("GET", "/tasks/t")["error"]
    return text


def test_a_batch_task_queries_and_alerts(api: Api, influxdb: LoopbackServer) -> None:
    task = define(api, QUERY + ALERT)
    assert (task["type"], task["executing"], task["error"]) == ("batch", True, "")
    api.until(lambda: levels(api, "x") == {"h=a": "CRITICAL"})
    influxdb.body = answer(rows(1, h="a"))
    api.until(lambda: levels(api, "x") == {"h=a": "OK"})
    assert statements(influxdb)[0].startswith("SELECT v FROM d.r.m WHERE time >= '")


def test_a_failing_query_is_the_tasks_error_until_one_succeeds(
    api: Api, influxdb: LoopbackServer
) -> None:
    influxdb.body = json.dumps({"results": [{"error": "database not found: d"}]})
    define(api, QUERY + ALERT)
    api.until(lambda: error(api) == "query1: database not found: d")
    task = api.json("GET", "/tasks/t")
    assert task["executing"]
    assert task["stats"]["node-stats"]["query1"]["query_errors"] >= 1
    assert levels(api, "_internal")["task/t/query1"] == "CRITICAL"
    [event] = api.json("GET", "/alerts/topics/_internal/events")["events"]
    text = "query1 of task t fails: database not found: d"
    assert event["state"]["message"] == text
    # a restart of the server changes nothing about that
    api.restart()
    assert levels(api, "_internal")["task/t/query1"] == "CRITICAL"
    influxdb.body = answer(rows(9, h="a"))
    api.until(lambda: levels(api, "_internal")["task/t/query1"] == "OK")
    api.until(lambda: error(api) == "")
    api.until(lambda: levels(api, "x") == {"h=a": "CRITICAL"})


@pytest.mark.parametrize("way", ["disable", "delete", "rename", "redefine"])
def test_the_end_of_a_task_ends_its_failure(
    api: Api, influxdb: LoopbackServer, way: str
) -> None:
    influxdb.body = json.dumps({"results": [{"error": "no"}]})
    define(api, QUERY + ALERT)
    api.until(lambda: error(api) == "query1: no")
    if way == "disable":
        api.json("PATCH", "/tasks/t", {"status": "disabled"})
    elif way == "delete":
        api.json("DELETE", "/tasks/t")
    elif way == "rename":
        influxdb.body = answer()
        api.json("PATCH", "/tasks/t", {"id": "other"})
    else:
        influxdb.body = answer()
        api.json("PATCH", "/tasks/t", {"script": f"{QUERY}|log()"})
        api.json("PATCH", "/tasks/t", {"status": "disabled"})
    assert levels(api, "_internal")["task/t/query1"] == "OK"


def test_a_query_that_hangs_delays_nothing(api: Api, influxdb: LoopbackServer) -> None:
    influxdb.hang = True
    define(api, QUERY + ALERT)
    api.until(lambda: statements(influxdb))
    stream = "stream|from()|alert().id('s').crit(lambda: TRUE).topic('stream')"
    define(api, stream, "s")
    uri = "/kapacitor/v1/write?db=d&rp=r"
    assert api.answer("POST", uri, "m v=1").status == 204
    assert levels(api, "stream") == {"s": "CRITICAL"}
    # it is ended with its task
    api.json("DELETE", "/tasks/t")
    statements(influxdb)
    influxdb.hang = False
    define(api, QUERY + ALERT, "u")
    api.until(lambda: statements(influxdb))


def test_a_stop_ends_queries_under_way(api: Api, influxdb: LoopbackServer) -> None:
    influxdb.hang = True
    define(api, QUERY + ALERT)
    api.until(lambda: statements(influxdb))

    def answer_again() -> None:
        influxdb.hang = False

    # between the stop and the start: a query of the new server must not hang
    api.restart(answer_again)
    api.until(lambda: levels(api, "x") == {"h=a": "CRITICAL"})


def test_a_task_that_fails_by_its_batches_restarts(
    api: Api, influxdb: LoopbackServer
) -> None:
    influxdb.body = answer(rows("text", h="a"))
    script = f"{QUERY}|eval(lambda: \"v\" + 1).as('w')|httpOut('out')"
    define(api, script)
    api.until(lambda: api.json("GET", "/tasks/t")["stats"])
    stats = api.until(
        lambda: api.json("GET", "/tasks/t")["stats"]["node-stats"]["eval2"]["errors"]
    )
    assert stats >= 1
    assert api.json("GET", "/tasks/t")["executing"]


def test_the_global_deadman_watches_queries(
    configured: Config, start_api: StartApi, influxdb: LoopbackServer
) -> None:
    configured.deadman = DeadmanSettings(
        interval=Duration(SECOND // 5), id="dead", is_global=True
    )
    api = start_api(configured)
    influxdb.body = answer()
    define(api, QUERY + ALERT)
    api.until(lambda: _triggered(api, "crits"))
    influxdb.body = answer(rows(1))
    api.until(lambda: _triggered(api, "oks"))


def _triggered(api: Api, level: str) -> int:
    """Return the number of events of the deadman's alert with a level."""
    stats = api.json("GET", "/tasks/t")["stats"]["node-stats"]
    [deadman] = [
        each for name, each in stats.items() if name[:5] == "alert" and name != "alert2"
    ]
    count: int = deadman[f"{level}_triggered"]
    return count
