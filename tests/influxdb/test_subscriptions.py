"""Points that are written to InfluxDB arrive by subscription, and alert."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from runtime.server.config.config import Config
from runtime.units import Duration
from tests.conftest import Kapacitord
from tests.influxdb.conftest import InfluxDB, eventually
from tests.runtime.conftest import Api

SCRIPT = """\
stream
    |from()
        .measurement('cpu')
    |alert()
        .id('{{ index .Tags "host" }}')
        .crit(lambda: "usage_idle" < 10)
        .topic('cpu')
"""
TELEGRAF = (
    "cpu,cpu=cpu-total,host=web1 usage_idle=3.5,usage_user=90 1700000000000000000"
)


def alerts(server: Kapacitord) -> list[str]:
    status, _ = server.call("GET", "/kapacitor/v1/alerts/topics/cpu")
    if status == 404:
        return []
    tree = server.json("GET", "/alerts/topics/cpu/events?min-level=WARNING")
    return [each["id"] for each in tree["events"]]


def define(server: Kapacitord, database: str) -> None:
    body = {
        "id": "cpu",
        "type": "stream",
        "dbrps": [{"db": database, "rp": "autogen"}],
        "script": SCRIPT,
        "status": "enabled",
    }
    server.json("POST", "/tasks", body)


def written(influxdb: InfluxDB, database: str, server: Kapacitord) -> list[str]:
    """Write as Telegraf does; InfluxDB takes note of a subscription a little later."""
    influxdb.write(TELEGRAF, database)
    return alerts(server)


def only(database: str) -> str:
    return f'[influxdb.subscriptions]\n"{database}" = ["*"]'


def subscriptions(influxdb: InfluxDB, database: str) -> dict[str, dict[str, Any]]:
    """The subscriptions of a database by retention policy."""
    for series in influxdb.query("SHOW SUBSCRIPTIONS"):
        if series["name"] == database:
            rows = [
                dict(zip(series["columns"], row, strict=True))
                for row in series["values"]
            ]
            return {row["retention_policy"]: row for row in rows}
    return {}


def id_of(server: Kapacitord, kind: str) -> str:
    return (server.directory / "data" / f"{kind}.id").read_text()


def fields(config: Config, influxdb: InfluxDB, **cluster: Any) -> Config:
    """A server's configuration with this cluster, which subscribes."""
    made = influxdb.config(
        disable_subscriptions=False, kapacitor_hostname="127.0.0.1", **cluster
    )
    return dataclasses.replace(config, influxdb=(made,))


