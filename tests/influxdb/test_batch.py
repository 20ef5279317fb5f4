"""Batch tasks of a server that queries a real InfluxDB."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Kapacitord, StartKapacitord
from tests.influxdb.conftest import InfluxDB, eventually

ALERT = "|mean('usage')|alert().id('{{ .Tags.host }}').crit(lambda: \"mean\" > 80.0)"


def until(met: Callable[[], Any]) -> Any:
    """Return the first true result of `met`."""
    found = eventually(met)
    assert found
    return found


@pytest.fixture
def server(influxdb: InfluxDB, start_kapacitord: StartKapacitord) -> Kapacitord:
    """A server with the shared InfluxDB as its cluster."""
    return start_kapacitord(influxdb.section("disable-subscriptions = true"))


def query(database: str, *, select: str = "usage", properties: str = "") -> str:
    return (
        f"batch|query('SELECT {select} FROM \"{database}\".autogen.cpu')"
        f".period(1h).every(100ms){properties or '.groupBy(*)'}"
    )


def define(
    server: Kapacitord, database: str, script: str, id: str = "t", **more: Any
) -> Any:
    dbrps = [{"db": database, "rp": "autogen"}]
    body = {"id": id, "script": script, "dbrps": dbrps, "status": "enabled", **more}
    return server.json("POST", "/tasks", body)


def now() -> int:
    return time.time_ns()


def write(influxdb: InfluxDB, database: str, *values: tuple[str, float]) -> None:
    influxdb.write(
        "\n".join(f"cpu,host={host} usage={value} {now()}" for host, value in values),
        database,
    )


def stats(server: Kapacitord, node: str, id: str = "t") -> Any:
    return server.json("GET", f"/tasks/{id}")["stats"]["node-stats"].get(node)


def test_what_is_in_the_database_alerts(
    influxdb: InfluxDB, database: str, server: Kapacitord, tmp_path: Path
) -> None:
    write(influxdb, database, ("a", 95), ("b", 10))
    log = tmp_path / "alerts"
    script = f"{query(database)}{ALERT}.topic('cpu').log('{log}')|httpOut('out')"
    task = define(server, database, script, type="batch")
    assert (task["type"], task["executing"], task["error"]) == ("batch", True, "")
    until(lambda: server.levels("cpu") == {"a": "CRITICAL"})
    [event, *_] = map(
        json.loads, until(lambda: log.exists() and log.read_text().splitlines())
    )
    [row] = event["data"]["series"]
    assert (event["level"], row["name"], row["tags"]) == (
        "CRITICAL",
        "cpu",
        {"host": "a"},
    )
    assert row["columns"] == ["time", "mean"]
    assert row["values"][0][1] == 95
    rows = server.json("GET", "/tasks/t/out")["series"]
    assert [each["tags"]["host"] for each in rows] == ["a"]

    # half a minute later the mean is below the limit
    write(influxdb, database, *[("a", 0)] * 3)
    until(lambda: server.levels("cpu") == {"a": "OK"})
    found = until(lambda: stats(server, "query1"))
    assert found["query_errors"] == found["errors"] == 0
    assert found["batches_queried"] >= 4
    assert found["points_queried"] >= found["batches_queried"]
    shown = server.cli("show", "t")
    assert "Type: batch" in shown.replace("  ", "")
    assert "batches_queried=" in shown.replace('"', "")
    dot = server.json("GET", "/tasks/t")["dot"]
    assert 'batches/s"' in dot
    assert "query1 -> mean2 [processed=" in dot


def test_times_groups_and_fill(
    influxdb: InfluxDB, database: str, server: Kapacitord
) -> None:
    start = now() // 60_000_000_000 * 60_000_000_000 - 300_000_000_000
    lines = [f"cpu,host=a usage={n} {start + n * 60_000_000_000}" for n in (0, 1, 3)]
    influxdb.write("\n".join(lines), database)
    properties = ".groupBy(time(1m), 'host').fill(7).align().groupByMeasurement()"
    script = query(database, select="mean(usage)", properties=properties)
    define(server, database, f"{script}.period(10m)|httpOut('out')")
    series = until(lambda: server.json("GET", "/tasks/t/out")["series"])
    [row] = series
    assert (row["name"], row["tags"]) == ("cpu", {"host": "a"})
    assert row["columns"] == ["time", "mean"]
    assert {0, 1, 3, 7} == {value for _, value in row["values"]}
    assert len(row["values"]) in (10, 11)


def test_many_rows_of_many_series_arrive_whole(
    influxdb: InfluxDB, database: str, server: Kapacitord
) -> None:
    begin = now() - 1_000_000_000_000
    lines = [
        f"cpu,host=h{host} usage={number} {begin + number * 1000}"
        for host, size in ((0, 25_000), (1, 1), (2, 12_000))
        for number in range(size)
    ]
    influxdb.write("\n".join(lines), database)
    script = f"{query(database)}|count('usage')|httpOut('out')"
    define(server, database, script)
    series = until(lambda: _whole(server))
    assert {each["tags"]["host"]: each["values"][0][1] for each in series} == {
        **{"h0": 25_000, "h1": 1, "h2": 12_000},
    }


def _whole(server: Kapacitord) -> Any:
    series = server.json("GET", "/tasks/t/out")["series"] or []
    return series if len(series) == 3 else None


def test_deadman_and_joins(
    influxdb: InfluxDB, database: str, server: Kapacitord
) -> None:
    write(influxdb, database, ("a", 50))
    influxdb.write(f"mem,host=a used=20 {now()}", database)
    script = f"""
