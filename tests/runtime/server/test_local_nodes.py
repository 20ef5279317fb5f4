"""Nodes that need nothing but this server: `sideload`, `trickle`, `influxDBOut`."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from runtime.server.config.sections import HttpConfig

DBRPS = [{"db": "d", "rp": "r"}]
# as Chronograf writes rules: alert, influxDBOut, httpOut
CHRONOGRAF = """
var db = 'd'
var rp = 'r'
var measurement = 'cpu'
var groupBy = ['host']
var whereFilter = lambda: ("cpu" == 'cpu-total')
var name = 'cpu rule'
var idVar = name + '-{{.Group}}'
var message = '{{.ID}} is {{.Level}}'
var idTag = 'alertID'
var levelTag = 'level'
var messageField = 'message'
var durationField = 'duration'
var outputDB = 'chronograf'
var outputRP = 'autogen'
var outputMeasurement = 'alerts'
var triggerType = 'threshold'
var crit = 90
var data = stream
    |from()
        .database(db)
        .retentionPolicy(rp)
        .measurement(measurement)
        .groupBy(groupBy)
        .where(whereFilter)
    |eval(lambda: "usage_user")
        .as('value')
var trigger = data
    |alert()
        .crit(lambda: "value" > crit)
        .message(message)
        .id(idVar)
        .idTag(idTag)
        .levelTag(levelTag)
        .messageField(messageField)
        .durationField(durationField)
        .stateChangesOnly()
        .topic('chronograf')
trigger
    |eval(lambda: float("value"))
        .as('value')
        .keep()
    |influxDBOut()
        .create()
        .database(outputDB)
        .retentionPolicy(outputRP)
        .measurement(outputMeasurement)
        .tag('alertName', name)
        .tag('triggerType', triggerType)
trigger
    |httpOut('output')
