"""Servers whose tasks write to InfluxDB: rules, stops, clusters that are away."""

from __future__ import annotations

import dataclasses
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime.server.config.config import Config
from runtime.services.influxdb.config import Config as ClusterConfig
from tests.influxdb.conftest import InfluxDB
from tests.runtime.conftest import Api
from tests.runtime.server.test_local_nodes import CHRONOGRAF, define, node_stats, write
from tests.runtime.server.test_replay import created, ended

Start = Callable[..., Api]
AWAY = "http://127.0.0.1:1"


def configured(config: Config, *clusters: ClusterConfig) -> Config:
    return dataclasses.replace(config, influxdb=clusters)


@pytest.fixture
def name(influxdb: InfluxDB) -> Iterator[str]:
    """The name of a database that the server creates."""
    made = f"out_{uuid.uuid4().hex[:12]}"
    yield made
    influxdb.query(f'DROP DATABASE "{made}"')


@pytest.fixture
def api(config: Config, start_api: Start, influxdb: InfluxDB) -> Api:
    """A server with the shared InfluxDB as its only cluster."""
    return start_api(configured(config, influxdb.config()))


def place(database: str) -> str:
    """Properties: by default the retention policy is that of the points."""
    return f".database('{database}').retentionPolicy('autogen')"


def stop(api: Api) -> None:
    api.ask("PATCH", "/tasks/t", {"status": "disabled"})


def rows(influxdb: InfluxDB, database: str, query: str) -> list[dict[str, Any]]:
    return [
        dict(zip(series["columns"], row, strict=True))
        for series in influxdb.query(query, database)
        for row in series["values"]
    ]


def test_a_rule_of_chronograf_alerts_and_writes(
    api: Api, influxdb: InfluxDB, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="kapacitor.kapacitor")
    script = CHRONOGRAF.replace("'chronograf'\nvar outputRP", f"'{name}'\nvar outputRP")
    task = define(api, script)
    assert (task["executing"], task["error"]) == (True, "")
    assert "Warning" not in api.answer("GET", "/kapacitor/v1/tasks/t").headers
    assert caplog.records == []
    now = time.time_ns()
    write(api, f"cpu,host=a,cpu=cpu-total usage_user=95 {now}")
    events = api.json("GET", "/alerts/topics/chronograf/events")["events"]
    assert [each["state"]["level"] for each in events] == ["CRITICAL"]
    assert node_stats(api, "influxdb_out5")["points_waiting"] == 1
    node = api.server._master.get("t").nodes[5]
    stop(api)
    api.until(lambda: node.stats()["points_written"] == 1)
    [row] = rows(influxdb, name, "SELECT * FROM autogen.alerts")
    assert row == {
        "time": now,
        "alertID": "cpu rule-host=a",
        "alertName": "cpu rule",
        "triggerType": "threshold",
        "level": "CRITICAL",
        "host": "a",
        "cpu": "cpu-total",
        "message": "cpu rule-host=a is CRITICAL",
        "duration": 0,
        "value": 95,
    }


def test_a_stop_of_the_server_writes_what_waits(
    api: Api, influxdb: InfluxDB, database: str
) -> None:
    define(api, f"stream|from()|influxDBOut(){place(database)}")
    write(api, "\n".join(f"m v={n} {n}" for n in range(1, 101)))
    api.restart()
    assert rows(influxdb, database, "SELECT count(v) FROM m")[0]["count"] == 100


def test_statistics_show_what_was_written_and_lost(
    api: Api, influxdb: InfluxDB, database: str
) -> None:
    influxdb.write('m v="text" 1', database)
    script = f"stream|from()|influxDBOut().buffer(1){place(database)}"
    define(api, script)
    write(api, "m v=1 1\nn v=1 1")
    api.until(lambda: node_stats(api, "influxdb_out2")["points_waiting"] == 0)
    assert node_stats(api, "influxdb_out2")["points_lost_type_conflict"] == 1
    metrics = api.answer("GET", "/metrics").body.decode()
    for outcome in ("written", "type_conflict"):
        labels = f'node="influxdb_out2",outcome="{outcome}",task="t"'
        assert f"kapacitor_points_out_total{{{labels}}} 1.0" in metrics
    assert 'kapacitor_points_out_waiting{node="influxdb_out2",task="t"} 0.0' in metrics


