"""A pipeline as JSON: Kapacitor pipeline/json.go, pipeline/alert.go."""

from runtime.integrations.bundled import INTEGRATIONS
from runtime.pipeline.evaluate import evaluate
from runtime.pipeline.json import node_data, pipeline_data
from runtime.pipeline.node import Pipeline
from runtime.tick.parser import parse


def pipeline_of(script: str) -> Pipeline:
    return evaluate(
        parse(script), "stream", handlers=INTEGRATIONS.handler_properties
    ).pipeline


def test_nodes_and_edges() -> None:
    pipeline = pipeline_of("stream|from().measurement('m')|window().period(90s)")
    data = pipeline_data(pipeline)
    assert data["edges"] == [
        {"parent": "0", "child": "1"},
        {"parent": "1", "child": "2"},
    ]
    nodes = data["nodes"]
    assert isinstance(nodes, list)
    assert nodes[0] == {"typeOf": "stream", "id": "0"}
    assert nodes[2] == {
        "typeOf": "window",
        "id": "2",
        "period": "90s",
        "every": "0s",
        "align": False,
        "fillPeriod": False,
        "periodCount": 0,
        "everyCount": 0,
    }


def test_an_alert_has_a_key_for_each_kind_of_handler() -> None:
    pipeline = pipeline_of(
        'stream|from()|alert().crit(lambda: "v" > 5).flapping(0.1, 0.2)'
        ".inhibit('c', 'host').hipChat().room('a')"
    )
    assert node_data(pipeline.nodes[-1], "2") == {
        "typeOf": "alert",
        "id": "2",
        "category": "",
        "topic": "",
        "alertId": "{{ .Name }}:{{ .Group }}",
        "message": "{{ .ID }} is {{ .Level }}",
        "details": "{{ json . }}",
        "info": None,
        "warn": None,
        "crit": 'lambda: "v" > 5',
        "infoReset": None,
        "warnReset": None,
        "critReset": None,
        "useFlapping": True,
        "flapLow": 0.1,
        "flapHigh": 0.2,
        "history": 21,
        "levelTag": "",
        "levelField": "",
        "messageField": "",
        "durationField": "",
        "idTag": "",
        "idField": "",
        "all": False,
        "noRecoveries": False,
        "inhibitors": [["c", ["host"]]],
        "stateChangesOnly": False,
        "stateChangesOnlyDuration": "0s",
        **dict.fromkeys(INTEGRATIONS.properties),
        "hipChat": [{"room": "a", "token": ""}],
    }


def test_statistics_name_their_source() -> None:
    data = pipeline_data(pipeline_of("stream|from()|stats(10s)"))
    nodes = data["nodes"]
    assert isinstance(nodes, list)
    assert nodes[2] == {
        "typeOf": "stats",
        "id": "2",
        "interval": "10s",
        "align": False,
        "source": "1",
    }
