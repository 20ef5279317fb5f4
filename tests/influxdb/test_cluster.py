"""A cluster in front of a real InfluxDB."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from runtime.errors import DeliveryError
from runtime.secrets import Secret
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.config import Config
from runtime.services.influxdb.series import Series
from tests.influxdb.conftest import InfluxDB, on_cluster
from tests.runtime.outbound.test_client_tls import LOOPBACK, self_signed

START = 1_700_000_000_000_000_000


def lines(count: int, measurement: str = "cpu") -> str:
    return "\n".join(
        f'{measurement},host=h{row % 3} usage={row / 2},ok=t,state="s{row}" '
        f"{START + row * 1_000_000_007}"
        for row in range(count)
    )


async def read(cluster: Cluster, statement: str, **more: object) -> list[Series]:
    answer = cluster.query(statement, **more)  # type: ignore[arg-type]
    async with contextlib.aclosing(answer) as found:
        return [each async for each in found]


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_what_is_written_is_read_into_columns(
    influxdb: InfluxDB, database: str, compression: str
) -> None:
    async def work(cluster: Cluster) -> list[Series]:
        await cluster.write(lines(5).encode(), database=database)
        return await read(cluster, "SELECT * FROM cpu", database=database)

    [found] = influxdb.on_cluster(work, compression=compression)
    assert (found.name, found.tags, found.partial) == ("cpu", {}, False)
    assert found.time.dtype == np.int64
    assert found.time.tolist() == [START + row * 1_000_000_007 for row in range(5)]
    assert list(found.fields) == ["host", "ok", "state", "usage"]
    assert found.fields["usage"].kind == "float"
    assert found.fields["usage"].values.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert found.fields["ok"].values.dtype == np.bool_
    assert found.fields["state"].values.tolist() == [f"s{row}" for row in range(5)]
    assert len(list(found.rows())) == len(found) == 5


def test_null_is_absent(influxdb: InfluxDB, database: str) -> None:
    influxdb.write(f"m a=1 {START}\nm b=true {START + 1}\nm a=3 {START + 2}", database)
    influxdb.write(f"n a=3.5 {START}\nn c=2i {START + 1}", database)

    async def work(cluster: Cluster) -> list[Series]:
        return await read(cluster, "SELECT a, b, c FROM n, m", database=database)

    second, first = influxdb.on_cluster(work)
    assert (first.name, second.name) == ("n", "m")
    for column, present in (("a", [True, False]), ("c", [False, True])):
        mask = first.fields[column].present
        assert mask is not None
        assert mask.tolist() == present
    assert [row["b"] for row in first.rows()] == [None, None]
    assert [row["b"] for row in second.rows()][:2] == [None, True]


def test_an_answer_comes_in_parts(influxdb: InfluxDB, database: str) -> None:
    influxdb.write(lines(25), database)

    async def work(cluster: Cluster) -> list[Series]:
        return await read(
            cluster,
            "SELECT usage FROM cpu GROUP BY host",
            database=database,
            retention_policy="autogen",
            chunk_rows=4,
        )

    found = influxdb.on_cluster(work)
    shape = [(each.tags["host"], len(each), each.partial) for each in found]
    assert shape == [
        *(("h0", 4, True), ("h0", 4, True), ("h0", 1, False)),
        *(("h1", 4, True), ("h1", 4, False)),
        *(("h2", 4, True), ("h2", 4, False)),
    ]


def test_a_long_answer_is_never_whole_in_memory(
    influxdb: InfluxDB, database: str
) -> None:
    influxdb.write(
        "\n".join(f"m v={row},w={row}.5 {row}" for row in range(20_000)), database
    )

    async def work(cluster: Cluster) -> tuple[int, int]:
        count = 0
        tracemalloc.start()
        async for each in cluster.query(
            "SELECT * FROM m", database=database, chunk_rows=250
        ):
            count += len(each)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return count, peak

    count, peak = influxdb.on_cluster(work)
    assert count == 20_000
    # the objects of the whole answer take 3.5 MB
    assert peak < 1_500_000


def test_statements_run(influxdb: InfluxDB, database: str) -> None:
    async def work(cluster: Cluster) -> list[Series]:
        await cluster.ping()
        await cluster.execute(
            f'CREATE RETENTION POLICY "two" ON "{database}" DURATION 2d REPLICATION 1'
        )
        return list(await cluster.execute(f'SHOW RETENTION POLICIES ON "{database}"'))

    [found] = influxdb.on_cluster(work)
    assert [row["name"] for row in found.rows()] == ["autogen", "two"]


def test_errors_are_those_of_influxdb(influxdb: InfluxDB, database: str) -> None:
    async def work(cluster: Cluster) -> list[tuple[str, int | None, bool]]:
        found = []
        for attempt in (
            cluster.write(b"m v=1", database="missing"),
            cluster.write(b"m v=", database=database),
            cluster.execute("SHOW NOTHING"),
            cluster.execute("DROP SHARD x"),
            read(cluster, "SELECT * FROM m", database="missing"),
            read(cluster, "SELECT", database=database),
        ):
            with pytest.raises(DeliveryError) as error:
                await attempt
            found.append((str(error.value), error.value.status, error.value.retry))
        return found

    assert influxdb.on_cluster(work) == [
        ('database not found: "missing"', 404, False),
        ("unable to parse 'm v=': missing field value", 400, False),
        *(
            (f"error parsing query: {text}", 400, False)
            for text in (
                "found NOTHING, expected CONTINUOUS, DATABASES, DIAGNOSTICS, FIELD, "
                "GRANTS, MEASUREMENT, MEASUREMENTS, QUERIES, RETENTION, SERIES, "
                "SHARD, SHARDS, STATS, SUBSCRIPTIONS, TAG, USERS at line 1, char 6",
                "found x, expected integer at line 1, char 12",
            )
        ),
        ("database not found: missing", 200, False),
        (
            "error parsing query: found EOF, expected identifier, string, number, "
            "bool at line 1, char 8",
            400,
            False,
        ),
    ]


def test_another_server_is_asked_when_one_is_away(
    influxdb: InfluxDB, database: str
) -> None:
    async def work(cluster: Cluster) -> list[Series]:
        await cluster.ping()
        await cluster.write(b"m v=1 1", database=database)
        return await read(cluster, "SELECT * FROM m", database=database)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{probe.getsockname()[1]}"
    urls = (f"http://{away}", f"{influxdb.url}/")
    assert len(influxdb.on_cluster(work, urls=urls)) == 1


@pytest.mark.parametrize(
    ("work", "shown"),
    [
        (lambda cluster: cluster.ping(), 'Get "http://{}/ping"'),
        (lambda cluster: cluster.execute("SHOW USERS"), 'Post "http://{}/query"'),
        (lambda cluster: read(cluster, "SELECT * FROM m"), 'Post "http://{}/query"'),
        (
            lambda cluster: cluster.write(b"m v=1 1", database="d?b"),
            'Post "http://{}/write"',
        ),
    ],
    ids=["ping", "execute", "query", "write"],
)
def test_the_error_of_a_cluster_that_is_away_shows_no_masked_query(
    work: Callable[[Cluster], Awaitable[object]], shown: str
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away = f"127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(DeliveryError) as error:
        on_cluster(Config(urls=(f"http://{away}",)), work)
    assert error.value.retry
    assert str(error.value) == (
        f"{shown.format(away)}: dial tcp {away}: connect: connection refused"
    )


@pytest.fixture
def guarded(own_influxdb: Callable[..., InfluxDB]) -> InfluxDB:
    server = own_influxdb(auth=True)
    server.query("CREATE USER admin WITH PASSWORD 'long secret' WITH ALL PRIVILEGES")
    return server


def test_users_and_their_passwords(guarded: InfluxDB) -> None:
    async def work(cluster: Cluster) -> int:
        return len(await cluster.execute("SHOW DATABASES"))

    host = guarded.url.removeprefix("http://")
    for changes in (
        {"username": "admin", "password": Secret("long secret")},
        {"urls": (f"http://admin:long%20secret@{host}",)},
    ):
        assert guarded.on_cluster(work, **changes) == 1
    for changes, text in (
        ({}, "unable to parse authentication credentials"),
        (
            {"username": "admin", "password": Secret("wrong secret")},
            "authorization failed",
        ),
        ({"urls": (f"http://admin:wrong%20secret@{host}",)}, "authorization failed"),
    ):
        with pytest.raises(DeliveryError) as error:
            guarded.on_cluster(work, **changes)
        assert (str(error.value), error.value.status) == (text, 401)


def test_certificates(own_influxdb: Callable[..., InfluxDB], tmp_path: Path) -> None:
    files = self_signed(tmp_path, "influxdb", LOOPBACK)
    server = own_influxdb(tls=files)

    async def work(cluster: Cluster) -> int:
        return len(await cluster.execute("SHOW DATABASES"))

    assert server.on_cluster(work, ssl_ca=str(files[0])) == 1
    assert server.on_cluster(work, insecure_skip_verify=True) == 1
    with pytest.raises(DeliveryError, match="tls: failed to verify certificate: x509"):
        server.on_cluster(work)


def test_errors_have_no_secrets(influxdb: InfluxDB) -> None:
    secret = "5ecret5ecret"

    async def work(cluster: Cluster) -> None:
        await cluster.execute(f"SHOW {secret}")

    with pytest.raises(DeliveryError) as error:
        influxdb.on_cluster(work, token=Secret(secret))
    assert "found ***" in str(error.value)
    assert secret not in str(error.value)
    assert base64.b64encode(json.dumps(secret).encode()).decode() not in str(
        error.value
    )
