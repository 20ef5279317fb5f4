"""From what a script says to what runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.errors import TaskError
from runtime.nodes.alert import AlertNode
from runtime.nodes.environment import Environment
from runtime.nodes.eval import EvalNode
from runtime.nodes.group_by import GroupByNode
from runtime.nodes.influxql import influxql
from runtime.nodes.node import Node
from runtime.nodes.output import HTTPOutNode, LogNode, NoOpNode
from runtime.nodes.stateful import (
    ChangeDetectNode,
    DerivativeNode,
    StateCountNode,
    StateDurationNode,
)
from runtime.nodes.stream import FromNode, StreamNode
from runtime.nodes.tidy import DefaultNode, DeleteNode
from runtime.nodes.where import WhereNode
from runtime.nodes.window import WindowNode
from runtime.pipeline import alert as alert_pipeline
from runtime.pipeline import influxql as influxql_pipeline
from runtime.pipeline import node as pipeline
from runtime.pipeline import output, source, transform

NODES: dict[type[pipeline.Node], Callable[[Any, Environment], Node]] = {
    alert_pipeline.AlertNode: AlertNode,
    influxql_pipeline.InfluxQLNode: influxql,
    output.HTTPOutNode: HTTPOutNode,
    output.LogNode: LogNode,
    source.FromNode: FromNode,
    source.NoOpNode: NoOpNode,
    source.StreamNode: StreamNode,
    transform.ChangeDetectNode: ChangeDetectNode,
    transform.DefaultNode: DefaultNode,
    transform.DeleteNode: DeleteNode,
    transform.DerivativeNode: DerivativeNode,
    transform.EvalNode: EvalNode,
    transform.GroupByNode: GroupByNode,
    transform.StateCountNode: StateCountNode,
    transform.StateDurationNode: StateDurationNode,
    transform.WhereNode: WhereNode,
    transform.WindowNode: WindowNode,
}


def build(script: pipeline.Pipeline, environment: Environment) -> list[Node]:
    """The running nodes of a script, linked, in the script's order.

    Raises:
        TaskError: a node cannot start; those already started are closed.
    """
    script.check_start()
    made: dict[pipeline.Node, Node] = {}
    try:
        for spec in script.nodes:
            make = NODES.get(type(spec))
            if make is None:
                raise TaskError(f"{spec.name}: {spec.call} nodes are not supported")
            made[spec] = make(spec, environment)
    except TaskError:
        for node in made.values():
            node.close()
        raise
    for spec, node in made.items():
        for child in spec.children:
            node.link(made[child])
    return list(made.values())
