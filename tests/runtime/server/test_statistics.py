"""Statistics of a real server."""

import json
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.tasks.ingress import Ingress
from runtime.testing.frames import frame
from runtime.version import PRODUCT_VERSION

TASK = {
    "id": "cpu",
    "type": "stream",
    "dbrps": [{"db": "d", "rp": "r"}],
    "script": "stream|from().measurement('cpu')"
    "|alert().crit(lambda: \"v\" > 1).topic('t')",
    "status": "enabled",
}


@pytest.fixture(scope="module")
def server(start_shared_kapacitord: Any) -> Any:
    """A server that has seen three points and two events; tests only read from it."""
    return busy(start_shared_kapacitord())


def busy(server: Any) -> Any:
    """The server, after three points and two events."""
    server.json("POST", "/tasks", TASK)
    server.json("POST", "/tasks", {**TASK, "id": "off", "status": "disabled"})
    server.write("cpu v=5 1\ncpu v=6 2\nmem v=1 1", "db=d&rp=r")
    return server


def samples(server: Any) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    status, text = server.call("GET", "/metrics")
    assert status == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_points_tasks_nodes_and_events(server: Any) -> None:
    found = samples(server)

    def value(name: str, **labels: str) -> float:
        return found[f"kapacitor_{name}", tuple(sorted(labels.items()))]

    place = {"database": "d", "retention_policy": "r"}
    assert value("points_received_total", **place, measurement="cpu") == 2
    assert value("points_received_total", **place, measurement="mem") == 1
    assert value("tasks", state="defined") == 2
    assert value("tasks", state="enabled") == 1
    assert value("tasks", state="executing") == 1
    assert value("node_collected_total", task="cpu", node="alert2") == 2
    assert value("node_errors_total", task="cpu", node="alert2") == 0
    assert value("topic_events_total", topic="t") == 2
    assert value("topic_level", topic="t") == 3
    assert value("store_bytes") > 0
    [info] = [dict(labels) for name, labels in found if name == "kapacitor_info"]
    assert sorted(info) == ["cluster_id", "host", "server_id", "version"]
    [info] = [dict(at) for name, at in found if name == "kapacitor_product_info"]
    assert info == {"name": "scaffold-alerts", "version": PRODUCT_VERSION}
    assert found["process_resident_memory_bytes", ()] > 0


def test_metrics_say_what_became_of_deliveries(start_kapacitord: Any) -> None:
    server = busy(start_kapacitord())
    spec = {"id": "h", "kind": "log", "options": {"path": "/no/such/folder/x"}}
    server.json("POST", "/alerts/topics/t/handlers", spec)
    server.write("cpu v=5 3", "db=d&rp=r")
    place = (("handler", "h"), ("task", ""), ("topic", "t"))
    assert samples(server)["kapacitor_deliveries_pending", place] == 1


def test_metrics_stand_below_no_base(server: Any) -> None:
    assert server.call("GET", "/kapacitor/v1/metrics")[0] == 404


def test_variables_hold_groups_of_numbers(server: Any) -> None:
    found = server.json("GET", "/debug/vars")
    assert list(found) == sorted(found)
    assert (found["num_tasks"], found["num_enabled_tasks"]) == (2, 1)
    assert found["product"] == "kapacitor"
    assert found["memstats"]["Sys"] > 0
    groups = found["kapacitor"].values()
    assert {each["name"] for each in groups} >= {
        *("kapacitor", "runtime", "ingress", "nodes", "topics", "delivery")
    }
    [alert] = [each for each in groups if each["tags"].get("node") == "alert2"]
    assert alert["tags"]["task"] == "cpu"
    assert alert["tags"]["kind"] == "alert"
    assert alert["values"]["collected"] == 2
    edges = [each for each in groups if each["name"] == "edges"]
    assert [(e["tags"]["parent"], e["tags"]["child"], e["values"]) for e in edges] == [
        ("stream", "stream0", {"collected": 2, "emitted": 2}),
        ("stream0", "from1", {"collected": 2, "emitted": 2}),
        ("from1", "alert2", {"collected": 2, "emitted": 2}),
    ]
    assert edges[0]["tags"]["type"] == "stream"


def test_the_command_shows_what_came_in(server: Any) -> None:
    lines = server.cli("stats", "ingress").splitlines()
    assert lines[0].split() == [
        *("Database", "Retention", "Policy", "Measurement", "Points", "Received")
    ]
    assert [line.split() for line in lines[1:]] == [
        ["d", "r", "cpu", "2"],
        ["d", "r", "mem", "1"],
    ]
    assert json.loads(server.cli("vars"))["num_tasks"] == 2


def test_made_up_measurements_do_not_fill_the_memory() -> None:
    ingress = Ingress()
    for number in range(10_050):
        ingress.add([frame(f"m{number} v=1 1")], "d", "r")
    counts = {place.measurement: count for place, count in ingress}
    assert len(counts) == 10_001
    assert counts[""] == 50
