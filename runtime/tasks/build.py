"""Builds the nodes of a task from its script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from runtime.errors import TaskError
from runtime.nodes.alert.node import AlertNode
from runtime.nodes.barrier import BarrierNode
from runtime.nodes.defaults import DefaultNode, DeleteNode
from runtime.nodes.environment import Environment
from runtime.nodes.eval import EvalNode
from runtime.nodes.group_by import GroupByNode
from runtime.nodes.http_out import HTTPOutNode
from runtime.nodes.http_post import HTTPPostNode
from runtime.nodes.influxdb_out import InfluxDBOutNode
from runtime.nodes.influxql.node import influxql
from runtime.nodes.log import LogNode
from runtime.nodes.loopback import KapacitorLoopbackNode
from runtime.nodes.merge import JoinNode, UnionNode
from runtime.nodes.node import Node
from runtime.nodes.noop import NoOpNode
from runtime.nodes.sample import SampleNode
from runtime.nodes.shift import ShiftNode
from runtime.nodes.sideload import SideloadNode
from runtime.nodes.simultaneous import CombineNode, FlattenNode
from runtime.nodes.stateful import (
    ChangeDetectNode,
    DerivativeNode,
    StateCountNode,
    StateDurationNode,
)
from runtime.nodes.stats import StatsNode, Tally
from runtime.nodes.stream import FromNode, StreamNode
from runtime.nodes.trickle import TrickleNode
from runtime.nodes.where import WhereNode
from runtime.nodes.window.node import WindowNode
from runtime.pipeline import alert as alert_pipeline
from runtime.pipeline import influxql as influxql_pipeline
from runtime.pipeline import merge, output, sideload, source, transform
from runtime.pipeline import node as pipeline


def _batch(spec: source.BatchNode, environment: Environment) -> Node:
    # imported here: few servers have batch tasks, and these modules take memory
    from runtime.nodes.query.node import BatchNode

    return BatchNode(spec, environment)


def _query(spec: source.QueryNode, environment: Environment) -> Node:
    from runtime.nodes.query.node import QueryNode

    return QueryNode(spec, environment)


NODES: dict[type[pipeline.Node], Callable[[Any, Environment], Node]] = {
    alert_pipeline.AlertNode: AlertNode,
    influxql_pipeline.InfluxQLNode: influxql,
    merge.CombineNode: CombineNode,
    merge.JoinNode: JoinNode,
    merge.UnionNode: UnionNode,
    output.HTTPOutNode: HTTPOutNode,
    output.HTTPPostNode: HTTPPostNode,
    output.InfluxDBOutNode: InfluxDBOutNode,
    output.KapacitorLoopbackNode: KapacitorLoopbackNode,
    output.LogNode: LogNode,
    sideload.SideloadNode: SideloadNode,
    source.BatchNode: _batch,
    source.FromNode: FromNode,
    source.NoOpNode: NoOpNode,
    source.QueryNode: _query,
    source.StatsNode: StatsNode,
    source.StreamNode: StreamNode,
    transform.BarrierNode: BarrierNode,
    transform.ChangeDetectNode: ChangeDetectNode,
    transform.DefaultNode: DefaultNode,
    transform.DeleteNode: DeleteNode,
    transform.DerivativeNode: DerivativeNode,
    transform.EvalNode: EvalNode,
    transform.FlattenNode: FlattenNode,
    transform.GroupByNode: GroupByNode,
    transform.SampleNode: SampleNode,
    transform.ShiftNode: ShiftNode,
    transform.StateCountNode: StateCountNode,
    transform.StateDurationNode: StateDurationNode,
    transform.TrickleNode: TrickleNode,
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
                raise TaskError(
                    f"{spec.name}: {spec.call} nodes are not supported by this server"
                )
            made[spec] = make(spec, environment)
            environment.pause()
    except TaskError:
        for node in made.values():
            node.close()
        raise
    for spec, node in made.items():
        taken: Counter[pipeline.Node] = Counter()
        for child in spec.children:
            places = [n for n, parent in enumerate(child.parents) if parent is spec]
            node.link(made[child].input(places[taken[child]]))
            taken[child] += 1
    _observe(made)
    return list(made.values())


def _observe(made: Mapping[pipeline.Node, Node]) -> None:
    """Give each `stats` node the counts of the node that it reports on."""
    tallies: dict[Node, Tally] = {}
    for spec, node in made.items():
        if isinstance(spec, source.StatsNode) and isinstance(node, StatsNode):
            assert spec.source is not None
            watched = made[spec.source]
            if watched not in tallies:
                tallies[watched] = Tally(watched)
                watched.observe(tallies[watched])
            node.tally = tallies[watched]
