"""Answers of a real InfluxDB, recorded and replayed with the `kapacitor` command."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Kapacitord
from tests.influxdb.conftest import InfluxDB, eventually

# 2020-01-01T00:00:00Z
START = 1577836800
DAY = "2020-01-01T00:"
QUERY = """|query('SELECT v FROM "{db}".autogen.cpu WHERE v > 0.0001 OR v = -1')
    .period(1m)
    .every(1m)
    .align()
    .groupBy('host')
"""
ALERT = """    |max('v')
    |alert()
        .id('{{{{ .Group }}}}')
        .message('{{{{ index .Fields "max" }}}} {{{{ .Time.Unix }}}}')
        .crit(lambda: "max" > 5)
        .log('{log}')
"""
STREAM = """stream
    |from()
        .measurement('cpu')
        .groupBy('host')
    |alert()
        .id('{{{{ .Group }}}}')
        .message('{{{{ index .Fields "v" }}}} {{{{ .Time.Unix }}}}')
        .crit(lambda: "v" > 5)
        .log('{log}')
"""
PERIOD = ("-start", f"{DAY}00:00Z", "-stop", f"{DAY}03:00Z")


@pytest.fixture
def database(database: str, influxdb: InfluxDB) -> str:
    """Three minutes of two hosts, in seconds 10 and 40 of each."""
    lines = [
        f"cpu,host={host} v={value} {(START + 30 * half + 10) * 10**9}"
        for host, values in (("a", (1, 7, 2, 3, 9, 0)), ("b", (0, 0, -1, 6, 1, 1)))
        for half, value in enumerate(values)
    ]
    influxdb.write("\n".join(lines), database)
    return database


@pytest.fixture
def server(
    start_kapacitord: Callable[..., Kapacitord], influxdb: InfluxDB
) -> Kapacitord:
    """A server with this InfluxDB, which subscribes to nothing."""
    return start_kapacitord(influxdb.section("disable-subscriptions = true"))


def define(server: Kapacitord, database: str, script: str, id: str = "t") -> Path:
    """Define a task; the file of its alerts."""
    log = server.directory / f"{id}.log"
    (server.directory / f"{id}.tick").write_text(script.format(db=database, log=log))
    server.cli("define", id, "-tick", f"{id}.tick", "-dbrp", f"{database}.autogen")
    return log


def alerts(log: Path) -> list[tuple[str, str, str]]:
    """Ids, messages and levels of the alerts in a file."""
    found = [json.loads(line) for line in log.read_text().splitlines()]
    return [(each["id"], each["message"], each["level"]) for each in found]


def at(second: int, value: int, host: str, level: str = "CRITICAL") -> tuple[str, ...]:
    return (f"host={host}", f"{value} {START + second}", level)


# of both, the OR reaches over all times unless the bounds are for both of its sides
EXPECTED = [
    at(60, 7, "a"),
    at(120, 3, "a", "OK"),
    at(120, 6, "b"),
    at(180, 9, "a"),
    at(180, 1, "b", "OK"),
]


def test_the_queries_of_a_task_are_recorded_and_replayed(
    server: Kapacitord, database: str
) -> None:
    log = define(server, database, f"batch{QUERY}{ALERT}")
    said = server.cli("record", "batch", "-task", "t", *PERIOD, "-recording-id", "r")
    assert said == "r\n"
    [file] = server.directory.rglob("r.brpl")
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["0"]
        batches = [json.loads(each) for each in archive.read("0").splitlines()]
    assert [(each["group"], each["tmax"]) for each in batches] == [
        (f"host={host}", f"{DAY}0{minute}:00Z")
        for minute in (1, 2, 3)
        for host in ("a", "b")
        if (minute, host) != (1, "b")
    ]
    assert batches[0]["points"] == [
        {"fields": {"v": value}, "tags": {"host": "a"}, "time": f"{DAY}00:{second}Z"}
        for value, second in ((1, 10), (7, 40))
    ]
    server.cli("replay", "-recording", "r", "-task", "t", "-rec-time")
    assert sorted(alerts(log)) == sorted(EXPECTED)


def test_a_live_replay_is_like_a_recording(server: Kapacitord, database: str) -> None:
    log = define(server, database, f"batch{QUERY}{ALERT}")
    server.cli("replay-live", "batch", "-task", "t", *PERIOD, "-rec-time")
    assert sorted(alerts(log)) == sorted(EXPECTED)
    assert [*server.directory.rglob("*.brpl")] == []
    assert server.cli("list", "recordings").count("\n") == 1


def test_the_past_of_now_is_recorded(server: Kapacitord, database: str) -> None:
    define(server, database, f"batch{QUERY}{ALERT}")
    server.cli(
        *("record", "batch", "-task", "t", "-past", "2m", "-stop", f"{DAY}02:00Z"),
        *("-recording-id", "r"),
    )
    [file] = server.directory.rglob("r.brpl")
    with zipfile.ZipFile(file) as archive:
        found = [json.loads(each) for each in archive.read("0").splitlines()]
    assert {each["tmax"] for each in found} == {f"{DAY}01:00Z", f"{DAY}02:00Z"}


def test_each_query_has_a_file(server: Kapacitord, database: str) -> None:
    mean = (
        "|query('SELECT mean(v) AS v FROM \"{db}\".autogen.cpu').period(1m).every(1m)"
        ".groupBy(time(30s), *).fill(0)\n    |httpOut('m')\n"
    )
    log = define(server, database, f"batch{QUERY}{ALERT}\nbatch{mean}")
    server.cli("record", "batch", "-task", "t", *PERIOD, "-recording-id", "r")
    [file] = server.directory.rglob("r.brpl")
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["0", "1"]
        second = [json.loads(each) for each in archive.read("1").splitlines()]
    # grouped by time, a batch ends with its last interval
    assert second[0]["tmax"] == f"{DAY}00:30Z"
    assert [point["time"] for point in second[0]["points"]] == [
        f"{DAY}00:00Z",
        f"{DAY}00:30Z",
    ]
    server.cli("replay", "-recording", "r", "-task", "t", "-rec-time")
    assert sorted(alerts(log)) == sorted(EXPECTED)


def test_a_query_is_recorded_as_points(server: Kapacitord, database: str) -> None:
    log = define(server, database, STREAM)
    query = f'SELECT v FROM "{database}".autogen.cpu GROUP BY host'
    recorded = ("record", "query", "-query", query, "-recording-id", "r")
    assert server.cli(*recorded, "-type", "stream") == "r\n"
    [file] = server.directory.rglob("r.srpl")
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    assert lines[:6] == [
        *(database, "autogen", f"cpu,host=a v=1.0 {START + 10}000000000"),
        *(database, "autogen", f"cpu,host=b v=0.0 {START + 10}000000000"),
    ]
    times = [line.split()[-1] for line in lines[2::3]]
    assert len(times) == 12
    assert times == sorted(times)
    server.cli("replay", "-recording", "r", "-task", "t", "-rec-time")
    replayed = alerts(log)
    assert replayed == [
        at(40, 7, "a"),
        at(70, 2, "a", "OK"),
        at(100, 6, "b"),
        at(130, 9, "a"),
        at(130, 1, "b", "OK"),
        at(160, 0, "a", "OK"),
    ]
    log.unlink()
    live = ("replay-live", "query", "-query", query, "-task", "t", "-rec-time")
    server.cli(*live)
    assert alerts(log) == replayed


def test_a_query_is_recorded_as_batches(server: Kapacitord, database: str) -> None:
    log = define(server, database, f"batch{QUERY}{ALERT}")
    query = f'SELECT v FROM "{database}".autogen.cpu GROUP BY host'
    server.cli(
        *("record", "query", "-query", query, "-type", "batch", "-recording-id", "r")
    )
    server.cli("replay", "-recording", "r", "-task", "t", "-rec-time")
    # one batch each, which ends with its last point
    assert sorted(alerts(log)) == [at(160, 6, "b"), at(160, 9, "a")][::-1]


def test_what_influxdb_refuses_fails_the_recording(
    server: Kapacitord, database: str
) -> None:
    define(server, database, f"batch{QUERY}{ALERT}")
    query = f'SELECT nonsense(v) FROM "{database}".autogen.cpu'
    refused = server.cli(
        *("record", "query", "-query", query, "-type", "batch", "-recording-id", "r"),
        code=3,
    )
    assert "undefined function nonsense()" in refused
    tree = server.json("GET", "/recordings/r")
    assert (tree["status"], tree["size"]) == ("failed", 0)
    assert [*server.directory.rglob("r.brpl")] == []
    missing = server.cli(
        *("record", "query", "-query", query, "-type", "batch", "-cluster", "x"),
        code=3,
    )
    assert "no such InfluxDB config x" in missing


def test_a_task_reads_only_its_databases(server: Kapacitord, database: str) -> None:
    script = f"batch{QUERY}{ALERT}".replace('"{db}"', "other")
    define(server, database, script)
    refused = server.cli("record", "batch", "-task", "t", *PERIOD, code=3)
    assert (
        'batch query is not allowed to request data from "other"."autogen"' in refused
    )


def test_a_recording_of_many_queries_is_cancelled(
    server: Kapacitord, database: str
) -> None:
    define(server, database, f"batch{QUERY}{ALERT}".replace("1m", "1s"))
    # some 200 million queries
    body = {"id": "r", "task": "t", "start": f"{DAY}00:00Z"}
    status, text = server.call("POST", "/kapacitor/v1/recordings/batch", body)
    assert (status, json.loads(text)["status"]) == (201, "running")
    assert eventually(lambda: [*server.directory.rglob("r.brpl")])
    assert server.call("DELETE", "/kapacitor/v1/recordings/r")[0] == 204
    assert [*server.directory.rglob("r.brpl")] == []
    assert server.json("GET", "/recordings")["recordings"] == []
