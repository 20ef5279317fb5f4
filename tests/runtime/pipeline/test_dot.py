"""Kapacitor pipeline/pipeline.go Dot, task.go EDot."""

from runtime.pipeline.dot import dot, running_dot
from runtime.pipeline.evaluate import evaluate
from runtime.pipeline.node import Pipeline
from runtime.tick.parser import parse


def pipeline_of(script: str, edge: str = "stream") -> Pipeline:
    return evaluate(parse(script), edge).pipeline


STATS = {"working_cardinality": "0", "errors": "0", "avg_exec_time_ns": "0s"}


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
        "stream0 -> from1;",
        "from1 -> noop3;",
        "stats2 -> derivative4;",
        "derivative4 -> alert5;",
    ]


def test_nothing_flows_from_batch_to_its_queries() -> None:
    text = dot(pipeline_of("batch|query('')|log()", "batch"), "x")
    assert text == "digraph x {\nquery1 -> log2;\n}"


def test_joins_and_unions_take_a_number_for_each_parent() -> None:
    script = (
        "var a = stream|from() var b = stream|from()"
        " a|union(b)|log() a|join(b, b).as('x', 'y', 'z')|alert()"
    )
    assert dot(pipeline_of(script), "x").splitlines()[1:-1] == [
        "stream0 -> from1;",
        "stream0 -> from2;",
        "from2 -> union4;",
        "from2 -> join8;",
        "from2 -> join8;",
        "from1 -> union4;",
        "from1 -> join8;",
        "join8 -> alert9;",
        "union4 -> log5;",
    ]


def test_a_running_graph_with_attributes() -> None:
    text = running_dot(
        pipeline_of("stream|from()"),
        "x",
        throughput=0.0,
        stats=lambda node: STATS,
        processed=lambda node: 0,
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
        stats=lambda node: {"errors": "0", "avg_exec_time_ns": "0s"},
        processed=lambda node: 7,
        labels=True,
    )
    assert text == (
        "digraph x {\n"
        'graph [label="Throughput: 1.50 batches/s" forcelabels=true pad="0.8,0.5"];\n'
        '\nquery1 [xlabel="avg_exec_time_ns=0s\\rerrors=0"];\n'
        'query1 -> log2 [label="processed=7"];\n'
        '\nlog2 [xlabel="avg_exec_time_ns=0s\\rerrors=0"];\n}'
    )


def test_children_of_a_running_node_are_in_the_order_of_the_graph() -> None:
    text = running_dot(
        pipeline_of("var f = stream|from() f|log() f|alert()"),
        "x",
        throughput=0.0,
        stats=lambda node: {},
        processed=lambda node: 2,
    )
    assert [line for line in text.splitlines() if "->" in line] == [
        'stream0 -> from1 [processed="2"];',
        'from1 -> alert3 [processed="2"];',
        'from1 -> log2 [processed="2"];',
    ]