"""


def define(api: Any, script: str, id: str = "t", status: str = "enabled") -> Any:
    body = {"id": id, "script": script, "dbrps": DBRPS, "status": status}
    return api.json("POST", "/tasks", body)


def write(api: Any, lines: str) -> None:
    answer = api.answer("POST", "/kapacitor/v1/write?db=d&rp=r", lines)
    assert answer.status == 204, answer.body


def series(api: Any, endpoint: str = "out", id: str = "t") -> list[Any]:
    return api.json("GET", f"/tasks/{id}/{endpoint}")["series"] or []


def node_stats(api: Any, node: str) -> Any:
    return api.json("GET", "/tasks/t")["stats"]["node-stats"][node]


def test_a_rule_of_chronograf_alerts_without_a_cluster(api: Any, caplog: Any) -> None:
    caplog.set_level(logging.WARNING, logger="kapacitor")
    task = define(api, CHRONOGRAF)
    assert (task["executing"], task["error"]) == (True, "")
    text = (
        "influxdb_out5: no InfluxDB cluster configured cannot use the InfluxDBOutNode: "
        "its points are not written; add [[influxdb]] to the configuration"
    )
    [warning] = [each for each in caplog.records if each.name == "kapacitor.kapacitor"]
    assert (warning.task, warning.message) == ("t", text)
    answer = api.answer("GET", "/kapacitor/v1/tasks/t")
    assert answer.headers["Warning"] == f'199 kapacitor "{text}"'
    write(api, "cpu,host=a,cpu=cpu-total usage_user=95 1")
    events = api.json("GET", "/alerts/topics/chronograf/events")["events"]
    assert [each["state"]["level"] for each in events] == ["CRITICAL"]
    [row] = series(api, "output")
    assert row["tags"]["level"] == "CRITICAL"
    stats = node_stats(api, "influxdb_out5")
    assert (stats["collected"], stats["errors"]) == (1, 0)
    assert (stats["points_written"], stats["write_errors"]) == (0, 0)


@pytest.mark.parametrize(
    "properties",
    [
        ".cluster('c').database('d').retentionPolicy('r').measurement('m')",
        ".writeConsistency('one').precision('s').buffer(5).flushInterval(2s)",
        ".tag('a', 'b').tag('c', 'd').create()",
        "|stats(10s)",
        "|deadman(1.0, 10s)",
    ],
)
def test_properties_of_influxdb_out_are_accepted(api: Any, properties: str) -> None:
    script = f"stream|from().measurement('m')|influxDBOut(){properties}"
    assert define(api, script)["executing"]
    write(api, "m v=1 1")


def test_batches_reach_influxdb_out(api: Any) -> None:
    define(api, "stream|from()|window().periodCount(2).everyCount(2)|influxDBOut()")
    write(api, "\n".join(f"m v={n} {n}" for n in range(1, 101)))
    assert node_stats(api, "influxdb_out3")["collected"] > 0


def test_trickle_passes_the_points_of_batches_on(api: Any) -> None:
    define(
        api,
        "stream|from().groupBy('h')|window().periodCount(2).everyCount(2)"
        "|trickle()|cumulativeSum('v').as('sum')|httpOut('out')",
    )
    write(api, "m,h=a v=1 1\nm,h=b v=10 1\nm,h=a v=2 2\nm,h=b v=20 2")
    write(api, "m,h=a v=3 3\nm,h=a v=4 4")
    rows = {row["tags"]["h"]: row for row in series(api)}
    assert rows["a"]["values"] == [["1970-01-01T00:00:00.000000004Z", 10]]
    assert rows["b"]["values"] == [["1970-01-01T00:00:00.000000002Z", 30]]


def test_trickle_takes_many_points_at_once(api: Any) -> None:
    define(
        api,
        "stream|from()|window().periodCount(100).everyCount(100)"
        "|trickle()|cumulativeSum('v').as('sum')|httpOut('out')",
    )
    write(api, "\n".join(f"m,h={n % 3} v=1 {n}" for n in range(1, 301)))
    assert series(api)[0]["values"][0][1] == 300


@pytest.fixture
def values(tmp_path: Path) -> Path:
    root = tmp_path / "values"
    (root / "host").mkdir(parents=True)
    (root / "host" / "a.yml").write_text("limit: 70\nteam: storage\n")
    (root / "host" / "b.yml").write_text("limit: high\nteam: 5\ncount: 1.5\n")
    (root / "default.json").write_text('{"limit": 80, "on": "true", "list": [1]}')
    return root


def sideload(values: Path, *properties: str) -> str:
    return (
        f"stream|from().groupBy('host')|sideload().source('file://{values}')"
        f".order('host/{{{{.host}}}}.yml', 'default.json'){''.join(properties)}"
        "|httpOut('out')"
    )


def shown(api: Any) -> dict[str, Any]:
    found = {}
    for row in series(api):
        cells = dict(zip(row["columns"], row["values"][0], strict=True))
        del cells["time"]
        found[row["tags"]["host"]] = {**row["tags"], **cells}
    return found


def test_fields_and_tags_are_looked_up_by_the_tags_of_a_point(
    api: Any, values: Path
) -> None:
    define(
        api,
        sideload(
            values,
            ".field('limit', 1.0).field('count', 7).field('on', FALSE)",
            ".field('none', 'x').tag('team', 'nobody')",
        ),
    )
    write(api, "m,host=a v=1 1\nm,host=b v=1 1\nm,host=c,team=old v=1 1")
    others = {"v": 1, "on": True, "none": "x"}
    assert shown(api) == {
        "a": {"host": "a", "team": "storage", "limit": 70, "count": 7, **others},
        # values that cannot be converted become the default, and count as errors
        "b": {"host": "b", "team": "5", "limit": 1, "count": 7, **others},
        "c": {"host": "c", "team": "nobody", "limit": 80, "count": 7, **others},
    }
    assert node_stats(api, "sideload2")["errors"] == 2


def test_conversions(api: Any, values: Path) -> None:
    (values / "host" / "a.yml").write_text(
        "i: '12'\nf: '1.5'\nb: 'T'\ns: 1.5\nt: true\nn: 100000000000000000000\n"
        "fi: 3.0\nbi: x\nif: true\nl: [1]\nm: {a: 1}\nhuge: 1e30\n"
    )
    define(
        api,
        sideload(
            values,
            ".field('i', 0).field('f', 0.0).field('b', FALSE).field('s', '')",
            ".field('t', '').field('n', '').field('fi', 0).field('bi', 5)",
            ".field('if', 6).field('l', 7.0).field('m', '8').field('huge', 9)",
        ),
    )
    write(api, "m,host=a v=1 1")
    assert shown(api)["a"] == {
        **{"host": "a", "v": 1, "i": 12, "f": 1.5, "b": True, "s": "1.5"},
        **{"t": "true", "n": "100000000000000000000", "fi": 3},
        **{"bi": 5, "if": 6, "l": 7, "m": "8", "huge": 9},
    }
    assert node_stats(api, "sideload2")["errors"] == 5


def test_values_are_read_again_on_demand(api: Any, values: Path) -> None:
    define(api, sideload(values, ".field('limit', 1.0)"))
    write(api, "m,host=a v=1 1")
    (values / "host" / "a.yml").write_text("limit: 75\n")
    write(api, "m,host=a v=1 2")
    assert shown(api)["a"]["limit"] == 70
    assert api.ask("POST", "/sideload/reload") == (204, "")
    write(api, "m,host=a v=1 3")
    assert shown(api)["a"]["limit"] == 75
    (values / "host" / "a.yml").write_text("limit: [\n")
    status, text = api.ask("POST", "/sideload/reload")
    assert status == 500
    assert text.startswith(
        f'failed to update source "{values}": failed to update sideload cache for '
        f'source file "{values}": failed to unmarshal yaml values '
    )
    write(api, "m,host=a v=1 4")
    assert shown(api)["a"]["limit"] == 75


def test_batches_are_sideloaded_too(api: Any, values: Path) -> None:
    define(
        api,
        "stream|from().groupBy('host')|window().periodCount(2).everyCount(2)"
        f"|sideload().source('file://{values}').order('host/{{{{.host}}}}.yml')"
        ".field('limit', 1.0)|max('limit').as('limit')|httpOut('out')",
    )
    write(api, "\n".join(f"m,host=a v=1 {n}" for n in range(1, 101)))
    assert shown(api)["a"]["limit"] == 70


def test_an_order_that_fails_leaves_the_point_as_it_is(api: Any, values: Path) -> None:
    script = sideload(values, ".field('limit', 1.0)")
    define(api, script.replace("{{.host}}", "{{.host.name}}"))
    write(api, "m,host=a v=1 1")
    assert shown(api) == {"a": {"host": "a", "v": 1}}
    assert node_stats(api, "sideload2")["errors"] == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("file://", "ftp://"), "sideload2: unsupported source scheme"),
        (("file://", "http://"), "sideload2: sideload source "),
        (("default.json", "{{ nope }}"), "sideload2: template: order:1: function"),
        (("/values", "/missing"), "sideload2: failed to update sideload cache"),
    ],
)
def test_a_sideload_that_cannot_be_read_does_not_start(
    api: Any, values: Path, change: tuple[str, str], fault: str
) -> None:
    script = sideload(values, ".field('limit', 1.0)").replace(*change)
    body = {"id": "t", "script": script, "dbrps": DBRPS, "status": "enabled"}
    status, text = api.ask("POST", "/tasks", body)
    assert (status, text[: len(fault)]) == (500, fault)
    assert api.json("GET", "/tasks/t")["error"] == text


def test_a_default_of_another_type_is_refused(api: Any, values: Path) -> None:
    script = sideload(values, ".field('limit', 1s)")
    status, text = api.ask(
        "POST", "/tasks", {"id": "t", "script": script, "dbrps": DBRPS}
    )
    assert status == 400
    assert 'unsupported type time.Duration for field "limit"' in text


def test_strangers_read_no_files(config: Any, start_api: Any, values: Path) -> None:
    config.http = HttpConfig(bind_address="127.1:0", log_enabled=False)
    api = start_api(config)
    body = {"id": "t", "script": sideload(values), "dbrps": DBRPS}
    status, text = api.ask("POST", "/tasks", body)
    assert status == 403
    assert text.startswith("sideload nodes may not read files")


@pytest.mark.parametrize(
    ("script", "type", "reason"),
    [
        (
            "batch|query('SELECT mean(v) FROM d.r.m').period(1m).every(1m)|log()",
            "batch",
            "InfluxDB not configured, cannot query InfluxDB for batch query",
        ),
        (
            "batch|queryFlux('from(bucket: \"a\")').period(1m).every(1m)",
            "batch",
            "queryFlux1: Flux queries are not supported by this server",
        ),
        ("stream|from()@mine()", "stream", "mine2: user defined functions (UDFs)"),
        (
            "stream|from()|k8sAutoscale().resourceName('a').replicas(lambda: 1)",
            "stream",
            "k8s_autoscale2: autoscaling is not supported",
        ),
        (
            "stream|from()|ec2Autoscale().groupName('a').replicas(lambda: 1)",
            "stream",
            "ec2_autoscale2: autoscaling is not supported",
        ),
        (
            "stream|from()|swarmAutoscale().serviceName('a').replicas(lambda: 1)",
            "stream",
            "swarm_autoscale2: autoscaling is not supported",
        ),
        (
            "stream|from()|window().period(1s)|holtWinters('v', 1, 1, 1s)",
            "stream",
            "holtWinters3: holtWinters is not supported",
        ),
        (
            "stream|from()|window().period(1s)|holtWintersWithFit('v', 1, 1, 1s)",
            "stream",
            "holtWinters3: holtWinters is not supported",
        ),
    ],
)
def test_what_cannot_run_is_stored_and_rests(
    api: Any, script: str, type: str, reason: str
) -> None:
    assert define(api, script, status="disabled")["error"] == ""
    status, text = api.ask("PATCH", "/tasks/t", {"status": "enabled"})
    assert status == 500
    assert text.startswith(reason)
    api.restart()
    task = api.json("GET", "/tasks/t")
    assert (task["type"], task["status"], task["executing"]) == (
        type,
        "enabled",
        False,
    )
    assert task["error"] == text
    listed = api.json("GET", "/tasks?fields=status&fields=executing&fields=error")
    assert json.dumps(listed).count(json.dumps(text)) == 1