var cpu = batch|query('SELECT usage FROM "{database}".autogen.cpu')
    .period(1h).every(200ms).align().groupBy('host')
    |last('usage').as('v')
var mem = batch|query('SELECT used FROM "{database}".autogen.mem')
    .period(1h).every(200ms).align().groupBy('host')
    |last('used').as('v')
cpu|join(mem).as('cpu', 'mem')
    |eval(lambda: "cpu.v" - "mem.v").as('difference')|httpOut('joined')
batch|query('SELECT usage FROM "{database}".autogen.nothing')
    .period(1h).every(100ms)
    |deadman(0.0, 500ms).id('silent').topic('dead')
"""
    define(server, database, script)
    [row] = until(lambda: server.json("GET", "/tasks/t/joined")["series"])
    assert row["values"][0][row["columns"].index("difference")] == 30
    until(lambda: server.levels("dead") == {"silent": "CRITICAL"})


def test_a_query_that_fails_is_shown_and_the_next_one_runs(
    own_influxdb: Callable[..., InfluxDB], start_kapacitord: StartKapacitord
) -> None:
    influxdb = own_influxdb()
    database = influxdb.create("d")
    server = start_kapacitord(influxdb.section("disable-subscriptions = true"))
    write(influxdb, database, ("a", 95))
    define(server, database, f"{query(database)}{ALERT}.topic('cpu')")
    stream = "stream|from()|alert().crit(lambda: TRUE).id('s').topic('stream')"
    define(server, database, stream, id="s")
    until(lambda: server.levels("cpu") == {"a": "CRITICAL"})

    influxdb.stop()
    failed = until(lambda: (stats(server, "query1") or {}).get("query_errors"))
    assert failed
    task = until(lambda: _with_error(server))
    assert task["executing"]
    assert task["error"].startswith("query1: ")
    assert "FAILING" in server.call("GET", "/")[1]
    assert task["error"] in server.cli("list", "tasks").replace("\n", " ")
    assert server.levels("_internal")["task/t/query1"] == "CRITICAL"
    # others go on meanwhile
    server.write("m v=1", f"db={database}&rp=autogen")
    assert server.levels("stream") == {"s": "CRITICAL"}
    assert "error executing query" in server.log

    influxdb.start()
    write(influxdb, database, ("b", 99))
    until(lambda: server.levels("cpu") == {"a": "CRITICAL", "b": "CRITICAL"})
    until(lambda: server.json("GET", "/tasks/t")["error"] == "")
    assert server.levels("_internal")["task/t/query1"] == "OK"


def _with_error(server: Kapacitord) -> Any:
    task = server.json("GET", "/tasks/t")
    return task if task["error"] else None


def test_a_query_of_what_does_not_exist(
    influxdb: InfluxDB, database: str, server: Kapacitord
) -> None:
    script = query(database, select="nofunction(usage)")
    define(server, database, script)
    task = until(lambda: _with_error(server))
    assert task["error"] == "query1: undefined function nofunction()"
    server.json("PATCH", "/tasks/t", {"status": "disabled"})
    assert server.levels("_internal")["task/t/query1"] == "OK"


def test_a_restart_goes_on(
    influxdb: InfluxDB, database: str, server: Kapacitord
) -> None:
    write(influxdb, database, ("a", 95))
    define(server, database, f"{query(database)}{ALERT}.topic('cpu')")
    until(lambda: server.levels("cpu"))
    assert server.stop() == 0
    write(influxdb, database, ("b", 99))
    server.start()
    until(lambda: server.levels("cpu") == {"a": "CRITICAL", "b": "CRITICAL"})
    assert "Traceback" not in server.log


def test_disabled_and_deleted_tasks_ask_no_more(
    influxdb: InfluxDB, database: str, server: Kapacitord
) -> None:
    write(influxdb, database, ("a", 95))
    define(server, database, f"{query(database)}{ALERT}.topic('cpu')")
    until(lambda: server.levels("cpu"))
    server.json("PATCH", "/tasks/t", {"status": "disabled"})
    server.json("DELETE", "/alerts/topics/cpu")
    server.json("PATCH", "/tasks/t", {"status": "enabled"})
    until(lambda: server.levels("cpu"))
    server.json("DELETE", "/tasks/t")
    assert server.json("GET", "/tasks")["tasks"] == []
    assert server.stop() == 0


def test_templates_the_command_and_the_load_directory(
    influxdb: InfluxDB,
    database: str,
    start_kapacitord: StartKapacitord,
    tmp_path: Path,
) -> None:
    write(influxdb, database, ("a", 95))
    load = tmp_path / "load"
    for folder in ("tasks", "templates", "handlers"):
        (load / folder).mkdir(parents=True)
    loaded = (
        f'dbrp "{database}"."autogen"\n\n{query(database)}{ALERT}.topic(\'loaded\')'
    )
    (load / "tasks" / "loaded.tick").write_text(loaded)
    server = start_kapacitord(
        influxdb.section("disable-subscriptions = true")
        + f'[load]\n  enabled = true\n  dir = "{load}"\n'
    )
    until(lambda: server.levels("loaded") == {"a": "CRITICAL"})

    (server.directory / "t.tick").write_text(f"{query(database)}{ALERT}.topic('cli')")
    arguments = ("define", "t", "-type", "batch", "-tick", "t.tick")
    assert server.cli(*arguments, "-dbrp", f"{database}.autogen") == ""
    server.cli("enable", "t")
    until(lambda: server.levels("cli") == {"a": "CRITICAL"})
    listed = server.cli("list", "tasks")
    assert (
        f't      batch enabled true     "{database}"."autogen"'
        in " ".join(listed.split(" "))
        or "batch" in listed
    )

    template = (
        f"var every = 10s\nvar topic string\n"
        f"batch|query('SELECT usage FROM \"{database}\".autogen.cpu')"
        f".period(1h).every(every).groupBy('host'){ALERT}.topic(topic)"
    )
    (server.directory / "template.tick").write_text(template)
    server.cli("define-template", "p", "-tick", "template.tick", "-type", "batch")
    variables = {
        "every": {"type": "duration", "value": "100ms"},
        "topic": {"type": "string", "value": "template"},
    }
    (server.directory / "vars.json").write_text(json.dumps(variables))
    arguments = ("define", "m", "-template", "p", "-vars", "vars.json")
    server.cli(*arguments, "-dbrp", f"{database}.autogen")
    server.cli("enable", "m")
    until(lambda: server.levels("template") == {"a": "CRITICAL"})


def test_what_a_task_may_not_ask(
    influxdb: InfluxDB, database: str, server: Kapacitord
) -> None:
    other = query("other")
    dbrps = [{"db": database, "rp": "autogen"}]
    body = {"id": "t", "script": other, "dbrps": dbrps, "status": "enabled"}
    status, text = server.call("POST", "/kapacitor/v1/tasks", body)
    assert status == 500
    reason = 'batch query is not allowed to request data from "other"."autogen"'
    assert json.loads(text)["error"] == reason
    task = server.json("GET", "/tasks/t")
    assert (task["error"], task["executing"]) == (reason, False)
    body = {"script": f"{query(database)}.cluster('far')"}
    status, text = server.call("PATCH", "/kapacitor/v1/tasks/t", body)
    server.call("PATCH", "/kapacitor/v1/tasks/t", {"status": "disabled"})
    status, text = server.call("PATCH", "/kapacitor/v1/tasks/t", {"status": "enabled"})
    reason = "failed to get InfluxDB client: no such InfluxDB config far"
    assert (status, json.loads(text)["error"]) == (500, reason)
