"""The nodes that may follow each node, after `|`."""

from __future__ import annotations

from collections.abc import Callable

from runtime.pipeline import (
    influxql,
    merge,
    output,
    sideload,
    source,
    transform,
    unsupported,
)
from runtime.pipeline.alert import alert
from runtime.pipeline.deadman import deadman
from runtime.pipeline.node import Node
from runtime.pipeline.properties import Names
from runtime.pipeline.source import BatchNode, FromNode, StreamNode

ChainMethod = Callable[..., Node]

_ANYWHERE: dict[str, ChainMethod] = {
    "stats": source.stats,
    "deadman": deadman,
}

_OF_STREAM: dict[str, ChainMethod] = {
    "from": source.from_,
    **_ANYWHERE,
}

_OF_BATCH: dict[str, ChainMethod] = {
    "query": source.query,
    "queryFlux": source.query_flux,
    **_ANYWHERE,
}

_OF_DATA: dict[str, ChainMethod] = {
    "alert": alert,
    "barrier": transform.barrier,
    "changeDetect": transform.change_detect,
    "combine": merge.combine,
    "default": transform.default,
    "delete": transform.delete,
    "derivative": transform.derivative,
    "ec2Autoscale": unsupported.ec2_autoscale,
    "eval": transform.eval_,
    "flatten": transform.flatten,
    "groupBy": transform.group_by,
    "httpOut": output.http_out,
    "httpPost": output.http_post,
    "influxDBOut": output.influx_db_out,
    "join": merge.join,
    "k8sAutoscale": unsupported.k8s_autoscale,
    "kapacitorLoopback": output.kapacitor_loopback,
    "log": output.log,
    "sample": transform.sample,
    "shift": transform.shift,
    "sideload": sideload.sideload,
    "stateCount": transform.state_count,
    "stateDuration": transform.state_duration,
    "swarmAutoscale": unsupported.swarm_autoscale,
    "trickle": transform.trickle,
    "union": merge.union,
    "where": transform.where,
    "window": transform.window,
    **influxql.FUNCTIONS,
    **_ANYWHERE,
}

_AFTER_STREAM = Names(_OF_STREAM)
_AFTER_BATCH = Names(_OF_BATCH)
_AFTER_SINK = Names(_ANYWHERE)
_AFTER_FROM = Names({**_OF_STREAM, **_OF_DATA})
_AFTER_ANY = Names(_OF_DATA)


def methods_of(node: Node) -> Names[ChainMethod]:
    """The methods that may follow `node`."""
    if isinstance(node, StreamNode):
        return _AFTER_STREAM
    if isinstance(node, BatchNode):
        return _AFTER_BATCH
    if isinstance(node, FromNode):
        return _AFTER_FROM
    return _AFTER_SINK if node.is_sink else _AFTER_ANY