async def written_to(api: Api, host: str) -> bytes:
    """The first line of the answer to a write to a name of the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.server.http.port)
    head = f"POST /write?db=d HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\n"
    writer.write(f"{head}m v=1".encode())
    line = await asyncio.wait_for(reader.readline(), 20)
    writer.close()
    return line.strip()


def names(influxdb: InfluxDB, database: str) -> dict[str, str]:
    found = subscriptions(influxdb, database)
    return {policy: row["name"] for policy, row in found.items()}


@pytest.mark.parametrize("protocol", ["http", "udp"])
def test_telegrafs_points_arrive_and_alert(
    influxdb: InfluxDB,
    database: str,
    start_kapacitord: Callable[..., Kapacitord],
    protocol: str,
) -> None:
    server = start_kapacitord(
        influxdb.section(
            f'subscription-protocol = "{protocol}"',
            'kapacitor-hostname = "127.0.0.1"',
            only(database),
        )
    )
    define(server, database)
    assert eventually(lambda: subscriptions(influxdb, database))
    assert eventually(lambda: written(influxdb, database, server)) == ["web1"]
    [found] = subscriptions(influxdb, database).values()
    assert found["name"] == f"kapacitor-{id_of(server, 'cluster')}"
    assert found["mode"] == "ANY"


def test_subscriptions_are_kept_in_step(
    influxdb: InfluxDB, database: str, config: Config, start_api: Callable[..., Api]
) -> None:
    influxdb.query(
        f'CREATE RETENTION POLICY "week" ON "{database}" DURATION 7d REPLICATION 1'
    )
    influxdb.query(
        f'CREATE RETENTION POLICY "raw-1" ON "{database}" DURATION 7d REPLICATION 1'
    )
    glob = database[:10] + "*"
    api = start_api(
        fields(
            config,
            influxdb,
            subscriptions={glob: ("*",)},
            excluded_subscriptions={database: ("raw-?",)},
        )
    )
    own = f"kapacitor-{api.server._inputs._info.cluster_id}"

    assert api.ask("POST", "/subscriptions") == (204, "")
    assert names(influxdb, database) == {"autogen": own, "week": own}
    [destination] = subscriptions(influxdb, database)["week"]["destinations"]
    assert destination == f"http://127.0.0.1:{api.server.http.port}"
    assert api.json("GET", "/debug/vars")["num_subscriptions"] == 2
    metrics = api.answer("GET", "/metrics").body.decode().splitlines()
    assert 'kapacitor_subscriptions{cluster="default"} 2.0' in metrics

    # changes by others are corrected; subscriptions of others stay
    influxdb.query(f'DROP SUBSCRIPTION "{own}" ON "{database}"."autogen"')
    influxdb.query(f'DROP SUBSCRIPTION "{own}" ON "{database}"."week"')
    for name, url in ((own, "http://127.0.0.1:1"), ("other", "http://127.0.0.1:2")):
        influxdb.query(
            f'CREATE SUBSCRIPTION "{name}" ON "{database}"."week" '
            f"DESTINATIONS ALL '{url}'"
        )
    influxdb.query(
        f'CREATE SUBSCRIPTION "{own}" ON "{database}"."raw-1" '
        f"DESTINATIONS ANY '{destination}'"
    )
    assert api.ask("POST", "/subscriptions") == (204, "")
    [series] = [
        each
        for each in influxdb.query("SHOW SUBSCRIPTIONS")
        if each["name"] == database
    ]
    found = sorted((row[0], row[1] == own, *row[3]) for row in series["values"])
    assert found == [
        ("autogen", True, destination),
        ("week", False, "http://127.0.0.1:2"),
        ("week", True, destination),
    ]

    second = influxdb.create(database[:10] + "_more")
    assert api.ask("POST", "/subscriptions") == (204, "")
    assert names(influxdb, second) == {"autogen": own}
    influxdb.query(f'DROP DATABASE "{second}"')
    assert api.ask("POST", "/subscriptions") == (204, "")
    assert api.json("GET", "/debug/vars")["num_subscriptions"] == 2


def test_they_are_kept_in_step_by_themselves(
    influxdb: InfluxDB, database: str, config: Config, start_api: Callable[..., Api]
) -> None:
    api = start_api(
        fields(
            config,
            influxdb,
            subscriptions={database: ("*",)},
            subscriptions_sync_interval=Duration(10_000_000),
        )
    )
    api.until(lambda: names(influxdb, database))
    for name in names(influxdb, database).values():
        influxdb.query(f'DROP SUBSCRIPTION "{name}" ON "{database}"."autogen"')
    api.until(lambda: names(influxdb, database))


@pytest.mark.parametrize("protocol", ["http", "udp"])
def test_a_restart_keeps_subscriptions(
    influxdb: InfluxDB,
    database: str,
    config: Config,
    start_api: Callable[..., Api],
    protocol: str,
) -> None:
    own = fields(
        config,
        influxdb,
        subscriptions={database: ("*",)},
        http_port=9,
        subscription_protocol=protocol,
        subscription_path="/in",
    )
    api = start_api(own)
    assert api.ask("POST", "/subscriptions") == (204, "")
    before = subscriptions(influxdb, database)
    api.restart()
    assert api.ask("POST", "/subscriptions") == (204, "")
    assert subscriptions(influxdb, database) == before
    if protocol == "http":
        assert before["autogen"]["destinations"] == ["http://127.0.0.1:9/in"]


@pytest.mark.parametrize("name", ['a"b', "a'b", "a b", "ü"])
def test_awkward_names(
    influxdb: InfluxDB, config: Config, start_api: Callable[..., Api], name: str
) -> None:
    escaped = name.replace('"', '\\"')
    influxdb.query(f'CREATE DATABASE "{escaped}"')
    api = start_api(fields(config, influxdb, subscriptions={name: ("*",)}))
    assert api.ask("POST", "/subscriptions") == (204, "")
    assert list(names(influxdb, name)) == ["autogen"]
    body = {"set": {"disable-subscriptions": True}}
    assert api.ask("POST", "/config/influxdb/default", body) == (204, "")
    api.until(lambda: not names(influxdb, name))
    influxdb.query(f'DROP DATABASE "{escaped}"')


def test_old_names_are_replaced(
    influxdb: InfluxDB, database: str, config: Config, start_api: Callable[..., Api]
) -> None:
    influxdb.query(
        f'CREATE SUBSCRIPTION "kapacitor" ON "{database}"."autogen" '
        "DESTINATIONS ANY 'http://127.0.0.1:1'"
    )
    api = start_api(
        fields(
            config,
            influxdb,
            subscriptions={database: ("autogen",)},
            subscription_mode="server",
        )
    )
    assert api.ask("POST", "/subscriptions") == (204, "")
    own = f"kapacitor-{api.server._inputs._info.server_id}"
    assert names(influxdb, database) == {"autogen": own}


def test_changes_over_the_api(
    influxdb: InfluxDB, database: str, config: Config, start_api: Callable[..., Api]
) -> None:
    api = start_api(
        fields(config, influxdb, name="main", subscriptions={database: ("*",)})
    )
    assert api.ask("POST", "/subscriptions") == (204, "")
    own = names(influxdb, database)["autogen"]

    def change(**options: object) -> None:
        body = {"set": {name.replace("_", "-"): each for name, each in options.items()}}
        assert api.ask("POST", "/config/influxdb/main", body) == (204, "")

    # a name of this server that it did not know
    change(kapacitor_hostname="alerts.example")
    api.until(lambda: "alerts.example" in str(subscriptions(influxdb, database)))
    assert api.run(written_to(api, "alerts.example")) == b"HTTP/1.1 204 No Content"
    assert b"421" in api.run(written_to(api, "other.example"))

    change(disable_subscriptions=True)
    api.until(lambda: not names(influxdb, database))
    change(disable_subscriptions=False, subscription_mode="server")
    api.until(
        lambda: own not in (found := names(influxdb, database)).values() and found
    )
    change(subscriptions={"none": ["*"]})
    api.until(lambda: not names(influxdb, database))
    change(subscriptions={database: ["autogen"]})
    api.until(lambda: names(influxdb, database))
    # a cluster that is no longer used has none
    change(enabled=False)
    api.until(lambda: not names(influxdb, database))
    assert api.ask("POST", "/service-tests/influxdb", {"cluster": "main"}) == (
        200,
        '{"success":false,"message":"cluster \\"main\\" is not enabled or does not exist"}\n',
    )


def test_tokens_of_subscriptions(
    influxdb: InfluxDB, database: str, start_kapacitord: Callable[..., Kapacitord]
) -> None:
    server = start_kapacitord(
        influxdb.section('kapacitor-hostname = "127.0.0.1"', only(database))
        + "[auth]\nenabled = true\nbcrypt-cost = 4\n"
    )
    root = {"name": "root", "password": "long secret", "type": "admin"}
    server.json("POST", "/users", root)
    define(server, database)
    server.stop()
    server.environment = {"KAPACITOR_HTTP_AUTH_ENABLED": "true"}
    server.start()
    basic = base64.b64encode(b"root:long secret").decode()
    headers = {"Authorization": f"Basic {basic}"}

    def alerted() -> bool:
        influxdb.write(TELEGRAF, database)
        path = "/kapacitor/v1/alerts/topics/cpu"
        return server.call("GET", path, headers=headers)[0] == 200

    assert eventually(alerted)
    [found] = subscriptions(influxdb, database).values()
    url = urlsplit(found["destinations"][0])
    assert (url.username, url.hostname, url.port) == (
        "~subscriber",
        "127.0.0.1",
        server.port,
    )
    token = str(url.password)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert raw.startswith(b"default;")
    assert len(raw) == len("default;") + 64

    def write(database: str, token: str) -> tuple[int, str]:
        pair = base64.b64encode(f"~subscriber:{token}".encode()).decode()
        return server.call(
            "POST", f"/write?db={database}", "m v=1", {"Authorization": f"Basic {pair}"}
        )

    assert write(database, token)[0] == 204
    assert write("other", token)[0] == 401
    assert write(database, "invented")[0] == 401
    pair = base64.b64encode(f"~subscriber:{token}".encode()).decode()
    assert (
        server.call(
            "GET", "/kapacitor/v1/tasks", headers={"Authorization": f"Basic {pair}"}
        )[0]
        == 403
    )
    # the token is neither shown nor readable on the disk
    shown = server.call("GET", "/kapacitor/v1/config", headers=headers)[1]
    stored = b"".join(
        each.read_bytes()
        for each in (server.directory / "data").iterdir()
        if each.is_file()
    )
    assert token not in shown + server.log
    assert token.encode() not in stored

    # without its subscription a token is worth nothing
    influxdb.query(f'DROP SUBSCRIPTION "{found["name"]}" ON "{database}"."autogen"')
    status, _ = server.call("POST", "/kapacitor/v1/subscriptions", headers=headers)
    assert status == 204
    assert write(database, token)[0] == 401
    assert eventually(lambda: subscriptions(influxdb, database)) != {"autogen": found}


def test_a_cluster_that_is_away_delays_nothing(
    own_influxdb: Callable[..., InfluxDB], config: Config, start_api: Callable[..., Api]
) -> None:
    influxdb = own_influxdb()
    database = influxdb.create("telegraf")
    influxdb.stop()
    api = start_api(fields(config, influxdb, startup_timeout=Duration(1)))
    body = {
        "id": "cpu",
        "type": "stream",
        "dbrps": [{"db": database, "rp": "autogen"}],
        "script": SCRIPT,
        "status": "enabled",
    }
    assert api.json("POST", "/tasks", body)["executing"]

    def state() -> dict[str, Any]:
        status, text = api.ask("GET", "/alerts/topics/_internal/events")
        events = json.loads(text)["events"] if status == 200 else []
        found = {each["id"]: each["state"] for each in events}
        return dict(found.get("influxdb/default", {}))

    found = api.until(state)
    refused = (
        f'Get "{influxdb.url}/ping": dial tcp {influxdb.url.removeprefix("http://")}: '
        "connect: connection refused"
    )
    assert found["level"] == "CRITICAL"
    assert found["message"] == f"cluster default of InfluxDB cannot be used: {refused}"
    page = api.answer("GET", "/").body.decode()
    assert "cluster default of InfluxDB cannot be used" in page
    assert api.ask("POST", "/subscriptions") == (
        500,
        f"failed to link subscriptions: linking cluster default: {refused}",
    )
    # it is retried without a request
    influxdb.start()
    api.until(lambda: state()["level"] == "OK")
    assert state()["message"] == "cluster default of InfluxDB is used"
    assert names(influxdb, database)
