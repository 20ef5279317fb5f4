"""Clusters over the API: their settings, and the service test."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from runtime.secrets import Secret
from runtime.server.config.config import Config
from runtime.services.influxdb.clusters import NoClusterError
from runtime.services.influxdb.config import Config as ClusterConfig
from tests.influxdb.conftest import InfluxDB
from tests.runtime.conftest import Api

PATH = "/config/influxdb/main"


def with_clusters(config: Config, *clusters: ClusterConfig) -> Config:
    return dataclasses.replace(config, influxdb=clusters)


def options(api: Api, path: str = PATH) -> dict[str, Any]:
    return dict(api.json("GET", path)["options"])


def change(api: Api, path: str = PATH, **values: object) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return api.ask("POST", path, {"set": named})


@pytest.fixture
def away(config: Config, start_api: Callable[..., Api]) -> Api:
    """A server with a cluster that does not answer."""
    cluster = ClusterConfig(
        name="main",
        urls=("http://user:canary-url@127.0.0.1:9",),
        password=Secret("canary-password"),
        token=Secret("canary-token"),
        disable_subscriptions=True,
    )
    return start_api(with_clusters(config, cluster))


def test_secrets_are_hidden(away: Api) -> None:
    found = away.json("GET", PATH)
    assert found["redacted"] == ["password", "token"]
    assert found["options"]["password"] is found["options"]["token"] is True
    assert found["options"]["urls"] == ["http://***@127.0.0.1:9"]
    assert found["options"]["subscription-mode"] == "cluster"
    assert found["options"]["excluded-subscriptions"] == {"_kapacitor": ["autogen"]}
    assert "canary" not in json.dumps(away.json("GET", "/config"))


def test_what_is_shown_can_be_sent_back(away: Api) -> None:
    shown = options(away)
    del shown["name"]
    assert away.ask("POST", PATH, {"set": shown}) == (204, "")
    [cluster] = away.server._inputs.influxdb.clusters
    assert cluster.config.urls == ("http://user:canary-url@127.0.0.1:9",)
    assert cluster.config.password == Secret("canary-password")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"urls": ["http://***@elsewhere"]},
            "*** hides a part of the stored URL, which is another one",
        ),
        ({"urls": ["ftp://h"]}, "Unsupported protocol scheme: ftp"),
        ({"subscription_mode": "x"}, 'unknown subscription mode "x"'),
        ({"name": "other"}, "cannot override element key name"),
        ({"urls": "http://h"}, "wrong kind string, expected value of kind slice"),
        ({"subscriptions": {"db": "rp"}}, "wrong kind string"),
    ],
    ids=["hidden", "scheme", "mode", "name", "kind", "map"],
)
def test_what_is_wrong_is_refused(
    away: Api, values: dict[str, object], problem: str
) -> None:
    before = options(away)
    status, text = change(away, **values)
    assert (status, problem in text) == (400, True), text
    assert options(away) == before


def test_changes_take_effect_and_last(
    influxdb: InfluxDB, database: str, away: Api
) -> None:
    url = influxdb.url
    test = {"cluster": "main"}

    def tested() -> dict[str, Any]:
        return dict(away.json("POST", "/service-tests/influxdb", test))

    assert tested()["message"] == (
        'failed to ping the influxdb cluster "main": Get "http://***@127.0.0.1:9/ping": '
        "dial tcp 127.0.0.1:9: connect: connection refused"
    )
    assert change(away, urls=[url]) == (204, "")
    assert tested() == {"success": True, "message": ""}
    away.restart()
    assert tested()["success"]
    assert options(away)["urls"] == [url]
    assert away.ask("POST", PATH, {"delete": ["urls"]}) == (204, "")
    assert not tested()["success"]


def test_clusters_are_added_and_removed(
    influxdb: InfluxDB, config: Config, start_api: Callable[..., Api]
) -> None:
    api = start_api(config)
    clusters = api.server._inputs.influxdb.clusters

    def add(name: str, **more: object) -> tuple[int, str]:
        made = {"name": name, "urls": [influxdb.url], "disable-subscriptions": True}
        return api.ask("POST", "/config/influxdb", {"add": {**made, **more}})

    assert api.ask("GET", "/config/influxdb") == (404, "unknown section: influxdb")
    with pytest.raises(NoClusterError, match="no such InfluxDB config"):
        clusters.find()
    assert add("one") == (204, "")
    assert clusters.find().name == "one"
    # of two, one is the default
    status, text = add("two")
    assert (status, "no default cluster found" in text) == (500, True)
    assert add("two", default=True) == (204, "")
    assert clusters.find().name == "two"
    assert clusters.find("one").name == "one"
    body = {"remove": ["two"]}
    assert api.ask("POST", "/config/influxdb", body) == (204, "")
    assert clusters.find().name == "one"
    with pytest.raises(NoClusterError, match="no such InfluxDB config two"):
        clusters.find("two")


def test_the_service_test_needs_a_cluster(config: Config, start_api: Any) -> None:
    api = start_api(config)
    assert api.json("GET", "/service-tests/influxdb")["options"] == {"cluster": ""}
    assert api.json("POST", "/service-tests/influxdb", {}) == {
        "success": False,
        "message": 'cluster "" is not enabled or does not exist',
    }


def test_the_service_test_takes_the_default_cluster(
    influxdb: Any, config: Config, start_api: Any
) -> None:
    one = {"name": "one", "urls": [influxdb.url], "disable-subscriptions": True}
    api = start_api(config)
    assert api.ask("POST", "/config/influxdb", {"add": one})[0] == 204
    assert api.json("GET", "/service-tests/influxdb")["options"] == {"cluster": "one"}
    assert api.json("POST", "/service-tests/influxdb", {})["success"] is True
