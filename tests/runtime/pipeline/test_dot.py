"""Kapacitor pipeline/pipeline.go Dot, task.go EDot."""

from runtime.pipeline.dot import dot, running_dot
from runtime.pipeline.evaluate import evaluate
from runtime.pipeline.node import Pipeline
from runtime.tick.parser import parse


def pipeline_of(script: str, edge: str = "stream") -> Pipeline:
    return evaluate(parse(script), edge).pipeline


STATS = {
    name: {"working_cardinality": 0, "errors": 0, "avg_exec_time_ns": "0s"}
    for name in ("stream0", "from1")
}


def test_the_graph_of_a_chain() -> None:
    assert dot(pipeline_of("stream|from()"), "x") == "digraph x {\nstream0 -> from1;\n}"


def test_later_branches_come_first() -> None:
    script = "var f = stream|from() f|log() f|alert()|httpOut('a')"
    assert dot(pipeline_of(script), "x").splitlines()[1:-1] == [
        "stream0 -> from1;",
        "from1 -> log2;",
        "from1 -> alert3;",
        "alert3 -> http_out4;",
    ]


def test_statistics_have_no_parent() -> None:
    text = dot(pipeline_of("stream|from()|deadman(0.0, 10s)"), "x")
    assert text.splitlines()[1:-1] == [
        "stats2 -> derivative4;",
        "derivative4 -> alert5;",
        "stream0 -> from1;",
        "from1 -> noop3;",
    ]


def test_a_running_graph_with_attributes() -> None:
    text = running_dot(
        pipeline_of("stream|from()"),
        "x",
        throughput=0.0,
        stats=STATS,
        processed=lambda node, index: 0,
    )
    assert text == (
        'digraph x {\ngraph [throughput="0.00 points/s"];\n\n'
        'stream0 [avg_exec_time_ns="0s" errors="0" working_cardinality="0" ];\n'
        'stream0 -> from1 [processed="0"];\n\n'
        'from1 [avg_exec_time_ns="0s" errors="0" working_cardinality="0" ];\n}'
    )


def test_a_running_graph_with_labels() -> None:
    text = running_dot(
        pipeline_of("batch|query('')|log()", "batch"),
        "x",
        throughput=1.5,
        stats={"batch0": {"errors": 0, "avg_exec_time_ns": "0s"}},
        processed=lambda node, index: 7,
        labels=True,
    )
    assert text == (
        "digraph x {\n"
        'graph [label="Throughput: 1.50 batches/s" forcelabels=true pad="0.8,0.5"];\n'
        '\nbatch0 [xlabel="avg_exec_time_ns=0s\\rerrors=0"];\n'
        'batch0 -> query1 [label="processed=7"];\n'
        '\nquery1 [xlabel=""];\nquery1 -> log2 [label="processed=7"];\n'
        '\nlog2 [xlabel=""];\n}'
    )