def test_several_clusters(
    config: Config, start_api: Start, influxdb: InfluxDB, database: str
) -> None:
    away = ClusterConfig(name="away", urls=(AWAY,), default=True)
    api = start_api(configured(config, away, influxdb.config(name="there")))
    define(
        api,
        "var data = stream|from()\n"
        f"data|influxDBOut().buffer(1){place(database)}.cluster('there')\n"
        f"data|influxDBOut().buffer(1){place(database)}",
    )
    write(api, "m v=1 1")
    api.until(lambda: node_stats(api, "influxdb_out2")["points_written"] == 1)
    api.until(lambda: node_stats(api, "influxdb_out3")["write_errors"] > 0)
    body = {
        "id": "u",
        "script": "stream|from()|influxDBOut().cluster('x')",
        "dbrps": [{"db": "d", "rp": "r"}],
        "status": "enabled",
    }
    text = "failed to get InfluxDB client: no such InfluxDB config x"
    assert api.ask("POST", "/tasks", body) == (500, text)


def test_a_cluster_that_is_added_is_written_to_by_running_tasks(
    config: Config, start_api: Start, influxdb: InfluxDB, name: str
) -> None:
    api = start_api(config)
    define(
        api,
        "var data = stream|from()\n"
        f"data|influxDBOut().buffer(1){place(name)}.create()\n"
        f"data|influxDBOut().buffer(1){place(name)}.cluster('other')",
    )
    write(api, "m v=1 1")
    assert "Warning" in api.answer("GET", "/kapacitor/v1/tasks/t").headers
    made = {"name": "one", "urls": [influxdb.url], "disable-subscriptions": True}
    assert api.ask("POST", "/config/influxdb", {"add": made}) == (204, "")
    write(api, "m v=2 2")
    api.until(lambda: node_stats(api, "influxdb_out2")["points_written"] == 1)
    assert [row["v"] for row in rows(influxdb, name, "SELECT v FROM m")] == [2]
    # a node whose cluster is still missing says so
    warning = api.answer("GET", "/kapacitor/v1/tasks/t").headers["Warning"]
    assert "influxdb_out2" not in warning
    assert "influxdb_out3" in warning
    assert node_stats(api, "influxdb_out3")["errors"] == 1
    more = {**made, "name": "other", "default": True}
    assert api.ask("POST", "/config/influxdb", {"add": more}) == (204, "")
    write(api, "m v=3 3")
    api.until(lambda: node_stats(api, "influxdb_out3")["points_written"] == 1)
    assert "Warning" not in api.answer("GET", "/kapacitor/v1/tasks/t").headers


def test_a_cluster_that_is_away_delays_no_alert_and_no_stop(
    config: Config, start_api: Start, caplog: pytest.LogCaptureFixture
) -> None:
    api = start_api(configured(config, ClusterConfig(urls=(AWAY,))))
    begin = time.monotonic()
    define(api, CHRONOGRAF)
    write(api, "cpu,host=a,cpu=cpu-total usage_user=95 1")
    events = api.json("GET", "/alerts/topics/chronograf/events")["events"]
    assert [each["state"]["level"] for each in events] == ["CRITICAL"]
    api.restart()
    assert time.monotonic() - begin < 10
    [record] = [
        each for each in caplog.records if each.getMessage().startswith("discarded")
    ]
    assert record.getMessage() == (
        "discarded points that were not written to InfluxDB before the stop"
    )
    assert record.points == 1  # type: ignore[attr-defined]


def test_points_of_a_replay_are_written(
    api: Api, influxdb: InfluxDB, database: str
) -> None:
    define(api, f"stream|from().measurement('m')|influxDBOut(){place(database)}")
    start = "1970-01-01T00:00:10Z"
    created(api, "/recordings/stream", {"id": "r", "task": "t", "stop": start})
    write(api, "m v=1 1\nm v=2 2\nm v=3 4102444800000000000")
    ended(api, "/recordings/r")
    stop(api)
    query = "SELECT count(v) FROM m WHERE time < 100"
    api.until(lambda: rows(influxdb, database, query))
    influxdb.query("DROP MEASUREMENT m", database)
    replay = {"id": "p", "task": "t", "recording": "r", "recording-time": True}
    created(api, "/replays", replay)
    ended(api, "/replays/p")
    api.until(lambda: rows(influxdb, database, query))
    assert rows(influxdb, database, query)[0]["count"] == 2
