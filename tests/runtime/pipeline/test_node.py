"""Pipelines: Kapacitor pipeline/pipeline.go."""

import pytest

from runtime.errors import TaskError
from runtime.pipeline.evaluate import evaluate
from runtime.pipeline.node import Edge, Pipeline
from runtime.tick.parser import parse


def pipeline_of(script: str) -> Pipeline:
    return evaluate(parse(script), "stream").pipeline


@pytest.mark.parametrize(
    ("chain", "edge"),
    [
        ("log()", Edge.STREAM),
        ("window().period(1s)", Edge.BATCH),
        ("window().period(1s)|where(lambda: TRUE)", Edge.BATCH),
        ("window().period(1s)|mean('v')", Edge.STREAM),
        ("window().period(1s)|top(1, 'v')", Edge.BATCH),
        ("window().period(1s)|difference('v')", Edge.BATCH),
        ("difference('v')", Edge.STREAM),
        ("distinct('v')", Edge.BATCH),
        ("window().period(1s)|combine(lambda: TRUE).as('a')", Edge.STREAM),
        ("window().period(1s)|trickle()", Edge.STREAM),
    ],
)
def test_what_nodes_send_on(chain: str, edge: Edge) -> None:
    assert pipeline_of(f"stream|from()|{chain}").nodes[-1].provides is edge


def test_parents_come_before_children() -> None:
    pipeline = pipeline_of(
        "var a = stream|from() var b = stream|from()|log() a|join(b).as('a', 'b')"
    )
    order = [node.name for node in pipeline.sorted()]
    for node in pipeline.nodes:
        for child in node.children:
            assert order.index(node.name) < order.index(child.name)


def test_mixed_parents_cannot_start() -> None:
    pipeline = pipeline_of(
        "var a = stream|from() var b = stream|from()|window().period(1s)"
        " a|log()|join(b).as('a', 'b')"
    )
    with pytest.raises(TaskError) as caught:
        pipeline.check_start()
    assert str(caught.value) == (
        "cannot add child mismatched edges: window3:batch -> join6:stream"
    )


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        (
            "k8sAutoscale().resourceName('a').replicas(lambda: 1)",
            "k8s_autoscale2: autoscaling is not supported",
        ),
        (
            "swarmAutoscale().serviceName('a').replicas(lambda: 1)",
            "swarm_autoscale2: autoscaling is not supported",
        ),
        (
            "ec2Autoscale().groupName('a').replicas(lambda: 1)",
            "ec2_autoscale2: autoscaling is not supported",
        ),
    ],
)
def test_what_is_not_run_is_told_at_the_start(chain: str, text: str) -> None:
    with pytest.raises(TaskError, match=text):
        pipeline_of(f"stream|from()|{chain}").check_start()


def test_user_defined_functions_are_parsed_but_not_run() -> None:
    with pytest.raises(TaskError, match="user defined functions "):
        pipeline_of("stream|from()@mine('a').option(1)|log()").check_start()


def test_a_chain_can_be_longer_than_the_stack_is_deep() -> None:
    pipeline = pipeline_of("stream|from()" + "|log()" * 3000)
    assert len(pipeline.sorted()) == 3002
